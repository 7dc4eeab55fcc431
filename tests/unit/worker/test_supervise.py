"""Packs in real interpreters: whatever a mode does, every cell gets its row, and nothing is left behind."""

import errno
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from anisweep.artifacts.reading import read_member
from anisweep.artifacts.writing import kept_link
from anisweep.cell import NOT_PINNED
from anisweep.worker import supervise
from anisweep.worker.controller import ControllerGone
from anisweep.worker.rows import append_row, rows_in

MODES = {
    "good": "return right(frames)",
    "slightly_wrong": "return right(frames) * (1 + 1e-6)",
    "raising": "raise ValueError('planted')",
    "aborting": "os.abort()",
    "sleeping": "time.sleep(60)",
    "unavailable": "raise Unavailable('no such thing here')",
    "borrowed": "pass\n\nfrom anisweep.modes.plain import compute",
}

OUTCOMES = {
    "good": ("ok", ""),
    "slightly_wrong": ("wrong", "differs from the reference by 1e-06 of the largest value; 1e-10 is allowed"),
    "raising": ("failed", "ValueError: planted"),
    "aborting": ("failed", f"the interpreter ended with status {-signal.SIGABRT}"),
    "sleeping": ("stalled", "no result within 1.5 s"),
    "unavailable": ("unavailable", "no such thing here"),
    "borrowed": ("failed", "RuntimeError: plain ran where borrowed was asked for"),
}

RUN = """
import sys
from pathlib import Path
from anisweep.cell import Pack
from anisweep.worker import supervise

supervise.run_pack(Pack.from_json(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
"""


def litter(workplace):
    """What lies beside the artifact that is not it."""
    kept = kept_link(workplace.target).parent
    return [path for path in workplace.target.parent.iterdir() if path not in (workplace.target, kept)]


def test_a_job_whose_interpreter_was_killed_gives_htcondor_time_to_hold_it(workplace, monkeypatch):
    workplace.plant("killed", "os.kill(os.getpid(), 9)")
    slept = []
    really = supervise.time.sleep
    monkeypatch.setattr(
        supervise.time, "sleep", lambda s: slept.append(s) if s == supervise.HOLD_S else really(s)
    )

    def run():
        (row,) = (row for row in workplace.run(workplace.cell("killed")).rows if row.role == "cell")
        assert (row.status, row.reason) == ("failed", "the interpreter ended with status -9")

    run()
    assert slept == []
    workplace.target.unlink()
    monkeypatch.setenv("_CONDOR_MACHINE_AD", "/nowhere")
    run()
    assert slept == [supervise.HOLD_S]


def test_every_cell_gets_its_row_and_the_others_are_measured(workplace):
    for name, body in MODES.items():
        workplace.plant(name, body)
    cells = [workplace.cell(mode) for mode in MODES]
    contents = workplace.run(*cells)

    rows = {row.mode: row for row in contents.rows if row.role == "cell"}
    assert {mode: (row.status, row.reason) for mode, row in rows.items()} == OUTCOMES
    assert sorted(row.key for row in contents.rows if row.role == "cell") == sorted(
        cell.key for cell in cells
    )

    first, *_, last = contents.rows
    assert [(row.role, row.mode, row.status) for row in (first, last)] == [
        ("first reference", "plain", "ok"),
        ("last reference", "plain", "ok"),
    ]
    assert len(contents.rows) == len(cells) + 2
    assert rows["good"].max_relative_error == 0
    assert rows["good"].pairs > 0
    assert set(rows["good"].pools.values()) == {1}
    assert b"ValueError: planted" in read_member(workplace.target, "logs/process-0.log")
    assert litter(workplace) == []


def test_cells_of_one_file_have_the_frames_that_they_ask_for(workplace):
    one = replace(workplace.dataset, frames=1)
    workplace.plant("good", "return right(frames)")
    cells = [workplace.cell("good", dataset=dataset) for dataset in (workplace.dataset, one)]
    rows = workplace.run(*cells).rows

    assert sorted((row.frames, row.role) for row in rows) == sorted(
        (frames, role) for frames in (1, 2) for role in ("first reference", "cell", "last reference")
    )
    assert all(row.shape == [3 * row.frames] or row.shape == [row.frames, 3] for row in rows)
    assert len({row.particles for row in rows}) == len({row.pairs for row in rows}) == 2
    assert {row.status for row in rows} == {"ok"}


def test_a_pack_that_is_not_pinned_records_what_came_of_it(workplace, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    workplace.plant("asks", "assert 'OMP_NUM_THREADS' not in os.environ; return right(frames)")
    rows = workplace.run(workplace.cell("asks", threads=NOT_PINNED)).rows
    cpus = len(os.sched_getaffinity(0))

    assert [(row.status, row.reason) for row in rows] == [("ok", "")] * 3
    assert {row.threads for row in rows} == {0}
    assert all(row.pools for row in rows)
    assert rows[1].cpu_utilisation == pytest.approx(rows[1].cpu_s / (rows[1].wall_s * cpus))


def test_an_interpreter_that_breaks_on_its_way_out_costs_no_row(workplace):
    workplace.plant("messy", "atexit.register(os.abort); return right(frames)")
    contents = workplace.run(workplace.cell("messy"))

    assert [(row.role, row.status) for row in contents.rows] == [
        ("first reference", "ok"),
        ("cell", "ok"),
        ("last reference", "ok"),
    ]


def test_each_process_is_a_fresh_interpreter_with_an_order_of_its_own(workplace):
    settings = replace(workplace.cell("plain").settings, processes=2)
    profiled = replace(settings, profile=True)
    cells = [workplace.cell("plain", settings=settings, code=str(number)) for number in range(4)]
    cells.insert(0, workplace.cell("plain", settings=profiled, code="profiled"))
    contents = workplace.run(*cells)
    orders = [[row.key for row in contents.rows if row.role == "cell" and row.process == n] for n in (0, 1)]

    assert sorted(orders[0]) == sorted(orders[1]) == sorted(cell.key for cell in cells)
    assert orders[0] != orders[1]
    assert read_member(workplace.target, f"profiles/{cells[0].key[:16]}-1.json")
    assert read_member(workplace.target, f"descriptors/{cells[0].key}.npy")


def test_modes_of_one_environment_share_an_interpreter_and_the_references_of_the_plain_one(workplace):
    """Each mode fails where its variable is not as it should be."""
    for name, wanted in (("plain_too", None), ("set", "1"), ("also_set", "1"), ("set_otherwise", "2")):
        workplace.plant(
            name, f"assert os.environ.get('OWN') == {wanted!r}; return right(frames) * (1 + 1e-13)"
        )
        if wanted:
            file = workplace.package / "modes" / f"{name}.py"
            file.write_text(file.read_text() + f'\nENVIRONMENT = {{"OWN": "{wanted}"}}\n')

    settings = replace(workplace.cell("plain").settings, processes=2)
    cells = [
        workplace.cell(mode, settings=settings)
        for mode in ("set", "plain_too", "set_otherwise", "also_set", "plain")
    ]
    contents = workplace.run(*cells)

    ran = [row.mode for row in contents.rows if row.process == 0]
    assert [ran[0], *sorted(ran[1:3]), ran[3]] == ["plain", "plain", "plain_too", "plain"]
    assert (sorted(ran[4:6]), ran[6:]) == (["also_set", "set"], ["set_otherwise"])

    assert [(row.status, row.reason) for row in contents.rows] == [("ok", "")] * 14
    errors = {row.max_relative_error > 0 for row in contents.rows if row.mode not in ("plain",)}
    assert errors == {True}


def test_a_one_off_call_begins_with_a_fresh_interpreter(workplace):
    """Its time has the import in it; and a mode may fail there alone."""
    workplace.plant("slow", "return right(frames)")
    slow = workplace.package / "modes" / "slow.py"
    slow.write_text(slow.read_text() + "\ntime.sleep(0.3)\n")
    workplace.plant(
        "failing", "import sys; return os._exit(3) if 'one_off' in sys.orig_argv[2] else right(frames)"
    )

    asked = replace(workplace.cell("plain").settings, one_off=True, limit_s=60.0)
    cells = [workplace.cell(mode, settings=asked) for mode in ("plain", "slow", "failing")]
    contents = workplace.run(*cells, workplace.cell("plain"))
    rows = {(row.mode, row.key): row for row in contents.rows if row.role == "cell"}
    plain, slow_row, failed, not_asked = (
        rows[cell.mode, cell.key] for cell in [*cells, workplace.cell("plain")]
    )

    assert plain.one_off_s > plain.first_call_s
    assert slow_row.one_off_s > 0.3
    assert failed.status == "failed"
    assert "the one-off call ended with status 3" in failed.reason
    assert not_asked.one_off_s is None


def test_a_pack_whose_interpreter_does_not_start_fails_permanently_with_its_last_words(workplace):
    (workplace.package / "worker" / "process.py").write_text("raise SystemExit('something is missing')\n")
    (row,) = workplace.run(workplace.cell("plain")).rows

    assert row.status == "failed"
    assert row.reason.startswith(
        "pack failed permanently: the interpreter ended with status 1 before its first cell"
    )
    assert row.reason.endswith("something is missing")


def test_a_full_disk_is_an_error_of_the_infrastructure(workplace, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(supervise, "_run_process", lambda *arguments: "")

    with pytest.raises(OSError, match="No space left"):
        supervise.run_pack(workplace.pack(workplace.cell("plain")), workplace.target)
    assert not workplace.target.exists()
    assert [path.name for path in litter(workplace)] == []


# --- whose end is whose -----------------------------------------------------------------------------------


def test_a_pack_does_not_start_for_a_run_that_has_ended(workplace, monkeypatch):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    monkeypatch.setenv("ANISWEEP_CONTROLLER", str(ended.pid))

    with pytest.raises(ControllerGone, match="has ended"):
        workplace.run(workplace.cell("plain"))
    assert not workplace.target.exists()
    assert litter(workplace) == []


def test_a_pack_ends_with_its_run_even_if_nobody_waits_for_that(workplace, monkeypatch):
    polls = []

    def kill_the_run(seconds, sleep=time.sleep):
        polls.append(seconds)
        if len(polls) == 3:
            run.kill()
        sleep(seconds)

    with subprocess.Popen(["sleep", "60"]) as run:
        monkeypatch.setenv("ANISWEEP_CONTROLLER", str(run.pid))
        monkeypatch.setattr(supervise.time, "sleep", kill_the_run)
        with pytest.raises(ControllerGone, match="the run that started it has ended"):
            workplace.run(workplace.cell("sleeping"))

    assert not workplace.target.exists()
    assert litter(workplace) == []
    assert psutil.Process().children() == []


def test_the_interpreter_ends_with_its_supervisor(workplace):
    patient = replace(workplace.cell("plain").settings, limit_s=600.0)
    pack = workplace.folder / "pack.json"
    pack.write_text(workplace.pack(workplace.cell("sleeping", settings=patient)).to_json())

    with subprocess.Popen([sys.executable, "-c", RUN, str(pack), str(workplace.target)]) as supervisor:
        while not list(workplace.target.parent.glob(".*.work-*/current.json")):
            assert supervisor.poll() is None
            time.sleep(0.05)

        children = psutil.Process(supervisor.pid).children()
        supervisor.kill()

    gone, alive = psutil.wait_procs(children, timeout=30)
    assert (len(gone), alive) == (1, [])


# --- rows on the disk -------------------------------------------------------------------------------------


def test_a_row_that_is_being_written_does_not_count_yet(tmp_path, workplace):
    row = supervise.row_of(workplace.pack(workplace.cell("plain")), "cell", workplace.cell("plain"))
    assert rows_in(tmp_path) == []
    append_row(tmp_path, row)

    with (tmp_path / "rows.jsonl").open("a") as stream:
        stream.write('{"key": "half of')

    assert [found.key for found in rows_in(tmp_path)] == [row.key]
