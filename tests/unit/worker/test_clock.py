"""The clock, on a time that the test sets."""

import pytest

from anisweep.worker import clock as module
from anisweep.worker.clock import Clock, Silent


class Time:
    """Stands in for ``perf_counter``: it moves only when told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def passes(self, seconds):
        self.now += seconds


@pytest.fixture
def time(monkeypatch):
    time = Time()
    monkeypatch.setattr(module, "perf_counter", time)
    return time


def test_inner_stages_take_their_time_from_the_outer_one(time):
    clock = Clock()

    with clock.stage("outer"):
        time.passes(1)
        with clock.stage("inner"):
            time.passes(10)
        time.passes(2)

    time.passes(50)

    with clock.stage("inner"):
        time.passes(20)

    assert clock.seconds == {"outer": 3, "inner": 30}
    assert clock.counts == {"outer": 1, "inner": 2}


def test_a_stage_within_itself_is_not_counted_twice(time):
    clock = Clock()

    with clock.stage("same"):
        time.passes(1)
        with clock.stage("same"):
            time.passes(2)

    assert clock.seconds == {"same": 3}


def test_a_wrapped_function_is_charged_and_returns_its_result(time):
    clock = Clock()

    def work(duration, *, result):
        time.passes(duration)
        return result

    timed = clock.wrap("work", work)

    assert timed(4, result="a") == "a"
    assert timed(5, result="b") == "b"
    assert clock.seconds == {"work": 9}
    assert clock.counts == {"work": 2}


def test_an_exception_closes_the_stages_that_it_leaves(time):
    clock = Clock()

    def fail():
        time.passes(2)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), clock.stage("outer"):
        clock.wrap("inner", fail)()

    time.passes(7)
    with clock.stage("after"):
        time.passes(1)

    assert clock.seconds == {"outer": 0, "inner": 2, "after": 1}


def test_silent_leaves_functions_as_they_are():
    def work():
        return 1

    silent = Silent()

    with silent.stage("outer"), silent.stage("inner"):
        assert silent.wrap("work", work) is work
