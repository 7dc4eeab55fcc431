"""Define `anisweep claims`, which prints every claim with its figure, its range and the verdict."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from anisweep.cli.decorators import plainly, short_lived
from anisweep.config.project import Project
from anisweep.formatting import counted


@click.command()
@click.argument("studies", nargs=-1)
@click.option("--csv", type=click.Path(path_type=Path, dir_okay=False), help="Write them to FILE instead.")
@plainly
@short_lived
def claims(studies: tuple[str, ...], csv: Path | None) -> None:
    """Judge every claim of config/claims by the tables of all STUDIES, and print the verdicts."""
    from anisweep import tables
    from anisweep.analysis.claims import write
    from anisweep.analysis.claims.claim import load_claims
    from anisweep.analysis.claims.judging import ledger
    from anisweep.analysis.claims.text import ledger_as_text
    from anisweep.workflow.studies import measured_tables, study_tables

    project = Project.find()
    folders = measured_tables(project, studies) if studies else study_tables(project)
    cells = tables.all_cells(folders)
    bundles = tables.read_bundles(project.bundle_tables)
    lines = ledger(load_claims(project), cells, bundles)

    if csv:
        write(lines, csv)
        return

    click.echo(ledger_as_text(lines))
    counts = Counter(line.verdict for line in lines)
    click.echo(
        f"\n{counted(len(lines), 'claim')}: "
        + ", ".join(f"{n} {verdict}" for verdict, n in counts.most_common())
    )
