"""Define `anisweep features`: write a first file of features, and what the rules of the workflow run."""

from __future__ import annotations

from pathlib import Path

import click

from anisweep.cli.decorators import on_a_screen, plainly
from anisweep.cli.describe import (
    FILE,
    Told,
    going_on_later,
    say_what_was_learned,
    say_what_was_written,
)
from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.files import write_text


class FaultOfTheData(click.ClickException):
    """Raised in a job whose data are at fault, on whatever machine: HTCondor does not try it again."""

    exit_code = 65


@click.group()
def features() -> None:
    """Describe large files by many jobs, here or on a cluster."""


@features.command()
@click.argument("name")
@click.argument("file", type=FILE)
@plainly
def new(name: str, file: Path) -> None:
    """Write config/features/NAME.yaml, which asks for the features of FILE, with comments."""
    from anisweep.config.sections import checked_name
    from anisweep.features.cutting import check_can_be_cut
    from anisweep.features.feature_file import feature_file, looked_at, new_features

    project = Project.find()
    target = project.features_file(checked_name(name, "NAME"))
    written = target.relative_to(project.root)
    if target.exists() or target.is_symlink():
        raise UserError(f"{written} exists. Allowed: a new name. Choose another one, or edit that file.")
    check_can_be_cut(file)
    inspection, frames = looked_at(file)
    write_text(target, new_features(name, inspection))
    click.echo(f"Wrote {written}.")
    if inspection.frames < frames:
        click.echo(
            f"It was guessed from the first {inspection.frames:,} of {frames:,} frames; species from all."
        )
    feature_file(project, name)
    click.echo(f"Look at it, then: snakemake --profile local features --config features={name}")


@features.command(hidden=True)
@click.argument("name")
@click.argument("site")
@plainly
def split(name: str, site: str) -> None:
    """Write the frames of each shard of NAME that is to be computed into a file of its own."""
    from anisweep.workflow.feature_run import FeatureRun

    run = FeatureRun.read(name, site)
    run.split(run.plan.missing)


@features.command(hidden=True)
@click.argument("job", type=FILE)
@click.argument("piece", type=FILE)
@click.argument("output", type=FILE)
@click.option("--large", default="", help="The URL to which HTCondor takes the shard; OUTPUT is a receipt.")
@plainly
def shard(job: Path, piece: Path, output: Path, large: str) -> None:
    """Compute the shard of JOB from the frames in PIECE. This is what a job runs."""
    from anisweep.datasets.errors import DataError
    from anisweep.features.job import compute, end_with_the_controller
    from anisweep.features.large_output import LARGE, write_receipt

    end_with_the_controller()
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        with going_on_later(piece):
            compute(job, piece, Path(LARGE) if large else output, Told())
    except DataError as error:
        raise FaultOfTheData(on_a_screen(str(error))) from None
    if large:
        write_receipt(Path(LARGE), large, output)
    click.echo(f"{output.stem}: computed")


@features.command(hidden=True)
@click.argument("name")
@click.argument("site")
@click.argument("output", type=FILE)
@plainly
def merge(name: str, site: str, output: Path) -> None:
    """Join the shards of NAME into OUTPUT."""
    from anisweep.features.merging import merge_features, merge_fits
    from anisweep.workflow.feature_run import FeatureRun

    plan = FeatureRun.read(name, site).plan
    if plan.asked.fit:
        say_what_was_learned(output, merge_fits(plan, output))
    else:
        say_what_was_written(output, merge_features(plan, output))
