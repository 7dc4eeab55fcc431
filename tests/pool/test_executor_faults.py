"""Everything that may go wrong between Snakemake and HTCondor, on the real pool."""

from __future__ import annotations

import pytest
from jobs import wait_for
from toys import Toy

from condor.pool import Pool

pytestmark = pytest.mark.fault

SLOW = "command=sleep 3; cat {input:q} > {output}"
GOOD = "command=cat {input:q} > {output}"


@pytest.fixture
def toy(pool: Pool, image: str, request: pytest.FixtureRequest) -> Toy:
    return Toy(pool, request.node.name.removeprefix("test_").partition("[")[0], image)


@pytest.mark.parametrize(("signal", "status"), [("TERM", 143), ("HUP", 129)])
def test_detaches(pool: Pool, image: str, signal: str, status: int) -> None:
    toy = Toy(pool, f"detaches-{signal}", image)
    controller = toy.start("count=2", SLOW)
    toy.wait_for_event("001")

    assert controller.signal(signal) == status
    assert f"SIG{signal}: 2 jobs stay" in controller.said
    assert len(toy.jobs_in_queue()) == 2

    assert toy.run("count=2", SLOW).returncode == 0
    assert toy.executions() == {"0": 1, "1": 1}


def test_ctrl_c_removes(toy: Toy) -> None:
    controller = toy.start("count=2", SLOW)
    toy.wait_for_event("001")

    assert controller.signal("INT") != 0
    assert "Removed 2 jobs" in controller.said
    wait_for(lambda: not toy.jobs_in_queue(), "jobs stayed in the queue")

    done = toy.run("count=2", GOOD)
    assert done.returncode == 0, done.stderr
    assert len(toy.batches) == 2
    assert toy.given_up == ""


def test_killed_at_the_submission(toy: Toy) -> None:
    controller = toy.start("count=2", GOOD)
    wait_for(lambda: toy.events != "", "nothing was submitted")
    controller.signal("KILL")

    assert toy.run("count=2", GOOD).returncode == 0
    assert toy.executions() == {"0": 1, "1": 1}
    assert len(toy.batches) == 1


def test_killed_and_all_completed(toy: Toy) -> None:
    controller = toy.start("count=2", GOOD)
    toy.wait_for_event("001")
    controller.signal("KILL")
    toy.wait_for_event("005", times=2)

    done = toy.run("count=2", GOOD)

    assert done.returncode == 0, done.stderr
    assert len(toy.outputs) == 2
    assert toy.executions() == {"0": 1, "1": 1}


def test_altered_in_the_inbox(toy: Toy) -> None:
    controller = toy.start("count=2", GOOD)
    toy.wait_for_event("001")
    controller.signal("KILL")
    toy.wait_for_event("005", times=2)
    (toy.batches[0] / "inbox" / "0.txt").write_text("spoiled")

    done = toy.run("count=2", GOOD)

    assert done.returncode == 0, done.stderr
    assert "it says that it is spoiled" in done.stderr
    assert toy.outputs == {"0.txt": "data 0\n", "1.txt": "data 1\n"}
    assert toy.executions() == {"0": 2, "1": 1}


def test_always_damaged_fails_permanently(toy: Toy) -> None:
    done = toy.run("count=1", "command=echo spoiled > {output}")

    assert done.returncode == 1
    assert len(toy.batches) == 3
    assert toy.given_up == "0.txt: it says that it is spoiled\n"


def test_schedd_restarted_in_the_middle(toy: Toy, pool: Pool) -> None:
    controller = toy.start("count=2", SLOW)
    toy.wait_for_event("001")
    pool.on("ap", "condor_restart", "-schedd", "-fast")

    assert controller.wait() == 0, controller.said
    assert toy.executions() == {"0": 1, "1": 1}


def test_proc_removed_by_hand(toy: Toy, pool: Pool) -> None:
    controller = toy.start("count=2", "command=sleep 5; cat {input:q} > {output}")
    toy.wait_for_event("001")
    cluster = toy.jobs_in_queue("ClusterId")[0]
    pool.run("condor_rm", f"{cluster}.1")

    assert controller.wait() == 1
    assert len(toy.outputs) == 1
    assert "removed from the queue" in toy.given_up


def test_image_lost_after_the_submission(toy: Toy, pool: Pool) -> None:
    pool.run("cp", toy.image, "own.sif", cwd=toy.cwd)
    toy.image = "own.sif"
    pool.on("ap", "condor_off", "-negotiator", "-fast")
    controller = toy.start("count=1", GOOD)
    wait_for(lambda: toy.events != "", "nothing was submitted")
    pool.run("rm", "own.sif", cwd=toy.cwd)
    pool.on("ap", "condor_on", "-negotiator")

    assert controller.wait() == 1
    assert "own.sif" in toy.given_up, toy.given_up
    assert "the image is missing" in toy.given_up


def test_input_lost_after_the_submission(toy: Toy, pool: Pool) -> None:
    pool.on("ap", "condor_off", "-negotiator", "-fast")
    controller = toy.start("count=2", GOOD)
    wait_for(lambda: toy.events != "", "nothing was submitted")
    (toy.folder / "data" / "set 1.txt").unlink()
    pool.on("ap", "condor_on", "-negotiator")

    assert controller.wait() == 1
    assert list(toy.outputs) == ["0.txt"]
    assert "an input or the image is missing here" in toy.given_up
    assert toy.events.count("Job was held") == 3
    assert toy.events.count("Job was released") == 2


def test_missing_output_fails_permanently(toy: Toy) -> None:
    done = toy.run("count=1", "command=true {output}")

    assert done.returncode == 1
    assert "did not write what the rule declares" in toy.given_up


def test_more_memory_after_too_little(toy: Toy, limited: Pool) -> None:
    eats = """command=python3 -c "x = bytearray(b'1') * (300 << 20); open('{output}', 'w').write('full')" """
    done = toy.run("count=1", eats)

    assert done.returncode == 0, toy.events
    assert toy.executions() == {"0": 2}


def test_too_much_memory_fails_permanently(toy: Toy, limited: Pool) -> None:
    (toy.folder / "site.sub").write_text("most_memory = 256MB\n")
    eats = """command=python3 -c "x = bytearray(b'1') * (600 << 20)" """
    done = toy.run("count=1", eats)

    assert done.returncode == 1
    assert "more memory" in toy.given_up


def test_execute_point_killed_in_the_middle(toy: Toy, pool: Pool) -> None:
    slow = "command=sleep 10; cat {input:q} > {output}"
    controller = toy.start("count=4", slow)
    toy.wait_for_event("001", times=4)
    assert "slot1_1@ep1" in toy.events

    pool.kill("ep1")
    try:
        assert controller.wait() == 0, controller.said
    finally:
        pool.restart("ep1")

    assert len(toy.outputs) == 4
    assert max(toy.executions().values()) == 2


def test_evicted_by_hand(toy: Toy, pool: Pool) -> None:
    controller = toy.start("count=1", "command=sleep 5; cat {input:q} > {output}")
    toy.wait_for_event("001")
    pool.run("condor_vacate_job", "-fast", f"{toy.jobs_in_queue('ClusterId')[0]}.0")

    assert controller.wait() == 0, controller.said
    assert toy.executions() == {"0": 2}
    assert list(toy.outputs) == ["0.txt"]
