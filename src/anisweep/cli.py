"""The command line. Each command is a few lines over the library."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import click

from anisweep.cell import Pack
from anisweep.commands.bundle import bundle, ingest
from anisweep.commands.claims import claims
from anisweep.commands.cluster import CLUSTER_COMMANDS
from anisweep.commands.compare import compare
from anisweep.commands.describe import describe, merge
from anisweep.commands.image import image
from anisweep.commands.preflight import preflight
from anisweep.config import ConfigError, Project, load_config, overrides_of
from anisweep.plainly import plainly
from anisweep.store import Store, write_text


class Commands(click.Group):
    """Commands in the order in which they are written, and errors without a traceback."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="anisweep")
def main() -> None:
    """AniSOAP descriptors, measured and computed at the scale of a cluster."""


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--cutoff", default=7.0, show_default=True, help="Cutoff radius in Angstrom.")
@plainly
def inspect(file: Path, cutoff: float) -> None:
    """Say what is in FILE: frames, species, orientations, diameters, pairs, and how long it takes."""
    from anisweep import datasets
    from anisweep.cell import Hypers
    from anisweep.plan import learned_model

    try:
        project = Project.find()
        store = Store(project.artifacts, project.state)
    except ConfigError:
        store = None  # outside a project nothing has been measured

    inspection = datasets.inspect(file, cutoff)
    pairs = inspection.pairs * inspection.frames / inspection.counted
    estimates = learned_model(Path(), store).estimates(pairs, Hypers(cutoff_radius=cutoff))
    click.echo(inspection.render(estimates) + f"\nNext: anisweep new NAME {shlex.quote(str(file))}")


@main.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@plainly
def new(name: str, file: Path) -> None:
    """Write config/studies/NAME.yaml, a commented study of FILE."""
    from anisweep import datasets
    from anisweep.plan import make_plan

    project = Project.find()
    target = project.study_file(name)
    if target.exists():
        raise ConfigError(f"{target} exists. Allowed: a new name. Choose another one, or edit that file.")

    write_text(target, datasets.new_study(name, datasets.inspect(file)))
    click.echo(f"Wrote {target.relative_to(project.root)}.")

    try:
        make_plan(project, *load_config(project, {"study": name}))
    except (ConfigError, datasets.DataError) as error:
        raise ConfigError(f"It cannot run yet:\n{error}") from error
    click.echo(f"Look at it, then: make run STUDY={name}")


@main.command()
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--retry", is_flag=True, help="Ask again for cells that failed or stalled.")
@plainly
def plan(overrides: tuple[str, ...], as_json: bool, retry: bool) -> None:
    """What a run would measure, why, and for how long. Takes the same KEY=VALUE as snakemake --config."""
    from anisweep.plan import make_plan
    from anisweep.plan.text import plan_as_json, plan_as_text

    project = Project.find()
    given = overrides_of(overrides) | ({"retry": True} if retry else {})
    made = make_plan(project, *load_config(project, given))
    click.echo(json.dumps(plan_as_json(made), indent=1) if as_json else plan_as_text(made))


@main.command()
@click.argument("what", metavar="ARTIFACT|CELL")
@plainly
def show(what: str) -> None:
    """What an artifact holds, or what was measured of a cell (by the start of its key)."""
    from anisweep.plan.text import artifact_as_text, cell_as_text

    project = Project.find()
    store = Store(project.artifacts, project.state)
    name = Path(what).name.removesuffix(".tar.gz")
    entries = {entry.name: entry for entry in store.entries()}

    if name in entries:
        click.echo(artifact_as_text(store, entries[name]))
        return

    found = [(entry, key) for entry in entries.values() for key in entry.keys if key.startswith(what)]
    if not found:
        raise ConfigError(
            f"{what}: no artifact of this name, and no measured cell whose key begins so.\n"
            "`ls results/artifacts` lists the artifacts; `anisweep show ARTIFACT` lists its cells' keys."
        )
    click.echo("\n\n".join(cell_as_text(store, entry, key) for entry, key in found))


@main.command()
@plainly
def verify() -> None:
    """Read every byte of every artifact; status 1 and the names when one is damaged."""
    project = Project.find()
    store = Store(project.artifacts, project.state)
    lost = store.lost()
    count = 0
    damaged = []

    for entry in store.verify():
        count += 1
        if not entry.sound:
            damaged.append(entry)

    for entry in damaged:
        click.echo(f"damaged: {entry.damage}")
    for entry in lost:
        click.echo(f"missing: {entry.name}")

    click.echo(f"{count} artifacts read, {len(damaged)} damaged, {len(lost)} missing.")
    if damaged or lost:
        click.echo(
            "The next run measures their cells again; the damaged files stay until `anisweep prune --yes`."
        )
        sys.exit(1)


@main.command()
@click.option("--yes", is_flag=True, help="Delete them.")
@plainly
def prune(yes: bool) -> None:
    """List artifacts of which no study's configuration asks for a cell; with --yes delete them."""
    from anisweep.plan.prune import unwanted

    project = Project.find()
    store = Store(project.artifacts, project.state)
    artifacts = unwanted(project)

    for name, why in artifacts:
        click.echo(f"{store.path(name).relative_to(project.root)}  ({why})")
        if yes:
            store.delete(name)

    verb = "Deleted" if yes else "Would delete"
    remedy = "" if yes or not artifacts else " `anisweep prune --yes` does it."
    click.echo(f"{verb} {len(artifacts)} artifacts.{remedy}")


for each in (compare, claims, describe, merge, image, preflight, bundle, ingest, *CLUSTER_COMMANDS):
    main.add_command(each)


@main.command("run-pack")
@click.argument("pack", type=click.Path(path_type=Path))
@click.argument("artifact", type=click.Path(path_type=Path))
@plainly
def run_pack(pack: Path, artifact: Path) -> None:
    """Measure PACK (a JSON file of the plan) and write ARTIFACT. This is what a job runs."""
    from anisweep.worker import supervise

    try:
        planned = Pack.from_json(pack.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{pack}: {error}. Allowed: a file of results/packs.") from None

    try:
        summary = supervise.run_pack(planned, artifact)
    except supervise.ControllerGone as gone:
        raise click.ClickException(str(gone)) from None

    counts = ", ".join(f"{count} {status}" for status, count in sorted(summary.statuses.items()))
    click.echo(f"{summary.name}: {counts} in {summary.seconds:.0f} s{_time_left()}")


@main.command("prepare-data", hidden=True)
@click.argument("path", type=click.Path(path_type=Path))
@plainly
def prepare_data(path: Path) -> None:
    """Write the data set of a planned cell by its path."""
    from anisweep.run import prepare_dataset

    click.echo(prepare_dataset(Project.find(), path))


@main.command(hidden=True)
@click.argument("step", type=click.Choice(["cells", "journeys", "profiles", "summary", "decision", "legacy"]))
@click.argument("study")
@plainly
def tables(step: str, study: str) -> None:
    """Write the tables of a study: results/STUDY/tables."""
    from anisweep import decision
    from anisweep import tables as written
    from anisweep.studies import study_journeys, study_profiles, study_rows

    project = Project.find()
    folder = project.results / study / "tables"

    if step == "cells":
        rows, sources, missing = study_rows(project, study)
        written.write_cells(rows, sources, folder, missing)
    elif step == "journeys":
        written.write_journeys(study_journeys(project, study), folder)
    elif step == "summary":
        written.write_summary(folder)
    elif step == "decision":
        decision.write(written.read(folder, "summary"), folder / "decision.json")
    elif step == "profiles":
        written.write_profiles(study_profiles(project, study), project.results / study)
    else:
        written.write_legacy_tables(folder)


@main.command(hidden=True)
@click.argument("study")
@click.argument("names", nargs=-1)
@plainly
def draw(study: str, names: tuple[str, ...]) -> None:
    """Draw figures of a study: results/STUDY/figures."""
    import anisweep.figures.profiles as profiles
    from anisweep import figures

    folder = Project.find().results / study
    for name in names:
        if name in figures.names():
            figures.draw_to(name, folder / "tables", folder / "figures" / name)
        else:
            profiles.draw_to(name, folder, folder / "figures" / name)


@main.command(hidden=True)
@click.argument("studies", nargs=-1)
@plainly
def report(studies: tuple[str, ...]) -> None:
    """Write results/report.html with a section for each study."""
    from anisweep import report as page
    from anisweep.studies import study_question

    project = Project.find()
    sections = [page.Study(name, study_question(project, name), project.results / name) for name in studies]
    page.write(sections, project.results / "report.html")


def _time_left() -> str:
    """How much of the run is left, where this is part of one."""
    from anisweep.run import packs_left

    try:
        left = packs_left(Project.find())
    except ConfigError:
        return ""  # a job on another machine
    return f"; {left}" if left else ""
