"""Packs that a cluster still owes: in the queue, running, or come home and not yet taken."""

from __future__ import annotations

from pathlib import Path

from anisweep.artifact import SUFFIX
from anisweep.cell import Pack
from anisweep.config import Project

#: Where submissions lie, relative to the project.
BATCHES = "results/batches"


def packs_under_way(project: Project) -> list[Pack]:
    """The packs of open submissions that have not ended, as they were frozen when they were written."""
    if not any((project.root / BATCHES).glob("[!.]*/batch.json")):
        return []

    # Only who has submitted something needs the executor.
    from snakemake_executor_plugin_condorsweep.batch import Batch
    from snakemake_executor_plugin_condorsweep.journey import Ledger

    names = []
    for batch in Batch.open_ones(project.root, BATCHES):
        if not batch.cancelled:
            ended = Ledger(batch.ledger).read()
            names += [Path(entry.output).name for entry in batch.entries if entry.name not in ended]

    files = (project.results / "packs" / f"{name.removesuffix(SUFFIX)}.json" for name in names)
    return [Pack.from_json(file.read_text()) for file in files if file.exists()]
