"""Measuring a call: what is counted, what is not, and on which positions; on clocks that the test sets."""

import gc
from dataclasses import replace
from itertools import pairwise

import pytest

from anisweep.cell import Settings
from anisweep.worker import timing
from anisweep.worker.clock import Clock, Silent
from anisweep.worker.timing import measure

SETTINGS = Settings(warmups=2, repetitions=4, minimum_s=0.0)
VARIANTS = ["as they are", "moved once", "moved twice"]


class Mode:
    """A mode that takes the time it is told to take, and remembers how it was called."""

    def __init__(self, monkeypatch, seconds, first=None, cpu=1.0):
        self.now = 0.0
        self.seconds = seconds
        self.first = seconds if first is None else first
        self.calls = []
        self.collecting = []
        monkeypatch.setattr(timing.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(timing.time, "process_time", lambda: cpu * self.now)

    def __call__(self, frames, clock):
        self.now += self.first if not self.calls else self.seconds
        self.calls.append((frames, type(clock)))
        self.collecting.append(gc.isenabled())
        return f"result of {frames}"


def run(mode, settings=SETTINGS, profile=None):
    return measure(mode, VARIANTS, settings, profile)


def test_the_first_call_is_apart_and_gives_the_result(monkeypatch):
    made = run(Mode(monkeypatch, 0.5, first=9.0))

    assert made.first_call_s == 9.0
    assert made.result == "result of as they are"
    assert made.walls_s == [0.5] * 4
    assert made.wall_s == 0.5


def test_warm_ups_are_not_counted(monkeypatch):
    mode = Mode(monkeypatch, 0.5)
    made = run(mode)

    first, warm_ups, repetitions, traced = 1, 2, 4, 1
    assert len(mode.calls) == first + warm_ups + repetitions + traced
    assert len(made.walls_s) == repetitions


@pytest.mark.parametrize(("minimum_s", "loops"), [(0.0, 1), (0.5, 1), (1.0, 2), (10.0, 20)])
def test_fast_calls_are_looped_to_the_shortest_duration(monkeypatch, minimum_s, loops):
    mode = Mode(monkeypatch, 0.5)
    made = run(mode, replace(SETTINGS, minimum_s=minimum_s))

    assert made.loops == loops
    assert made.walls_s == [0.5] * 4, "times are of one call"
    assert len(mode.calls) == 4 + 4 * loops


def test_cpu_time_is_that_of_one_call(monkeypatch):
    made = run(Mode(monkeypatch, 0.5, cpu=2.0), replace(SETTINGS, minimum_s=5.0))

    assert made.cpu_s == 1.0


def test_repetitions_run_without_the_garbage_collector(monkeypatch):
    mode = Mode(monkeypatch, 0.5)
    run(mode)

    assert mode.collecting == [True] * 3 + [False] * 4 + [True]
    assert gc.isenabled()


def test_the_collector_is_switched_on_again_when_a_call_fails(monkeypatch):
    def failing(frames, clock):
        if not gc.isenabled():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(failing)
    assert gc.isenabled()


@pytest.mark.parametrize("loops", [1, 3])
def test_no_call_sees_the_positions_of_the_one_before(monkeypatch, loops):
    """So a mode that keeps its last result does not look fast."""
    mode = Mode(monkeypatch, 0.5)
    run(mode, replace(SETTINGS, minimum_s=0.5 * loops))
    frames = [frames for frames, _ in mode.calls]

    assert all(before != after for before, after in pairwise(frames))
    assert frames.count("as they are") == 2, "the first call, whose result is kept, and the traced one"


def test_only_the_last_call_has_clocks_in_it(monkeypatch):
    mode = Mode(monkeypatch, 0.5)
    made = run(mode)

    assert [clock for _, clock in mode.calls] == [Silent] * 7 + [Clock]
    assert made.traced_wall_s == 0.5


def test_of_short_calls_the_least_disturbed_is_traced(monkeypatch):
    mode = Mode(monkeypatch, 0.01)
    walls = iter([0.03, 0.01, 0.02])

    def disturbed(frames, clock):
        if isinstance(clock, Clock):
            mode.seconds = next(walls)
        return mode(frames, clock)

    made = run(disturbed)
    assert [clock for _, clock in mode.calls][-3:] == [Clock] * 3
    assert made.traced_wall_s == pytest.approx(0.01)


def test_stages_and_counts_are_those_of_the_traced_call():
    def compute(frames, clock):
        with clock.stage("outer"):
            clock.wrap("inner", sum)([1, 2])

    made = run(compute)

    assert made.counts == {"outer": 1, "inner": 1}
    assert set(made.stages_s) == {"outer", "inner"}


def test_a_profile_is_written_on_demand(tmp_path):
    run(lambda frames, clock: sorted(frames), profile=tmp_path / "profiles" / "x.prof")

    assert (tmp_path / "profiles" / "x.prof").stat().st_size > 0
