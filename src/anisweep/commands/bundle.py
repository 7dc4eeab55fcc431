"""`anisweep ingest` and `anisweep bundle`: results that travel as one file."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from anisweep.config import Project
from anisweep.plainly import plainly

SITES = ("chtc", "local")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--site", help="Where an old bundle was measured; without it a .zip is `local`, all else `chtc`."
)
@plainly
def ingest(files: tuple[Path, ...], site: str | None) -> None:
    """Take in bundles of results: .tgz, .tar, .zip, or single tables.

    Rows of old bundles go to results/tables, flagged with what is unproven about them; logs, traces and
    pictures go to their folders in results. Bundles of `anisweep bundle` bring artifacts and tables back.
    """
    from anisweep.ingest import ingest as take

    project = Project.find()
    useful = True

    for file in files:
        outcome = take(project, file, site or site_by_name(file))
        click.echo(outcome.render())
        useful = useful and outcome.useful

    if not useful:
        sys.exit(1)


@click.command()
@click.argument("study")
@click.argument("file", type=click.Path(path_type=Path))
@plainly
def bundle(study: str, file: Path) -> None:
    """Write FILE (.tgz or .zip): artifacts of STUDY, its tables by their old names, logs and figures."""
    from anisweep.ingest.bundle import write

    count = write(Project.find(), study, file)
    click.echo(
        f"{file}: {count} files, {file.stat().st_size / 2**20:.1f} MB. `anisweep ingest {file}` takes it in."
    )


def site_by_name(file: Path) -> str:
    """The study brought its own runs as a zip file and those of the cluster as a tar file."""
    return "local" if file.suffix == ".zip" else "chtc"
