"""When a group goes out."""

from __future__ import annotations

from dataclasses import replace

from fakes import SHAPE

from snakemake_executor_plugin_condorsweep.gathering import LONGEST_S, QUIET_S, Gathering, Task


def task(number: int, **shape: int) -> Task:
    return Task(None, replace(SHAPE, **shape), f"{number}.txt", (), "true")


def test_goes_when_all_have_come() -> None:
    gathering = Gathering()
    gathering.add(task(1), 0.0)

    assert gathering.due(0.1, {"make": 1}, busy=False) == []
    gathering.add(task(2), 0.2)
    assert gathering.due(0.2, {"make": 0}, busy=False) == [[task(1), task(2)]]
    assert gathering.due(9.0, {"make": 0}, busy=False) == []


def test_goes_when_no_more_come() -> None:
    gathering = Gathering()
    gathering.add(task(1), 0.0)
    gathering.add(task(2), 1.9)

    assert gathering.due(1.9 + QUIET_S - 0.1, {"make": 5}, busy=False) == []
    assert len(gathering.due(1.9 + QUIET_S, {"make": 5}, busy=False)) == 1


def test_waits_while_more_are_being_made_but_not_for_ever() -> None:
    gathering = Gathering()
    gathering.add(task(1), 0.0)

    for second in range(int(LONGEST_S)):
        assert gathering.due(float(second), {"make": 5}, busy=True) == []
    assert len(gathering.due(LONGEST_S, {"make": 5}, busy=True)) == 1


def test_other_shapes_go_apart() -> None:
    gathering = Gathering()
    gathering.add(task(1), 0.0)
    gathering.add(task(2, cpus=4), 0.0)

    assert gathering.due(0.0, {}, busy=False) == [[task(1)], [task(2, cpus=4)]]
