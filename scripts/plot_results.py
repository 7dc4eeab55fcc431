#!/usr/bin/env python3
"""Draw scaling_species and util_before_after from old tables into results/figures."""

from pathlib import Path

import click

from anisweep.cli.decorators import plainly


@click.command(help=__doc__)
@click.argument("folder", default="results/tables", type=click.Path(path_type=Path))
@plainly
def main(folder: Path) -> None:
    from anisweep.bundles.old_figures import plot_results

    for line in plot_results(folder, Path("results/figures")):
        click.echo(line)


if __name__ == "__main__":
    main()
