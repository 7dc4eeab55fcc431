"""Define `anisweep plan`, and `show`, `verify` and `prune`, the commands about artifacts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from anisweep.cli.decorators import on_a_screen, plainly
from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.formatting import counted


@click.command()
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option("--retry", is_flag=True, help="Plan cells again that failed or stalled.")
@plainly
def plan(overrides: tuple[str, ...], as_json: bool, retry: bool) -> None:
    """Show what a run would measure, why, and for how long.

    Takes the same KEY=VALUE as snakemake --config.
    """
    from anisweep.config.load import load_config, overrides_of
    from anisweep.config.site import LOCAL, site_of_here
    from anisweep.plan import make_plan
    from anisweep.plan.text import plan_as_json, plan_as_text

    project = Project.find()
    given = overrides_of(overrides) | ({"retry": True} if retry else {})
    if "features" in given:
        _plan_features(project, given, as_json)
        return

    config, sweeps = load_config(project, given)
    site = site_of_here(project)

    if "site" not in given and config.site == LOCAL != site:
        said = f"For the site {site}, since condor/site.yaml is filled in; `site={LOCAL}` is this machine."
        click.echo(said, err=True)
        config, sweeps = load_config(project, {**given, "site": site})

    made = make_plan(project, config, sweeps)
    click.echo(json.dumps(plan_as_json(made), indent=1) if as_json else plan_as_text(made))


def _plan_features(project: Project, given: dict[str, Any], as_json: bool) -> None:
    """Show which shards are to be computed; nothing is imported, and no shard is removed."""
    from anisweep.config.site import site_of_here
    from anisweep.workflow.feature_run import FeatureRun

    run = FeatureRun.look(project, str(given["features"]), str(given.get("site", site_of_here(project))))
    missing = [{"shard": run.plan.shard(key), "frames": job.frames} for key, job in run.plan.missing.items()]
    if as_json:
        click.echo(json.dumps({"shards": len(run.plan.jobs), "to_compute": missing}, indent=1))
        return
    lines = [f"  {each['shard']}  {each['frames']}" for each in missing]
    click.echo(on_a_screen("\n".join([run.opening, *lines])))


@click.command()
@click.argument("what", metavar="ARTIFACT|CELL")
@plainly
def show(what: str) -> None:
    """Show what an artifact holds, or what was measured of a cell (by the start of its key)."""
    from anisweep.artifacts.store import Store
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
        raise UserError(
            f"{what}: no artifact of this name, and no measured cell whose key begins so.\n"
            "`ls results/artifacts` lists the artifacts; `anisweep show ARTIFACT` lists its cells' keys."
        )
    click.echo("\n\n".join(cell_as_text(store, entry, key) for entry, key in found))


@click.command()
@plainly
def verify() -> None:
    """Read every byte of every artifact; status 1 and the names when one is damaged."""
    from anisweep.artifacts.store import Store

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

    click.echo(f"{counted(count, 'artifact')} read, {len(damaged)} damaged, {len(lost)} missing.")
    if damaged or lost:
        click.echo(
            "The next run measures their cells again; the damaged files stay until `anisweep prune --yes`."
        )
        sys.exit(1)


@click.command()
@click.option("--yes", is_flag=True, help="Delete them.")
@plainly
def prune(yes: bool) -> None:
    """List artifacts of which no study's configuration asks for a cell; with --yes delete them."""
    from anisweep.artifacts.store import Store
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
    click.echo(f"{verb} {counted(len(artifacts), 'artifact')}.{remedy}")
