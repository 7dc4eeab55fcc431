"""Define the options by which several commands are told how to read a file's arrays."""

from __future__ import annotations

import click

orientation_order = click.option(
    "--orientation-order",
    type=click.Choice(["wxyz", "xyzw"]),
    help="Order of quaternions in FILE; without it the convention that `anisweep inspect` shows.",
)

file_format = click.option(
    "--format",
    "file_format",
    help="Format of FILE, if its ending is misleading: xyz, lammps-dump, lammps-data, gsd, or one of ASE's.",
)

semi_axes = click.option(
    "--semi-axes/--no-semi-axes",
    "radii",
    default=None,
    help="Read lengths as semi-axes, half of diameters; without it, by convention.",
)
