"""What the benchmark of a GPU keeps when sizes fail or time runs out, and what its page then says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest

torch = pytest.importorskip("torch", reason="no torch")

from anisweep.formatting import time_with_unit  # noqa: E402
from benchmarks import _gpu_journal, _gpu_page, _gpu_timing, _gpu_ways  # noqa: E402
from benchmarks._gpu_journal import Checked, Journal, LeftOut, Timed  # noqa: E402

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("one_thread")

TIMED = Timed("features", "one core", 6, None, 1, 2, 2, 0.1, 1e-3, 1e-3, 1e-3, 0, 0, 0)
MACHINE = {"gpu": "a card", "cpu": "a core", "level": "avx2", "torch": "1", "triton": "2", "cuda": "3"}


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    yield torch.set_num_threads(1)
    torch.set_num_threads(before)


@pytest.fixture
def journal(tmp_path):
    return Journal(MACHINE, monotonic() + 1000, tmp_path / "gpu.json")


def kept(journal):
    return json.loads(journal.path.read_text())


def out_of_memory():
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")


def test_one_size_without_memory_is_named_and_the_next_is_measured(journal):
    assert journal.attempt("a large size", out_of_memory) is None
    assert journal.attempt("a small size", lambda: 1) == 1

    (left,) = kept(journal)["left_out"]
    assert left["what"] == "a large size"
    assert left["why"].startswith("OutOfMemoryError: CUDA out of memory")


def test_what_was_measured_is_on_the_disk_at_once(journal):
    journal.add(TIMED)
    journal.add(Checked("features", 1e-9, 1e-5))

    assert [row["way"] for row in kept(journal)["timed"]] == ["one core"]
    assert [row["error"] for row in kept(journal)["checked"]] == [1e-9]


def test_nothing_is_begun_for_which_no_time_is_left(journal):
    journal.end = monotonic() + 5
    assert journal.attempt("short", lambda: 1, expected_s=1.0) == 1
    assert journal.attempt("long", lambda: 1, expected_s=10.0) is None
    assert journal.left_out == [LeftOut("long", "no time was left")]


def test_a_lost_gpu_is_asked_no_more(journal, monkeypatch):
    monkeypatch.setattr(_gpu_journal, "free", lambda: False)
    journal.attempt("illegal access", out_of_memory)
    assert journal.attempt("the next", lambda: 1) is None
    assert journal.left_out[-1] == LeftOut("the next", "the GPU answers no more")


def test_the_clock_is_read_when_the_gpu_is_done(monkeypatch):
    said = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: said.append("done"))
    _gpu_timing.until_done(lambda: said.append("begun"), "cuda")()
    _gpu_timing.until_done(lambda: said.append("begun"), "cpu")()
    assert said == ["begun", "done", "begun"]


HANGING = """
import time
from benchmarks import gpu
from benchmarks._gpu_journal import RESULT, Journal
journal = Journal({name: name for name in ("gpu", "cpu", "level", "torch", "triton", "cuda")}, 0, RESULT)
with gpu.ended(journal, time.monotonic() + 0.1):
    time.sleep(600)
"""


def test_a_driver_that_hangs_does_not_hold_the_page_up(tmp_path):
    (tmp_path / "docs/reference").mkdir(parents=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", HANGING], cwd=tmp_path, env=environment, check=True, timeout=300)
    assert "it was not over in time" in (tmp_path / _gpu_page.PAGE).read_text()


def test_a_size_waits_for_ten_times_the_seconds_of_the_one_before(journal):
    way, (basis, _) = _gpu_ways.CORE, _gpu_timing.BASES
    case = _gpu_timing.Case("features", way, basis, _gpu_ways.system(1), "cpu")
    seconds = {("features", way, basis): 60.0}

    _gpu_timing.series(journal, case, seconds)
    assert journal.left_out[0].why == "no time was left"
    _gpu_timing.series(journal, case, {})
    assert journal.timed[0].pairs == 2


@pytest.mark.parametrize("pairs", [1, 10, 100, 1_000, 10_000])
def test_systems_have_about_the_pairs_that_are_asked_for(pairs):
    arrays = _gpu_ways.system(pairs)
    found = _gpu_timing.find_pairs(arrays, range(len(arrays.counts)), 7.0, self_pairs=False)
    assert pairs <= len(found.centre) <= 2.1 * pairs + 2


def test_the_last_size_has_a_million_pairs():
    assert len(_gpu_ways.system(_gpu_timing.SIZES[-1]).counts) * _gpu_ways.PAIRS_OF_A_CELL >= 0.99e6


def test_the_page_says_what_was_found(journal, tmp_path):
    fast = replace(TIMED, way="torch fp32", operations=10**9, bytes=10**6, peak_bytes=2**20)
    for row in (TIMED, replace(TIMED, particles=20, pairs=1_780, seconds=1.0), fast):
        journal.add(row)
    journal.add(replace(fast, seconds=0.1, particles=20, pairs=1_780))
    journal.add(Checked("torch fp32, features", 1e-3, 1e-5))
    journal.rates = {"fp32": 4e10, "copy": 1e12}
    journal.leave_out("1,000,000 pairs", "no time was left")
    journal.leave_out("the last", "no time was left")
    (tmp_path / "docs/reference").mkdir(parents=True)

    _gpu_page.take(tmp_path, journal.path)
    page = (tmp_path / _gpu_page.PAGE).read_text()
    assert "a card, beside one core of a core" in page
    assert f"{time_with_unit(0.1)} (10.0 ×)" in page
    assert "`torch fp32`: faster than one core from 1,780 pairs on" in page
    assert "| 1,780 pairs | torch fp32 | 25.0 % | 0.00100 % | 1.00 MiB |" in page
    assert "| torch fp32, features | 0.00100 | 1.0e-05 | **no** |" in page
    assert "- no time was left: 1,000,000 pairs; the last" in page


def test_without_a_measurement_the_page_says_so(tmp_path):
    assert "**Not measured.**" in _gpu_page.contents(tmp_path)
