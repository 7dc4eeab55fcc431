"""`anisweep preflight`: what is in the way of a submission."""

from __future__ import annotations

import sys

import click

from anisweep.config import Project, load_config, overrides_of
from anisweep.plainly import plainly

#: What the profile of this name gives to a run.
CLUSTER = {"site": "chtc"}


@click.command()
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@plainly
def preflight(overrides: tuple[str, ...]) -> None:
    """What is in the way of a submission, with remedies. Status 1 when something stops it."""
    from anisweep.cluster.jobs import Jobs
    from anisweep.plan import make_plan
    from anisweep.preflight import as_text, stops
    from anisweep.preflight import preflight as findings_of

    project = Project.find()
    plan = make_plan(project, *load_config(project, CLUSTER | overrides_of(overrides)))
    found = findings_of(Jobs.of(project, plan.packs, plan.model), plan.packs)

    click.echo(as_text(found, len(plan.packs)))
    sys.exit(1 if stops(found) else 0)
