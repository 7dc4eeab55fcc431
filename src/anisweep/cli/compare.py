"""Define `anisweep compare A B`, which tells if A is faster than B at points that both were measured at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from anisweep.cli.decorators import plainly
from anisweep.config.project import Project
from anisweep.errors import UserError

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@plainly
def compare(a: str, b: str) -> None:
    """Compare A with B: two modes, two sites, two digests of code, or two folders of results."""
    import pandas as pd

    from anisweep import tables
    from anisweep.analysis import compare as compared
    from anisweep.workflow.studies import measured_tables

    if _are_folders(a, b):
        kind: compared.Kind = "folder"
        cells = _of_folders(a, b)
    else:
        project = Project.find()
        cells = tables.all_cells(measured_tables(project))
        everything = _everything(project)
        kind = compared.kind_of(pd.concat([cells, everything]), a, b)
        cells = everything if kind == "code" else cells

    made = compared.compare(cells, kind, a, b)
    if not made:
        raise UserError(
            f"{a} and {b}: no point was measured with both. Allowed: two that share data set, frames, "
            "hyperparameters, output, precision, device and threads.\nMeasure them in one study."
        )
    click.echo(compared.comparison_as_text(made, a, b))


def _are_folders(a: str, b: str) -> bool:
    """Return True if both names are folders that hold tables.

    The folders `local` and `chtc` of a project have the names of sites; they hold no tables.
    """
    both = Path(a).is_dir() and Path(b).is_dir()
    return both and ("/" in a + b or bool(_tables_below(a) or _tables_below(b)))


def _tables_below(folder: str) -> list[Path]:
    return sorted({file.parent for file in Path(folder).glob("**/tables/cells.parquet")})


def _everything(project: Project) -> pd.DataFrame:
    """Return the cells of every sound artifact, also of those that no study asks for any more."""
    from anisweep import tables
    from anisweep.artifacts.store import Store

    store = Store(project.artifacts, project.state)
    entries = [entry for entry in store.entries() if entry.sound]
    rows = [row for entry in entries for row in store.rows(entry.name)]
    nowhere = tables.Platform(host="")
    sources = {
        entry.name: tables.PackSource(f"artifacts/{entry.name}.tar.gz", entry.sha256, nowhere)
        for entry in entries
    }
    return tables.cells_table(rows, sources)


def _of_folders(a: str, b: str) -> pd.DataFrame:
    """Return the cells of two folders of results, or of two studies in them."""
    import pandas as pd

    from anisweep import tables

    read = []
    for folder in (a, b):
        found = _tables_below(folder)
        if not found:
            raise UserError(
                f"{folder}: no tables below it. Allowed: a folder like results/ or results/STUDY, "
                "with tables/cells.parquet in it.\nName such a folder, or make its tables."
            )
        read.append(tables.all_cells(found).assign(folder=folder))

    return pd.concat(read, ignore_index=True)
