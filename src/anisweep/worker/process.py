"""Measure the cells of a pack in one new interpreter, in random order, with the reference first and last.

`anisweep.worker.supervise` runs it as ``python -m anisweep.worker.process PACK FOLDER NUMBER ENVIRONMENT``,
in an environment whose threads are pinned already, if they are to be. ENVIRONMENT is JSON: the variables that
some modes need, which are set as well. Where there are any, the cells of these modes alone are measured;
they are compared with the reference of the interpreter without them, which comes first.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from ase import Atoms

from anisweep import modes
from anisweep.cell import NOT_PINNED, Cell, Dataset, Hypers, Pack
from anisweep.datasets.canonical_xyz import read as read_canonical
from anisweep.datasets.pairs import pair_count
from anisweep.datasets.vacuum import with_vacuum
from anisweep.files import write_text
from anisweep.parsing.schema import build
from anisweep.row import Role, Row
from anisweep.worker import host, one_off, threads
from anisweep.worker.clock import Silent
from anisweep.worker.downstream import energies_of, learn
from anisweep.worker.fidelity import Flat, fidelity_of, flatten
from anisweep.worker.invariances import largest_changes
from anisweep.worker.parent import die_with_it
from anisweep.worker.rows import append_row, row_of, rows_in
from anisweep.worker.timing import Timing, measure

#: Positions of the copies of the frames move by this (Angstrom): nothing changes but the bits.
HAIR = 1e-7

Problem = tuple[Any, Hypers, str]


@dataclass
class Bench:
    """Hold what the cells of a process share.

    Attributes
    ----------
    folder : the pack's working folder
    environment : variables of the modes that are measured here
    references : the reference's first result of each problem
    """

    pack: Pack
    folder: Path
    number: int
    environment: dict[str, str]
    host_facts: dict[str, Any]
    load_before: float
    throttled: int
    references: dict[Problem, Flat] = field(default_factory=dict)
    frames: dict[Dataset, list[list[Atoms]]] = field(default_factory=dict)
    pairs: dict[tuple[Dataset, float, bool], int] = field(default_factory=dict)
    order: int = 0


def main() -> None:
    """Measure the cells of one process, as the supervisor has asked on the command line."""
    pack_file, folder, number, environment = sys.argv[1:]
    die_with_it()

    bench = Bench(
        pack=Pack.from_json(Path(pack_file).read_text()),
        folder=Path(folder),
        number=int(number),
        environment=json.loads(environment),
        host_facts=host.facts(),
        load_before=host.load(),
        throttled=host.throttle_count(),
    )
    done = _rows_written(bench)

    for role, cell in _schedule(bench):
        measured_before_it = role != "cell" and bench.environment
        if measured_before_it or (role, _identity(role, cell)) in done:
            _remember_reference(bench, role, cell)
            continue

        _announce(bench, role, cell)
        append_row(bench.folder, _measured(bench, role, cell))

    (bench.folder / "accelerators.json").write_text(json.dumps(host.accelerators()))


def _schedule(bench: Bench) -> Iterator[tuple[Role, Cell]]:
    """Yield the reference of every problem, this environment's cells in random order, the reference again."""
    pack = bench.pack
    problems = {_problem(cell): cell for cell in pack.cells}
    references = [
        replace(cell, mode=pack.reference, precision="fp64", device="cpu") for cell in problems.values()
    ]
    cells = [cell for cell in pack.cells if modes.environment(cell.mode) == bench.environment]
    random.Random(f"{pack.name} {bench.number}").shuffle(cells)

    yield from (("first reference", reference) for reference in references)
    yield from (("cell", cell) for cell in cells)
    yield from (("last reference", reference) for reference in references)


def _measured(bench: Bench, role: Role, cell: Cell) -> Row:
    """Return the row of one cell, whatever happens."""
    row = _row(bench, role, cell)
    started = time.perf_counter()
    blocks = resource.getrusage(resource.RUSAGE_SELF)

    try:
        _measure_into(row, bench, role, cell)
    except modes.Unavailable as reason:
        row.status = "unavailable"
        row.reason = str(reason)
    except Exception as error:
        row.status = "failed"
        row.reason = f"{type(error).__name__}: {error}"
        log = bench.folder / "logs" / f"process-{bench.number}.log"
        with log.open("a") as stream:
            stream.write(f"--- {cell.label}\n{traceback.format_exc()}\n")

    row.seconds = round(time.perf_counter() - started, 3)
    row.load_after = host.load()
    now = resource.getrusage(resource.RUSAGE_SELF)
    row.blocks_in = now.ru_inblock - blocks.ru_inblock
    row.blocks_out = now.ru_oublock - blocks.ru_oublock
    return row


def _measure_into(row: Row, bench: Bench, role: Role, cell: Cell) -> None:
    variants = _variants(bench, cell)
    row.particles = sum(len(frame) for frame in variants[0])
    row.species = len({int(number) for frame in variants[0] for number in frame.numbers})
    row.species_products = sum(_species_products(frame) for frame in variants[0])
    row.pairs = _pairs(bench, cell, variants[0])

    started = time.perf_counter()
    mode = modes.load(cell.mode)
    row.import_s = time.perf_counter() - started
    row.mode_executed = _executed(mode, cell)
    threads.pin_loaded_pools(cell.threads)

    if row.mode_executed != cell.mode:
        raise RuntimeError(f"{row.mode_executed} ran where {cell.mode} was asked for")

    started = time.perf_counter()
    calculator = modes.prepare(cell, variants[0])
    row.prepare_s = time.perf_counter() - started

    profile = bench.folder / "profiles" / f"{cell.key[:16]}-{bench.number}.json"
    wanted = profile if cell.settings.profile and role == "cell" else None
    timing = measure(
        lambda frames, clock: mode.compute(calculator, frames, clock), variants, cell.settings, wanted
    )

    _record_times(row, timing, cell)
    row.warnings = host.noise(timing.walls_s, cell.threads, bench.load_before, bench.throttled)
    row.pools = threads.pools()
    row.status = "ok"
    if role == "cell" and cell.settings.one_off:
        row.one_off_s = one_off.seconds(cell)
    if role == "cell" and modes.task_of(cell.mode):
        row.results = mode.results(calculator, variants[0])
    if role == "cell" and cell.output == "power_spectrum":
        _use(
            row, cell, lambda frames: flatten(mode.compute(calculator, frames, Silent())).values, variants[0]
        )
    _judge(row, bench, role, cell, timing)


def _executed(mode: ModuleType, cell: Cell) -> str:
    """Return the mode whose code runs: the name of the module, and in a task the mode that it was told."""
    module = str(mode.compute.__module__).rpartition(".")[2]
    return f"{module}.{cell.mode.rpartition('.')[2]}" if modes.task_of(cell.mode) else module


def _use(row: Row, cell: Cell, spectrum: Callable[[list[Atoms]], np.ndarray], frames: list[Atoms]) -> None:
    """Record what leaves the power spectrum unchanged and what it is good for, where the study asks."""
    if cell.settings.invariances:
        row.invariances = largest_changes(spectrum, frames)

    if cell.settings.downstream:
        energies = energies_of(frames)
        if energies is None:
            row.warnings.append("nothing to learn: the data carry no energies, or too few frames")
        else:
            row.downstream = learn(spectrum(frames).reshape(len(frames), -1), energies)


def _record_times(row: Row, timing: Timing, cell: Cell) -> None:
    row.first_call_s = timing.first_call_s
    row.walls_s = timing.walls_s
    row.wall_s = timing.wall_s
    row.wall_std_s = float(np.std(timing.walls_s, ddof=1))
    row.cpu_s = timing.cpu_s
    cpus = cell.threads if cell.threads != NOT_PINNED else len(host.affinity()) or os.cpu_count() or 1
    row.cpu_utilisation = timing.cpu_s / (timing.wall_s * cpus)
    row.loops = timing.loops
    row.traced_wall_s = timing.traced_wall_s
    row.stages_s = timing.stages_s
    row.conv_in_s = timing.stages_s.get("conv_in", 0.0)
    row.conv_out_s = timing.stages_s.get("conv_out", 0.0)
    row.unaccounted_s = timing.traced_wall_s - sum(timing.stages_s.values())
    row.counts = timing.counts
    row.peak_memory_mb = timing.peak_memory_mb
    row.resident_mb = timing.resident_mb


def _judge(row: Row, bench: Bench, role: Role, cell: Cell, timing: Timing) -> None:
    """Compare the result with the reference's and the pools with the request; keep the first frames."""
    flat = flatten(timing.result)
    row.features = len(flat.values)
    row.shape = list(timing.result.shape) if isinstance(timing.result, np.ndarray) else [len(flat.values)]
    row.dtype = flat.dtype

    if role == "first reference":
        bench.references[_problem(cell)] = flat
        _save_reference(bench, cell, flat)

    reference = bench.references.get(_problem(cell))
    if reference is None:
        row.warnings.append(
            f"nothing to compare with: the reference {bench.pack.reference} has no result for this."
        )
    elif modes.same_result(cell.mode):
        comparison = fidelity_of(flat, reference, cell)
        row.max_relative_error = comparison.max_relative_error
        row.elementwise = comparison.elementwise
        row.bound = comparison.bound
        if comparison.complaint:
            row.status, row.reason = "wrong", comparison.complaint

    complaint = threads.complaint(row.pools, cell.threads, timing.cpu_s, timing.wall_s)
    if complaint:
        row.status, row.reason = "failed", complaint

    if role == "cell" and bench.number == 0:
        np.save(bench.folder / "descriptors" / f"{cell.key}.npy", flat.first_frames())


def _row(bench: Bench, role: Role, cell: Cell) -> Row:
    """Return the row with all that is known before measuring."""
    bench.order += 1
    row = row_of(bench.pack, role, cell)
    row.process = bench.number
    row.order = bench.order
    row.host = bench.host_facts["host"]
    row.cpu_model = bench.host_facts["cpu_model"]
    row.load_before = bench.load_before
    return row


def _variants(bench: Bench, cell: Cell) -> list[list[Atoms]]:
    """Return the frames and two copies moved by a hair, always in the same order of positions.

    The published package takes no frame that is periodic in one or two directions, so that each mode gets
    slabs and wires in a vacuum that changes nothing within the cutoff.
    """
    dataset = cell.dataset

    if dataset not in bench.frames:  # two cells may take different numbers of frames from one file
        frames = read_canonical(Path(dataset.path), dataset.frames)
        copies = [[_moved(frame, seed) for frame in frames] for seed in (1, 2)]
        bench.frames[dataset] = [frames, *copies]
    return [with_vacuum(frames, cell.hypers.cutoff_radius) for frames in bench.frames[dataset]]


def _moved(frame: Atoms, seed: int) -> Atoms:
    moved = frame.copy()
    moved.positions += HAIR * np.random.default_rng(seed).standard_normal(moved.positions.shape)
    return moved


def _pairs(bench: Bench, cell: Cell, frames: list[Atoms]) -> int:
    self_pairs = not cell.hypers.subtract_center_contribution
    what = (cell.dataset, cell.hypers.cutoff_radius, self_pairs)

    if what not in bench.pairs:
        bench.pairs[what] = pair_count(frames, cell.hypers.cutoff_radius, self_pairs)
    return bench.pairs[what]


def _species_products(frame: Atoms) -> int:
    """Return the sum of N_a N_b over species a <= b."""
    counts = np.unique(frame.numbers, return_counts=True)[1]
    return int(counts.sum() ** 2 + (counts**2).sum()) // 2


def _problem(cell: Cell) -> Problem:
    return cell.dataset, cell.hypers, cell.output


def _identity(role: Role, cell: Cell) -> str:
    if role == "cell":
        return cell.key
    return _problem_in_words(cell.dataset.name, cell.dataset.frames, cell.hypers, cell.output)


def _problem_in_words(dataset: str, frames: int, hypers: Hypers, output: str) -> str:
    return f"{dataset} {frames} {hypers} {output}"


# --- what the supervisor reads ---------------------------------------------------------------------------


def _announce(bench: Bench, role: Role, cell: Cell) -> None:
    """Say what runs now, so that the supervisor can write its row if it never ends."""
    row = _row(bench, role, cell)
    bench.order -= 1
    current = {"identity": _identity(role, cell), "limit_s": cell.settings.limit_s, "row": row.to_plain()}
    write_text(bench.folder / "current.json", json.dumps(current))


def _rows_written(bench: Bench) -> set[tuple[str, str]]:
    """Return what an earlier interpreter of this process finished before it ended early."""
    return {
        (
            row.role,
            row.key or _problem_in_words(row.dataset, row.frames, build(Hypers, row.hypers), row.output),
        )
        for row in rows_in(bench.folder)
        if row.process == bench.number
    }


def _reference_file(bench: Bench, cell: Cell) -> Path:
    problems = list({_problem(c): None for c in bench.pack.cells})
    return bench.folder / f"reference-{bench.number}-{problems.index(_problem(cell))}.npz"


def _save_reference(bench: Bench, cell: Cell, flat: Flat) -> None:
    np.savez(_reference_file(bench, cell), **asdict(flat))


def _remember_reference(bench: Bench, role: Role, cell: Cell) -> None:
    file = _reference_file(bench, cell)

    if role == "first reference" and file.exists():
        with np.load(file) as saved:
            flat = Flat(saved["values"], saved["frame"], str(saved["labels"]), str(saved["dtype"]))
        bench.references[_problem(cell)] = flat


if __name__ == "__main__":
    main()
