"""Define the command line: one file for each topic; each command is a few lines over the library."""

from __future__ import annotations

from typing import Any

import click

from anisweep.cli import plan, study, workflow_steps
from anisweep.cli.bundle import bundle, ingest, unbundle
from anisweep.cli.claims import claims
from anisweep.cli.cluster import CLUSTER_COMMANDS
from anisweep.cli.coarsen import coarsen
from anisweep.cli.compare import compare
from anisweep.cli.decorators import INTERRUPTED
from anisweep.cli.describe import describe, merge
from anisweep.cli.features import features
from anisweep.cli.fit import evaluate, fit
from anisweep.cli.image import image
from anisweep.cli.preflight import preflight
from anisweep.errors import escape_what_is_no_text


class Commands(click.Group):
    """Keep commands in the order in which they are written, and report errors without a traceback."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run the command line with streams that can print any text."""
        escape_what_is_no_text()
        return super().main(*arguments, **options)

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of the commands, in the order in which they are written."""
        return list(self.commands)

    def invoke(self, context: click.Context) -> Any:
        """Run the command; one that Ctrl-C has ended has the status that shells give."""
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            click.echo("Aborted!", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="anisweep")
def main() -> None:
    """Measure and compute AniSOAP descriptors at the scale of a cluster."""


for each in (
    *(study.inspect, study.new, plan.plan, plan.show, plan.verify, plan.prune),
    *(compare, claims, coarsen, describe, fit, evaluate, merge, features),
    *(image, preflight, bundle, unbundle, ingest),
    *CLUSTER_COMMANDS,
    *(workflow_steps.run_pack, workflow_steps.prepare_data),
    *(workflow_steps.tables, workflow_steps.draw, workflow_steps.draw_profile, workflow_steps.report),
):
    main.add_command(each)
