"""Define the options that several commands share: how a file is read, described and computed."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import click

from anisweep.cell import Hypers

DEFAULTS = Hypers()
Command = Callable[..., Any]


def together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return a decorator that gives a command several options, in this order."""
    return lambda command: reduce(lambda made, option: option(made), reversed(options), command)


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

reading = together(
    file_format,
    click.option(
        "--orientations",
        default="c_q",
        show_default=True,
        help="Name of an array, '[names of columns]', or `identity`.",
    ),
    orientation_order,
    click.option(
        "--diameters",
        help="'[3, 3, 1]', the name of an array, or as in a study; without it, c_diameter[1] to [3].",
    ),
    semi_axes,
)

running = together(
    click.option("--shard", default="1/1", help="I/N: compute the I-th of N shares of the frames."),
    click.option(
        "--threads",
        default=1,
        show_default=True,
        help="Number of threads; the result does not depend on it.",
    ),
)

hyperparameters = together(
    click.option(
        "--radial-basis-name", type=click.Choice(["gto", "monomial"]), default=DEFAULTS.radial_basis_name
    ),
    click.option("--max-angular", default=DEFAULTS.max_angular, show_default=True, help="Largest l."),
    click.option("--max-radial", help="Largest n, or one for each l: 3,2,2,1."),
    click.option("--cutoff-radius", default=DEFAULTS.cutoff_radius, show_default=True, help="Angstrom."),
    click.option("--radial-gaussian-width", type=float, help="Angstrom; 1.5 for gto."),
    click.option(
        "--cutoff-smoothing",
        type=float,
        help="Let neighbours fade within this distance of the cutoff, in Angstrom.",
    ),
    click.option(
        "--precision",
        type=click.Choice(["fp64", "fp32"]),
        default="fp64",
        show_default=True,
        help="fp32: up to twice as fast, with relative errors up to 1e-5.",
    ),
    click.option("--subtract-center-contribution", is_flag=True, help="Leave out a particle's own density."),
    click.option(
        "--basis-rcond", default=DEFAULTS.basis_rcond, show_default=True, help="Drop eigenvalues up to this."
    ),
    click.option(
        "--basis-tol",
        default=DEFAULTS.basis_tol,
        show_default=True,
        help="Fail if more than this is dropped.",
    ),
)

labels = together(
    click.option("--energies", help="Name of the energy in headers; without it, energy."),
    click.option("--forces", help="Array, or three columns as fx,fy,fz; without it, forces."),
    click.option("--torques", help="Likewise, in space; without it, torques."),
    click.option("--stresses", help="Name in headers; without it, stress, or virial, of the other sign."),
)
