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
    from anisweep.workflow.feature_run import FeatureRun

    project, given = Project.find(), overrides_of(overrides)
    if "features" in given:
        shards = FeatureRun.look(project, str(given["features"]), CLUSTER)
        assert shards.jobs is not None
        jobs, outgoing = shards.jobs, [*map(shards.outgoing, shards.to_send)]
    else:
        plan = make_plan(project, *load_config(project, {"site": CLUSTER} | given))
        jobs = Jobs.of(project, plan.packs, plan.model)
        outgoing = [*map(jobs.outgoing, plan.packs)]

    found = findings_of(jobs, outgoing)
    click.echo(as_text(found, len(outgoing)))
    sys.exit(1 if stops(found) else 0)
