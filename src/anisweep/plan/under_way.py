"""Packs that a cluster still owes: in the queue, running, or come home and not yet taken."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from anisweep.artifact import SUFFIX
from anisweep.cell import Pack
from anisweep.config import ConfigError, Project

if TYPE_CHECKING:
    from snakemake_executor_plugin_condorsweep.batch import Batch

#: Where submissions lie, relative to the project.
BATCHES = "results/batches"


def pack_file(project: Project, name: str) -> str:
    """Where a pack lies, relative to the project."""
    return f"results/packs/{name}.json"


def frozen_packs(project: Project, names: Iterable[str]) -> list[Pack]:
    """Packs as they were written, by their names; one whose file is gone is left out."""
    files = (project.root / pack_file(project, name) for name in names)
    return [Pack.from_json(file.read_text()) for file in files if file.exists()]


def open_batches(project: Project) -> list[Batch]:
    """Submissions that hold packs which have not ended, the oldest first.

    Raises
    ------
    ConfigError
        when the folder of one is damaged
    """
    if not any((project.root / BATCHES).glob("[!.]*/batch.json")):
        return []

    # Only who has submitted something needs the executor.
    from snakemake_executor_plugin_condorsweep.batch import Batch

    try:
        return list(Batch.open_ones(project.root, BATCHES))
    except ValueError as error:
        raise ConfigError(
            f"{error}\nAllowed: a folder as the executor wrote it. Its jobs may still run: see `condor_q`."
        ) from error


def packs_under_way(project: Project) -> list[Pack]:
    """The packs of open submissions that have not ended, as they were frozen when they were written."""
    names = []
    for batch in open_batches(project):
        from snakemake_executor_plugin_condorsweep.journey import Ledger

        ended = Ledger(batch.ledger).read()
        if not batch.cancelled:
            names += [Path(entry.output).name for entry in batch.entries if entry.name not in ended]

    return frozen_packs(project, (name.removesuffix(SUFFIX) for name in names))
