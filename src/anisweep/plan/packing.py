"""Group cells of one replicate, device and thread count into packs, neither too short nor too long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from anisweep.cell import Cell, Pack, digest
from anisweep.config.sections import Config
from anisweep.plan.cost import CostModel


def packs_of(
    cells: Iterable[tuple[Cell, str]],
    config: Config,
    model: CostModel,
    packages: dict[str, str],
    code_files: dict[str, dict[str, str]],
    taken: set[str],
) -> list[Pack]:
    """Divide cells into packs.

    Replicates never meet in a pack, since they would share a host; nor do devices, thread counts or
    references. What remains is merged across data sets up to ``target_minutes`` and split above
    ``max_minutes``.

    Parameters
    ----------
    cells : each with the reference of its study
    packages : versions of the environment
    code_files : digests of the source files of each mode
    taken : names of packs that exist already, which a replacement may not take
    """
    packs = []

    for reference, group in _groups(cells):
        for members in _batches(group, reference, config, model):
            name = _free_name(members, taken)
            taken.add(name)
            packs.append(
                Pack(
                    name=name,
                    cells=tuple(members),
                    reference=reference,
                    estimated_s=round(model.cells_s(members, reference), 1),
                    code_files={mode: code_files[mode] for mode in sorted({cell.mode for cell in members})},
                    packages=packages,
                )
            )

    return packs


def _groups(cells: Iterable[tuple[Cell, str]]) -> Iterator[tuple[str, list[Cell]]]:
    groups = defaultdict(list)

    for cell, reference in cells:
        groups[reference, cell.replicate, cell.device, cell.threads].append(cell)

    for (reference, *_), members in groups.items():
        yield reference, members


def _batches(cells: list[Cell], reference: str, config: Config, model: CostModel) -> Iterator[list[Cell]]:
    """Yield lists of cells, each for one pack."""
    if config.packing == "cell":
        yield from ([cell] for cell in cells)
        return

    by_dataset = defaultdict(list)
    for cell in cells:
        by_dataset[cell.dataset].append(cell)

    batch: list[Cell] = []
    for members in by_dataset.values():
        for part in _split(members, reference, 60 * config.max_minutes, model):
            if batch and model.cells_s(batch + part, reference) > 60 * config.target_minutes:
                yield batch
                batch = []
            batch = batch + part

    if batch:
        yield batch


def _split(cells: list[Cell], reference: str, limit_s: float, model: CostModel) -> Iterator[list[Cell]]:
    """Yield halves, and halves of halves, until each is short enough or a single cell."""
    if len(cells) == 1 or model.cells_s(cells, reference) <= limit_s:
        yield cells
        return

    middle = len(cells) // 2
    yield from _split(cells[:middle], reference, limit_s, model)
    yield from _split(cells[middle:], reference, limit_s, model)


def _free_name(cells: list[Cell], taken: set[str]) -> str:
    """Join data set, replicate and 12 digits of the hash of the keys; add a number if that is taken."""
    names = {cell.dataset.name for cell in cells}
    first = names.pop() if len(names) == 1 else "several"
    name = f"{first}-r{cells[0].replicate}-{digest(sorted(cell.key for cell in cells))[:12]}"

    attempt = 2
    free = name
    while free in taken:
        free = f"{name}-{attempt}"
        attempt += 1

    return free
