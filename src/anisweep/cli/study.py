"""Define `anisweep inspect` and `anisweep new`, which look at a user's file and write a first study of it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anisweep.cli.decorators import plainly
from anisweep.cli.reading_options import file_format, orientation_order, semi_axes
from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.files import write_text

if TYPE_CHECKING:
    from anisweep.datasets.user_files.conventions import Order


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--cutoff", default=7.0, show_default=True, help="Cutoff radius in Angstrom.")
@file_format
@orientation_order
@semi_axes
@plainly
def inspect(
    file: Path, cutoff: float, file_format: str | None, orientation_order: Order | None, radii: bool | None
) -> None:
    """Say what is in FILE: frames, species, orientations, diameters, pairs, and how long it takes."""
    from anisweep import datasets
    from anisweep.artifacts.store import Store
    from anisweep.cell import Hypers
    from anisweep.descriptors import hyperparameters
    from anisweep.plan.state import learned_model

    hyperparameters.length("--cutoff", cutoff)
    try:
        project = Project.find()
        store = Store(project.artifacts, project.state)
    except UserError:
        store = None  # outside a project nothing has been measured

    inspection = datasets.inspect(file, cutoff, file_format, orientation_order, radii)
    pairs = inspection.pairs * inspection.frames / inspection.counted
    estimates = learned_model(Path(), store).estimates(pairs, Hypers(cutoff_radius=cutoff))
    click.echo(inspection.render(estimates))

    given = _reading_options(file_format, orientation_order, radii)
    first = "see to what PROBLEM says, then: " if inspection.problems else ""
    click.echo(f"Next: {first}{shlex.join(['anisweep', 'new', 'NAME', str(file), *given])}")


def _reading_options(
    file_format: str | None, orientation_order: Order | None, radii: bool | None
) -> list[str]:
    """Return the options that say how a file's arrays are meant, as they were given."""
    given = ["--format", file_format] if file_format else []
    given += ["--orientation-order", orientation_order] if orientation_order else []
    return given + ({None: [], True: ["--semi-axes"], False: ["--no-semi-axes"]}[radii])


@click.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@file_format
@orientation_order
@semi_axes
@plainly
def new(
    name: str, file: Path, file_format: str | None, orientation_order: Order | None, radii: bool | None
) -> None:
    """Write config/studies/NAME.yaml, a commented study of FILE."""
    from anisweep import datasets
    from anisweep.config.load import load_config
    from anisweep.config.sections import checked_name
    from anisweep.plan import make_plan

    project = Project.find()
    target = project.study_file(checked_name(name, "NAME"))
    if target.exists() or target.is_symlink():
        raise UserError(f"{target} exists. Allowed: a new name. Choose another one, or edit that file.")

    inspection = datasets.inspect(file, file_format=file_format, order=orientation_order, radii=radii)
    write_text(target, datasets.new_study(name, inspection))
    click.echo(f"Wrote {target.relative_to(project.root)}.")

    try:
        make_plan(project, *load_config(project, {"study": name}))
    except (UserError, datasets.DataError) as error:
        written = target.relative_to(project.root)
        raise UserError(
            f"It cannot run yet:\n{error}\n"
            f"Edit {written}, or mend {file}; then `anisweep plan study={name}` says whether it can run.\n"
            f"To write it anew delete it first: rm {written}"
        ) from error
    click.echo(f"Look at it, then: make run STUDY={name}")
