"""Cells that share a job: of one replicate, device and thread count, long enough and not too long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from anisweep.cell import Cell, Pack, digest
from anisweep.config import Config
from anisweep.plan.cost import CostModel
from anisweep.plan.digests import code_files


def packs_of(
    cells: Iterable[tuple[Cell, str]],
    config: Config,
    model: CostModel,
    packages: dict[str, str],
    taken: set[str],
) -> list[Pack]:
    """Divide cells into packs.

    Replicates never meet in a pack, since they would share a host; nor do devices, thread counts or
    anchors. What remains is merged across data sets up to ``target_minutes`` and split above
    ``max_minutes``.

    Parameters
    ----------
    cells : each with the anchor of its study
    taken : names of packs that exist already, which a replacement may not take
    """
    packs = []

    for anchor, group in _groups(cells):
        for members in _batches(group, anchor, config, model):
            name = _free_name(members, taken)
            taken.add(name)
            packs.append(
                Pack(
                    name=name,
                    cells=tuple(members),
                    anchor=anchor,
                    estimated_s=round(model.cells_s(members, anchor), 1),
                    code_files={mode: code_files(mode) for mode in sorted({cell.mode for cell in members})},
                    packages=packages,
                )
            )

    return packs


def _groups(cells: Iterable[tuple[Cell, str]]) -> Iterator[tuple[str, list[Cell]]]:
    groups = defaultdict(list)

    for cell, anchor in cells:
        groups[anchor, cell.replicate, cell.device, cell.threads].append(cell)

    for (anchor, *_), members in groups.items():
        yield anchor, members


def _batches(cells: list[Cell], anchor: str, config: Config, model: CostModel) -> Iterator[list[Cell]]:
    """Lists of cells, each for one pack."""
    if config.packing == "cell":
        yield from ([cell] for cell in cells)
        return

    by_dataset = defaultdict(list)
    for cell in cells:
        by_dataset[cell.dataset].append(cell)

    batch: list[Cell] = []
    for members in by_dataset.values():
        for part in _split(members, anchor, 60 * config.max_minutes, model):
            if batch and model.cells_s(batch + part, anchor) > 60 * config.target_minutes:
                yield batch
                batch = []
            batch = batch + part

    if batch:
        yield batch


def _split(cells: list[Cell], anchor: str, limit_s: float, model: CostModel) -> Iterator[list[Cell]]:
    """Halves, and halves of halves, until each is short enough or a single cell."""
    if len(cells) == 1 or model.cells_s(cells, anchor) <= limit_s:
        yield cells
        return

    middle = len(cells) // 2
    yield from _split(cells[:middle], anchor, limit_s, model)
    yield from _split(cells[middle:], anchor, limit_s, model)


def _free_name(cells: list[Cell], taken: set[str]) -> str:
    """Data set, replicate and 12 digits of the hash of the keys; a number behind it if that is taken."""
    names = {cell.dataset.name for cell in cells}
    first = names.pop() if len(names) == 1 else "several"
    name = f"{first}-r{cells[0].replicate}-{digest(sorted(cell.key for cell in cells))[:12]}"

    attempt = 2
    free = name
    while free in taken:
        free = f"{name}-{attempt}"
        attempt += 1

    return free
