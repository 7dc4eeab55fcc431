"""Packs that a cluster still owes: in the queue, running, or come home and not yet taken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from anisweep.artifact import SUFFIX
from anisweep.cell import Pack
from anisweep.config import ConfigError, Project

if TYPE_CHECKING:
    from snakemake_executor_plugin_condorsweep.batch import Batch

#: Where submissions lie, relative to the project.
BATCHES = "results/batches"


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

    files = (project.results / "packs" / f"{name.removesuffix(SUFFIX)}.json" for name in names)
    return [Pack.from_json(file.read_text()) for file in files if file.exists()]
