"""Collect jobs of one rule that become ready at about the same time into one submission."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from snakemake_executor_plugin_condorsweep.parcel import Parcel
from snakemake_executor_plugin_condorsweep.submit_file import Shape

#: A group is submitted this long after the last job came, while nothing runs that might make more ready.
QUIET_S = 2.0

#: And at the latest this long after the first.
LONGEST_S = 60.0


@dataclass(frozen=True)
class Task:
    """Describe a job of Snakemake on its way to a batch.

    Attributes
    ----------
    again : how often it was made again before, after an output that did not count
    ancient : the inputs whose content does not count
    parcel : what it makes where that is more than one plain file
    """

    job: Any = field(compare=False, repr=False)
    shape: Shape
    output: str
    inputs: tuple[str, ...]
    command: str
    log: str = ""
    again: int = 0
    ancient: frozenset[str] = frozenset()
    parcel: Parcel | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """Return all that the job brings home."""
        return self.parcel.outputs if self.parcel else (self.output,)


@dataclass
class _Group:
    tasks: list[Task]
    first: float
    last: float


class Gathering:
    """Hold tasks that wait for others of their rule and shape."""

    def __init__(self) -> None:
        self._groups: dict[Shape, _Group] = {}

    def __len__(self) -> int:
        """Return the number of tasks that wait."""
        return sum(len(group.tasks) for group in self._groups.values())

    def add(self, task: Task, now: float) -> None:
        """Add a task to those of its shape."""
        group = self._groups.setdefault(task.shape, _Group([], now, now))
        group.tasks.append(task)
        group.last = now

    def due(self, now: float, expected: dict[str, int], busy: bool) -> list[list[Task]]:
        """Take out the groups that go now.

        Parameters
        ----------
        now : seconds, of a clock that never goes back
        expected : by rule, how many more jobs the workflow still has to run
        busy : whether something runs that might make more ready
        """
        gone = []
        for shape, group in list(self._groups.items()):
            if busy:
                group.last = now
            complete = expected.get(shape.rule, 0) == 0
            if complete or now - group.last >= QUIET_S or now - group.first >= LONGEST_S:
                gone.append(self._groups.pop(shape).tasks)
        return gone
