"""Controllers as jobs: a second one is refused in words, and each of them is shown."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from anisweep.cli import main
from anisweep.cluster import controller_job as jobs
from anisweep.cluster.schedd_errors import QueuedController
from anisweep.cluster.status import ENDED_SHOWN
from anisweep.errors import UserError
from anisweep.plan.run_lock import Holder

SUBMITTED = "000 ({}.000.000) 2026-10-25 00:30:00Z Job submitted from host: <127.0.0.1:9618>\n...\n"
RUNNING = "001 ({}.000.000) 2026-10-25 00:31:00Z Job executing on host: <127.0.0.1:9618>\n...\n"
ENDED = "005 ({}.000.000) 2026-10-25 00:40:00Z Job terminated.\n\t({}) {} termination ({} {})\n...\n"


def plant(project, number, *events):
    """The files of a controller's job."""
    folder = project.results / "controllers"
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"20261025-0030{number:02d}"
    stem.with_suffix(".sub").write_text(f"batch_name = anisweep controller of study_{number}\n")
    stem.with_suffix(".log").write_text("".join(events).replace("{}", str(100 + number)))


def ended(normal, word, what, number):
    return ENDED.replace("({}) {} termination ({} {})", f"({normal}) {word} termination ({what} {number})")


def status():
    done = CliRunner().invoke(main, ["status"])
    assert done.exit_code == 0, done.output
    return done.output


def test_every_controller_that_has_not_ended_is_shown(project):
    plant(project, 1, SUBMITTED, RUNNING)
    plant(project, 2, SUBMITTED)

    text = status()
    assert "Controller of study_1, job 101: running; see results/controllers/20261025-003001.out" in text
    assert "Controller of study_2, job 102: idle; see results/controllers/20261025-003002.out" in text


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (ended(1, "Normal", "return value", 0), "ended well"),
        (ended(1, "Normal", "return value", 1), "ended with status 1"),
        (ended(0, "Abnormal", "signal", 9), "ended by signal 9"),
    ],
)
def test_how_a_controller_ended_is_said(project, event, words):
    plant(project, 1, SUBMITTED, RUNNING, event)

    assert f"job 101: {words}; see" in status()


def test_of_many_that_have_ended_the_last_ones_are_shown(project):
    plant(project, 1, SUBMITTED, RUNNING)
    for number in range(2, 12):
        plant(project, number, SUBMITTED, ended(1, "Normal", "return value", 0))

    text = status()
    assert "Controller of study_1, job 101: running" in text
    assert f"{10 - ENDED_SHOWN} earlier controllers have ended." in text
    assert "study_11" in text
    assert "study_2," not in text


@pytest.fixture
def queue(monkeypatch):
    """What the queue holds."""
    held: list[QueuedController] = []
    monkeypatch.setattr(jobs, "controllers_in_queue", lambda: held)
    return held


@pytest.mark.parametrize(("state", "wake"), [("idle", False), ("running", False), ("held", True)])
def test_a_second_controller_is_refused_with_job_host_and_what_to_do(project, queue, state, wake):
    plant(project, 1, SUBMITTED)
    queue.append(QueuedController(101, state, project.root))

    with pytest.raises(UserError) as refused:
        jobs.refuse_a_second(project)

    text = str(refused.value)
    assert (
        f"A controller of study_1 is there already: job 101 on {jobs.socket.gethostname()}, {state}" in text
    )
    assert "`condor_rm 101`" in text
    assert ("`condor_release 101`" in text) == wake
    assert ("`anisweep cancel --all`" in text) == (state != "running")  # then nobody takes its packs back


def test_also_where_its_files_are_lost_or_the_clone_has_moved(project, queue, tmp_path):
    queue.append(QueuedController(7, "idle", project.root))
    with pytest.raises(UserError, match="a lost study is there already: job 7"):
        jobs.refuse_a_second(project)

    plant(project, 1, SUBMITTED)
    queue[:] = [QueuedController(101, "idle", tmp_path / "where it was")]
    with pytest.raises(UserError, match="study_1 is there already: job 101"):
        jobs.refuse_a_second(project)


def test_a_controller_of_another_project_is_no_obstacle(project, queue, tmp_path):
    queue.append(QueuedController(7, "running", tmp_path / "another"))

    jobs.refuse_a_second(project)


def test_a_run_in_a_terminal_is_one_too(project, queue, monkeypatch):
    monkeypatch.setattr(jobs, "holder", lambda project: Holder("ap", "zoe", 12, 0.0, ()))

    with pytest.raises(UserError, match="zoe on ap, pid 12, since 1970-01-01 00:00:00 UTC"):
        jobs.refuse_a_second(project)
