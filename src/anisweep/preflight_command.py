"""`anisweep preflight`: what is in the way of a submission."""

from __future__ import annotations

import sys

import click

from anisweep.config import Project, load_config
from anisweep.overrides import read_overrides
from anisweep.plainly import plainly

#: The profile of this name gives it to a run; here there is no profile.
CLUSTER = {"site": "chtc"}


@click.command()
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@plainly
def preflight(overrides: tuple[str, ...]) -> None:
    """What is in the way of a submission, with remedies. Status 1 when something stops it."""
    from anisweep.jobs import Jobs
    from anisweep.plan import make_plan
    from anisweep.preflight import as_text, stops
    from anisweep.preflight import preflight as findings_of

    project = Project.find()
    plan = make_plan(project, *load_config(project, CLUSTER | read_overrides(overrides)))
    found = findings_of(Jobs.of(project, plan.packs, plan.model), plan.packs)

    click.echo(as_text(found, len(plan.packs)))
    sys.exit(1 if stops(found) else 0)
