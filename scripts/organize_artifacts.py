#!/usr/bin/env python3
"""Take in the study's bundles: organize_artifacts.py --chtc X.tgz --local Y.zip, with either or none."""

import sys
from pathlib import Path

import click

from anisweep.cli.decorators import plainly
from anisweep.config.project import Project

ARCHIVE = click.Path(path_type=Path)


@click.command(help=__doc__)
@click.option("--chtc", type=ARCHIVE, help="Results of the cluster.")
@click.option("--local", type=ARCHIVE, help="Results of this machine.")
@plainly
def main(chtc: Path | None, local: Path | None) -> None:
    from anisweep.bundles import unbundle

    given = {site: file for site, file in (("chtc", chtc), ("local", local)) if file}
    project = Project.find()
    outcomes = [unbundle(project, file, site) for site, file in given.items()]

    for outcome in outcomes:
        click.echo(outcome.render())

    if not given:
        click.echo("Nothing to take in. Give --chtc X.tgz, --local Y.zip, or both.")
    if not all(outcome.useful for outcome in outcomes):
        sys.exit(1)


if __name__ == "__main__":
    main()
