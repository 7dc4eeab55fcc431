"""Define the commands that rules of the workflow run, one for each step from packs to the report."""

from __future__ import annotations

from pathlib import Path

import click

from anisweep.cell import Pack
from anisweep.cli.decorators import plainly, short_lived
from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.files import read_bytes

PATH = click.Path(path_type=Path)


@click.command("run-pack")
@click.argument("pack", type=PATH)
@click.argument("artifact", type=PATH)
@plainly
def run_pack(pack: Path, artifact: Path) -> None:
    """Measure PACK (a JSON file of the plan) and write ARTIFACT. This is what a job runs."""
    from anisweep.worker import supervise
    from anisweep.worker.controller import ControllerGone

    try:
        planned = Pack.from_json(read_bytes(pack))
    except ValueError as error:
        raise UserError(f"{pack}: {error}. Allowed: a file of results/packs.") from None

    try:
        summary = supervise.run_pack(planned, artifact)
    except ControllerGone as gone:
        raise click.ClickException(str(gone)) from None

    counts = ", ".join(f"{count} {status}" for status, count in sorted(summary.statuses.items()))
    click.echo(f"{summary.name}: {counts} in {summary.seconds:.0f} s{_time_left()}")


@click.command("prepare-data", hidden=True)
@click.argument("path", type=PATH)
@plainly
def prepare_data(path: Path) -> None:
    """Write the data set of a planned cell by its path."""
    from anisweep.workflow.prepare import prepare_dataset

    click.echo(prepare_dataset(Project.find(), path))


@click.group()
def tables() -> None:
    """Write tables of a study; a run does so itself."""


@tables.command(hidden=True)
@click.argument("study")
@click.argument("folder", type=PATH)
@plainly
@short_lived
def cells(study: str, folder: Path) -> None:
    """Write the rows of STUDY, its platforms and what is missing."""
    from anisweep import tables as written
    from anisweep.workflow.studies import study_table

    project = Project.find()
    made, missing = study_table(project, study)
    written.write_grown_cells(made, folder, missing, project.kept_cells(study))


@tables.command()
@click.argument("study")
@plainly
def export(study: str) -> None:
    """Write results/STUDY/tables/cells.csv, however large: above 50 MB a run leaves it out."""
    from anisweep import tables as written
    from anisweep.workflow.studies import measured_tables

    [folder] = measured_tables(Project.find(), [study])
    written.export(folder)
    click.echo(folder / "cells.csv")


@tables.command("job_records", hidden=True)
@click.argument("study")
@click.argument("folder", type=PATH)
@plainly
@short_lived
def job_records(study: str, folder: Path) -> None:
    """Write what clusters did with the packs of STUDY."""
    from anisweep import tables as written
    from anisweep.workflow.studies import study_job_records

    written.write_job_records(study_job_records(Project.find(), study), folder)


@tables.command(hidden=True)
@click.argument("study")
@click.argument("folder", type=PATH)
@click.argument("kept", type=PATH)
@plainly
def profiles(study: str, folder: Path, kept: Path) -> None:
    """Write the hotspots of STUDY, and its profiles into the folder KEPT."""
    from anisweep import tables as written
    from anisweep.workflow.studies import study_profiles

    written.write_profiles(study_profiles(Project.find(), study), folder, kept)


@tables.command(hidden=True)
@click.argument("folder", type=PATH)
@plainly
@short_lived
def summary(folder: Path) -> None:
    """Write the summary of the cells, and the answer that a run ends with."""
    from anisweep import report
    from anisweep import tables as written

    written.write_summary(folder)
    report.write_answer(folder)


@tables.command("conversion", hidden=True)
@click.argument("folder", type=PATH)
@click.argument("file", type=PATH)
@plainly
def judge_conversion(folder: Path, file: Path) -> None:
    """Write FILE: what conversion costs, and whether it or the kernels are slow."""
    from anisweep import tables as written
    from anisweep.analysis import conversion

    conversion.write(written.read(folder, "summary"), file)


@tables.command("old_tables", hidden=True)
@click.argument("folder", type=PATH)
@plainly
@short_lived
def old_tables(folder: Path) -> None:
    """Write the cells as the tables of the earlier study."""
    from anisweep import tables as written

    written.write_old_tables(folder)


@click.command(hidden=True)
@click.argument("tables_folder", type=PATH)
@click.argument("pictures", nargs=-1, type=PATH)
@plainly
@short_lived
def draw(tables_folder: Path, pictures: tuple[Path, ...]) -> None:
    """Draw PICTURES (.svg), each with a .png beside it, from the tables of a study."""
    from anisweep import tables as written
    from anisweep.figures import _drawing

    cells = written.read(tables_folder, "cells", without=written.LISTS)
    summary = written.read(tables_folder, "summary")
    for picture in pictures:
        _drawing.draw(picture.stem, cells, summary, picture.with_suffix(""))


@click.command("draw-profile", hidden=True)
@click.argument("tables_folder", type=PATH)
@click.argument("kept", type=PATH)
@click.argument("picture", type=PATH)
@plainly
def draw_profile(tables_folder: Path, kept: Path, picture: Path) -> None:
    """Draw PICTURE (.svg), with a .png beside it, from the profiles in the folder KEPT."""
    from anisweep.figures import profiles

    profiles.draw_to(picture.stem, tables_folder, kept, picture.with_suffix(""))


@click.command(hidden=True)
@click.argument("page", type=PATH)
@click.argument("claims", type=PATH)
@click.argument("studies", nargs=-1)
@plainly
@short_lived
def report(page: Path, claims: Path, studies: tuple[str, ...]) -> None:
    """Write PAGE, the report, with the CLAIMS as they were judged and a part for each of the STUDIES."""
    from anisweep import report as written
    from anisweep.workflow.studies import study_question

    project = Project.find()
    shown = [
        written.Study(name, study_question(project, name), project.tables(name), project.figures(name))
        for name in studies
    ]
    written.write(shown, page, claims, project.bundle_tables)


def _time_left() -> str:
    """Say how much of the run is left, where this is part of one."""
    from anisweep.workflow.messages import packs_left

    try:
        left = packs_left(Project.find())
    except UserError:
        return ""  # a job on another machine
    return f"; {left}" if left else ""
