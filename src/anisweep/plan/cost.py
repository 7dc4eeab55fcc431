"""Estimate the time of a cell: calls x pairs x cost of a pair, refined by measured rows.

It drives packing, estimates and every time left, so it is meant to be right within a factor of two and
to need no run.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from anisweep import modes
from anisweep.cell import Cell, Hypers
from anisweep.datasets.vacuum import with_vacuum
from anisweep.plan.first_frames import first_frames
from anisweep.row import Row

#: Start of an interpreter with torch and anisoap, before anything is measured.
START_S = 8.0

#: Resident memory of that interpreter.
INTERPRETER_MB = 700

#: Published anisoap on one core, as measured: a fixed part for each pair, and
#: a part for each multiply-add of its dense contraction.
PAIR_US = 80.0
MULTIPLY_ADD_US = 0.0012

#: Stacks are sampled for at least so long.
PROFILE_S = 0.5

#: Calls for the invariances.
CHANGED = 7

#: Two ridge regressions with cross-validation.
LEARNING_S = 1.0

#: A call of a task, until it has been measured.
TASK_S = 0.1

#: The power spectrum on top of the coefficients, until it has been measured.
POWER_SPECTRUM = 1.1


@dataclass
class CostModel:
    """Estimate the seconds and megabytes that cells will take.

    Attributes
    ----------
    per_pair_us : measured cost of a pair, by mode, hypers and output
    pairs : measured number of pairs, by data set, frames, cutoff and self-pairs
    start_s : measured start of an interpreter
    variables : what each mode wants in the environment of its interpreter, read once
    root : of the project, for the files of data sets
    """

    per_pair_us: dict[tuple[str, Hypers, str], float] = field(default_factory=dict)
    pairs: dict[tuple[str, int, float, bool], int] = field(default_factory=dict)
    start_s: float = START_S
    variables: dict[str, dict[str, str]] = field(default_factory=dict)
    root: Path = Path()

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[Row, Hypers]], root: Path) -> CostModel:
        """Learn from rows that were measured, each with its hypers."""
        costs = defaultdict(list)
        starts = []
        model = cls(root=root)

        for row, hypers in rows:
            if row.pairs and row.wall_s:
                costs[row.mode, hypers, row.output].append(1e6 * row.wall_s / row.pairs)
                self_pairs = not hypers.subtract_center_contribution
                model.pairs[row.dataset_digest, row.frames, hypers.cutoff_radius, self_pairs] = row.pairs
            if row.import_s and row.order == 1:
                starts.append(row.import_s)

        model.per_pair_us = {what: median(values) for what, values in costs.items()}
        if starts:
            model.start_s = max(1.0, 1.5 * median(starts))
        return model

    def call_s(self, cell: Cell, mode: str | None = None) -> float:
        """Return the seconds of one call of the cell, by its own mode or another one."""
        mode = mode or cell.mode
        if modes.task_of(mode) and (mode, cell.hypers, cell.output) not in self.per_pair_us:
            return TASK_S
        return 1e-6 * self.cell_pairs(cell) * self.pair_us(mode, cell.hypers, cell.output)

    def cell_s(self, cell: Cell, mode: str | None = None) -> float:
        """Return the seconds of a cell in one process: first call, warm-up, repetitions, trace."""
        call = self.call_s(cell, mode)
        settings = cell.settings
        timed = settings.repetitions * max(call, settings.minimum_s)
        profiled = call + max(call, PROFILE_S) if settings.profile else 0.0
        used = CHANGED * call * settings.invariances + (call + LEARNING_S) * settings.downstream
        if cell.output != "power_spectrum":
            used = modes.seconds_of_results(cell.mode) if modes.task_of(cell.mode) else 0.0
        return min(timed + (2 + settings.warmups) * call + profiled + used, settings.limit_s)

    def cells_s(self, cells: Iterable[Cell], reference: str) -> float:
        """Return the seconds of a pack of these cells: interpreters, references before and after, cells."""
        cells = list(cells)
        problems = {(cell.dataset, cell.hypers, cell.output): cell for cell in cells}
        references = 2 * sum(self.cell_s(cell, reference) for cell in problems.values())
        processes = max((cell.settings.processes for cell in cells), default=1)
        own = {tuple(self.variables_of(cell.mode).items()) for cell in cells} - {()}
        starts = (1 + len(own)) * self.start_s
        alone = sum(self.start_s + self.call_s(cell) for cell in cells if cell.settings.one_off)
        return processes * (starts + references + sum(self.cell_s(cell) for cell in cells) + alone)

    def pair_us(self, mode: str, hypers: Hypers, output: str) -> float:
        """Return the cost of one pair: measured, or that of the published package by its multiply-adds."""
        if (mode, hypers, output) in self.per_pair_us:
            return self.per_pair_us[mode, hypers, output]

        unknown = 1.0 if mode == "numpy_only" else 1.6
        spectrum = POWER_SPECTRUM if output == "power_spectrum" else 1.0
        return unknown * spectrum * (PAIR_US + MULTIPLY_ADD_US * multiply_adds(hypers))

    def cell_pairs(self, cell: Cell) -> float:
        """Return the number of pairs: measured, or estimated from the density of the first frames."""
        self_pairs = not cell.hypers.subtract_center_contribution
        known = (cell.dataset.digest, cell.dataset.frames, cell.hypers.cutoff_radius, self_pairs)

        if known not in self.pairs:
            self.pairs[known] = _estimated_pairs(cell, self.root, self_pairs)
        return self.pairs[known]

    def variables_of(self, mode: str) -> dict[str, str]:
        """Return the environment variables of a mode; with any it has an interpreter of its own."""
        if mode not in self.variables:
            self.variables[mode] = dict(modes.environment(mode))
        return self.variables[mode]

    def estimates(self, pairs: float, hypers: Hypers) -> list[tuple[str, float, float]]:
        """Return mode, seconds of one call and megabytes, for a number of pairs.

        The published package always; other modes once they have been measured with these hypers.
        """
        known = [
            m for m in modes.names() if m == "numpy_only" or (m, hypers, "coefficients") in self.per_pair_us
        ]
        return [
            (mode, 1e-6 * pairs * self.pair_us(mode, hypers, "coefficients"), memory_mb(mode, pairs, hypers))
            for mode in known
        ]


def memory_mb(mode: str, pairs: float, hypers: Hypers) -> float:
    """Return the peak resident memory: the interpreter and, where a mode holds all moments, these twice."""
    degree = max(l + 2 * (count - 1) for l, count in enumerate(hypers.radial_counts))
    held = pairs if mode in ("torch_full", "torch_batched") else 0
    return INTERPRETER_MB + 2 * 8e-6 * held * (degree + 1) ** 3


def multiply_adds(hypers: Hypers) -> int:
    """Return the multiply-adds that upstream's dense einsum does for one pair."""
    counts = hypers.radial_counts
    return sum((2 * l + 1) * n * (l + 2 * n - 1) ** 3 for l, n in enumerate(counts))


def _estimated_pairs(cell: Cell, root: Path, self_pairs: bool) -> int:
    """Return particles x density x volume of the cutoff sphere, from the first frames."""
    frames = with_vacuum(first_frames(cell.dataset, root), cell.hypers.cutoff_radius)
    sphere = 4 / 3 * math.pi * cell.hypers.cutoff_radius**3
    pairs = 0.0

    for frame in frames:
        periodic = bool(frame.pbc.all()) and frame.cell.volume > 0
        others = len(frame) * sphere / frame.cell.volume if periodic else len(frame) - 1
        pairs += len(frame) * (others + self_pairs)

    return round(pairs / len(frames) * cell.dataset.frames)
