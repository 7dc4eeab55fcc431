"""Find the packs on a cluster that are in the queue, running, or completed but not yet imported."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from anisweep.artifacts.writing import SUFFIX
from anisweep.cell import Pack
from anisweep.config.project import BATCHES, Project
from anisweep.errors import UserError
from anisweep.files import read_bytes

if TYPE_CHECKING:
    from snakemake_executor_plugin_condorsweep.batch import Batch


def pack_file(project: Project, name: str) -> str:
    """Return the place of a pack, relative to the project."""
    return f"results/packs/{name}.json"


def frozen_packs(project: Project, names: Iterable[str]) -> list[Pack]:
    """Return packs as they were written, by their names, without those whose file is gone or damaged."""
    files = (project.root / pack_file(project, name) for name in names)
    return [pack for file in files if (pack := _frozen(file))]


def _frozen(file: Path) -> Pack | None:
    try:
        return Pack.from_json(read_bytes(file))
    except (OSError, ValueError):
        return None


def open_batches(project: Project) -> list[Batch]:
    """Return the submissions that hold packs which have not ended, the oldest first.

    Raises
    ------
    UserError
        when the folder of one is damaged
    """
    if not any((project.root / BATCHES).glob("[!.]*/batch.json")):
        return []

    # Only who has submitted something needs the executor.
    from snakemake_executor_plugin_condorsweep.batch import Batch

    try:
        return list(Batch.open_ones(project.root, BATCHES))
    except ValueError as error:
        raise UserError(
            f"{error}\nAllowed: a folder as the executor wrote it. Its jobs may still run: see `condor_q`."
        ) from error


def outputs_under_way(project: Project) -> list[str]:
    """Return what jobs that have not ended will bring, relative to the project."""
    found = []
    for batch in open_batches(project):
        from snakemake_executor_plugin_condorsweep.ledger import Ledger

        ended = Ledger(batch.ledger).read()
        if not batch.cancelled:
            found += [entry.output for entry in batch.entries if entry.name not in ended]
    return found


def packs_under_way(project: Project) -> list[Pack]:
    """Return the packs of open submissions that have not ended, as they were when they were written.

    Raises
    ------
    UserError
        when the file of one is lost: nobody could say which cells its job measures
    """
    outputs = map(Path, outputs_under_way(project))
    names = [each.name.removesuffix(SUFFIX) for each in outputs if each.name.endswith(SUFFIX)]
    packs = frozen_packs(project, names)
    if len(packs) < len(names):
        lost = sorted({*names} - {pack.name for pack in packs})
        raise UserError(
            f"{pack_file(project, lost[0])}: it is gone, and its job is under way ({len(lost)} such packs).\n"
            "Allowed: the files of all packs that are under way. Put them back, wait until the jobs have "
            "ended (`anisweep status`), or take them back (`anisweep cancel --all`)."
        )
    return packs
