"""`anisweep claims`: every claim with its figure, its range and the verdict."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from anisweep.config import Project
from anisweep.plainly import plainly


@click.command()
@click.argument("studies", nargs=-1)
@click.option("--csv", type=click.Path(path_type=Path, dir_okay=False), help="Write them to FILE instead.")
@plainly
def claims(studies: tuple[str, ...], csv: Path | None) -> None:
    """Judge every claim of config/claims by the tables of all STUDIES, and print the verdicts."""
    from anisweep import claims as judged
    from anisweep import tables
    from anisweep.claims.text import ledger_as_text
    from anisweep.studies import measured_tables, study_tables

    project = Project.find()
    folders = measured_tables(project, studies) if studies else study_tables(project)
    cells = tables.all_cells(folders)
    bundles = tables.read_bundles(project.results / "tables")
    lines = judged.ledger(judged.load_claims(project), cells, bundles)

    if csv:
        judged.write(lines, csv)
        return

    click.echo(ledger_as_text(lines))
    counts = Counter(line.verdict for line in lines)
    click.echo(
        f"\n{len(lines)} claims: " + ", ".join(f"{n} {verdict}" for verdict, n in counts.most_common())
    )
