"""Define `anisweep unbundle` and `anisweep bundle`, for results that travel as one file."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import Any

import click

from anisweep.cli.decorators import plainly
from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.formatting import counted
from anisweep.former_names import warn

SITES = ("chtc", "local")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--site", help="Where an old bundle was measured; without it a .zip is `local`, all else `chtc`."
)
@plainly
def unbundle(files: tuple[Path, ...], site: str | None) -> None:
    """Take in bundles of results: .tgz, .tar, .zip, or single tables.

    Rows of old bundles go to results/tables, flagged with what is unproven about them; logs, traces and
    pictures go to their folders in results. Bundles of `anisweep bundle` bring artifacts and tables back.
    """
    from anisweep.bundles import unbundle as take
    from anisweep.config.sections import checked_name

    project = Project.find()
    useful = True
    if site is not None:
        checked_name(site, "--site")

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
    """Write FILE (.tgz or .zip): artifacts of STUDY, its tables by their old names, logs and figures.

    It is taken in once, in an empty place, to see that its artifacts give the same tables again.
    """
    from anisweep.bundles import unbundle as take
    from anisweep.bundles.write import write
    from anisweep.tables.bundles import note_bundle

    project = Project.find()
    count = write(project, study, file)

    with TemporaryDirectory() as elsewhere:
        outcome = take(Project(Path(elsewhere)), file, site_by_name(file))
    if outcome.taken is None:
        raise UserError(f"{file}: it cannot be taken in.\n{outcome.render()}")
    note_bundle(project.bundle_tables, outcome.taken)

    click.echo(
        f"{file}: {counted(count, 'file')}, {file.stat().st_size / 2**20:.1f} MB. "
        f"`anisweep unbundle {quote(str(file))}` takes it in: "
        f"its artifacts give {outcome.taken.passed} of its {outcome.taken.checked} tables again."
    )
    if outcome.differ:
        click.echo(
            f"  differ: {', '.join(outcome.differ)}. Run the study again, which makes its tables anew."
        )


@click.command(hidden=True, params=unbundle.params)
@click.pass_context
def ingest(context: click.Context, /, **given: Any) -> None:
    """Take in bundles, by the name that this had in the former version."""
    warn("anisweep ingest", "this command", "anisweep unbundle", "Type that.")
    context.invoke(unbundle, **given)


def site_by_name(file: Path) -> str:
    """Guess the site of a bundle by the kind of its file.

    The study brought its own runs as a zip file and those of the cluster as a tar file.
    """
    return "local" if file.suffix == ".zip" else "chtc"
