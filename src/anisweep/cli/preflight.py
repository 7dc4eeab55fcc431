"""Define `anisweep preflight`, which finds everything that would stop a submission."""

from __future__ import annotations

import sys

import click

from anisweep.cli.decorators import plainly
from anisweep.config.project import Project


@click.command()
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@plainly
def preflight(overrides: tuple[str, ...]) -> None:
    """Find what is in the way of a submission, with remedies. Status 1 when something stops it."""
    from anisweep.cluster.jobs import Jobs
    from anisweep.cluster.preflight import as_text, stops
    from anisweep.cluster.preflight import preflight as findings_of
    from anisweep.config.load import load_config, overrides_of
    from anisweep.config.site import CLUSTER
    from anisweep.plan import make_plan
    from anisweep.workflow.sending import sending_of

    given = overrides_of(overrides)
    if "features" in given:
        sending = sending_of(given)
        found = findings_of(sending.jobs, (), sending.shards)
        click.echo(as_text(found, len(sending.shards)))
        sys.exit(1 if stops(found) else 0)

    project = Project.find()
    plan = make_plan(project, *load_config(project, {"site": CLUSTER} | given))
    found = findings_of(Jobs.of(project, plan.packs, plan.model), plan.packs)

    click.echo(as_text(found, len(plan.packs)))
    sys.exit(1 if stops(found) else 0)
