#!/usr/bin/env python3
"""Draw wall_time_by_system and wall_time_vs_species from combined_from_metrics.csv into results/figures."""

from pathlib import Path

import click

from anisweep.cli.decorators import plainly


@click.command(help=__doc__)
@click.argument("folder", default="results/tables", type=click.Path(path_type=Path))
@plainly
def main(folder: Path) -> None:
    from anisweep.bundles.old_figures import make_plots

    for line in make_plots(folder, Path("results/figures")):
        click.echo(line)


if __name__ == "__main__":
    main()
