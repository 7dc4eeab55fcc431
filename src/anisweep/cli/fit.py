"""Define `anisweep fit` and `anisweep evaluate`."""

from __future__ import annotations

import json
import shlex
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from anisweep.cli.decorators import plainly
from anisweep.cli.describe import (
    FILE,
    Told,
    check_kernels,
    going_on_later,
    say_what_is_not_in_the_file,
    say_what_was_learned,
)
from anisweep.cli.progress_line import ProgressLine
from anisweep.cli.reading_options import hyperparameters, labels, reading, running
from anisweep.errors import UserError
from anisweep.formatting import counted

if TYPE_CHECKING:
    from anisweep.descriptors.kernels.run import Output
    from anisweep.fitting import FitRequest, LabelErrors, LabelNames

#: Options that say how another one is meant: they are the fit's only where this one is.
MEANT_FOR = {"radii": "diameters", "orientation_order": "orientations"}

#: What each kind of label is, for readers of its name.
MEANING = {
    "energies": "of frames",
    "forces": "minus the derivatives by positions",
    "torques": "in space, minus the derivatives by turns",
    "stresses": "derivatives by strain over the volume",
}


@click.command()
@click.argument("file", type=FILE)
@click.option("-o", "--out", type=FILE, required=True, help="MODEL.json, or PART.npz of a shard.")
@reading
@labels
@click.option("--alpha", default=1e-6, show_default=True, help="Ridge, relative to the largest eigenvalue.")
@click.option(
    "--weight",
    nargs=2,
    multiple=True,
    metavar="KIND NUMBER",
    help="Weigh energies, forces, torques or stresses; 0 leaves them out.",
)
@click.option("--force-fraction", default=1.0, help="Learn from the forces of a part of the particles.")
@click.option("--seed", default=0, help="Of this part.")
@click.option("--unit", default="", help="Unit of energies, for readers of the model.")
@click.option("--pair-features", is_flag=True, help="Take pair features, not the power spectrum.")
@running
@hyperparameters
@plainly
def fit(file: Path, out: Path, threads: int, **given: Any) -> None:
    """Fit a linear model to the energies, forces, torques and stresses in FILE, in closed form.

    All units come from one of energy, with Angstrom and radian. A run that was killed continues when the same
    command is given again.
    """
    from anisweep import fitting

    request = _request(file, given)
    check_kernels()
    say_what_is_not_in_the_file(request.particles)
    _say_what_is_learned(request)
    _say_what_dynamics_refuse(request)

    with going_on_later(file):
        fitted = fitting.fit(request, out, threads, Told())

    if fitted is None:
        click.echo(f"{out} is there already, of the same file and options; nothing to do.", err=True)
        return
    say_what_was_learned(out, fitted)


@click.command()
@click.argument("model", type=FILE)
@click.argument("file", type=FILE)
@click.option("-o", "--out", type=FILE, help="Draw a figure, found against given: OUT.png or OUT.svg.")
@reading
@labels
@click.option("--threads", default=1, show_default=True, help="Number of threads.")
@plainly
def evaluate(model: Path, file: Path, out: Path | None, threads: int, **given: Any) -> None:
    """Compare what MODEL computes with the labels in FILE.

    Orientations, diameters and labels are read as they were for the fit, but for the options that are given.
    """
    from anisweep import fitting
    from anisweep.cli.describe_options import reading_of
    from anisweep.models import load

    if out and out.suffix not in (".png", ".svg"):
        raise UserError(f"{out}: its name ends in {out.suffix!r}. Allowed: .png and .svg.\nChoose another.")

    loaded = load(model, threads)
    given = _as_in_the_fit(model, given)
    request, names = reading_of(file, given), _names(given)
    hypers = replace(request.hypers, cutoff_radius=loaded.projection.cutoff_radius)
    request = replace(request, hypers=hypers)
    check_kernels()
    say_what_is_not_in_the_file(request)
    names.in_file(file, request.file_format)

    shown = ProgressLine()
    with going_on_later(file, goes_on=""):
        errors = fitting.evaluate(
            loaded, request, names, lambda done: shown.show(counted(done, "frame"), finished=False)
        )
    click.echo(_table(errors, loaded.unit))
    if errors[0].kind == "energies" and not any(getattr(loaded, "intercepts", (1,))):
        click.echo("The model learned no energies, so only differences between energies mean something.")
    if out:
        _draw(errors, loaded.unit, out)
        click.echo(f"Wrote {out}.")


def _as_in_the_fit(model: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Return the options, with those of the fit that wrote the model where none is given."""
    from anisweep.models import model_file

    origin = model_file.read(model).get("provenance", {})
    origin = {**origin, **origin.get("labels", {}), "file_format": None}
    source = click.get_current_context().get_parameter_source
    left_out = {name for name in given if source(name) is ParameterSource.DEFAULT}
    taken = dict(given)

    for name in given:
        value = origin.get(name)
        if {name, MEANT_FOR.get(name, name)} <= left_out and value not in (None, given[name]):
            taken[name] = value if isinstance(value, str | bool) else json.dumps(value)
            click.echo(f"As in the fit: {_option(name, taken[name])}.", err=True)
    return taken


def _option(name: str, value: Any) -> str:
    """Return an option as it is given."""
    if isinstance(value, bool):
        return "--semi-axes" if value else "--no-semi-axes"
    return f"--{name.replace('_', '-')} {shlex.quote(value)}"


def _request(file: Path, given: dict[str, Any]) -> FitRequest:
    """Return the options as the library takes them."""
    from anisweep.cli.describe_options import request_of
    from anisweep.fitting import FitRequest
    from anisweep.models import LabelWeights
    from anisweep.models.settings import FitSettings

    weights = {}
    for kind, number in given["weight"]:
        try:
            weights[kind] = float(number)
        except ValueError:
            weights[kind] = -1.0
        if kind not in MEANING or not 0 <= weights[kind] < float("inf"):
            raise UserError(
                f"--weight {kind} {number}: not allowed. Allowed: one of {', '.join(MEANING)}, and a number "
                "from 0 on.\nFor example --weight energies 100."
            )

    features: Output = "pair_features" if given["pair_features"] else "power_spectrum"
    names = ("alpha", "force_fraction", "seed", "unit")
    settings = FitSettings(
        weights=LabelWeights(**weights), features=features, **{name: given[name] for name in names}
    )
    return FitRequest(request_of(file, given), _names(given), settings)


def _names(given: dict[str, Any]) -> LabelNames:
    from anisweep.fitting import LabelNames

    return LabelNames(**{field.name: given[field.name] for field in fields(LabelNames)})


def _say_what_is_learned(request: FitRequest) -> None:
    """Name the labels that were found, with their signs."""
    found = request.names.in_file(request.particles.file, request.particles.file_format)
    meaning = MEANING | (
        {"stresses": "minus the stress times the volume"} if "virial" in found.values() else {}
    )
    weights = request.settings.weights
    said = [f"{kind} `{name}` ({meaning[kind]})" for kind, name in found.items() if getattr(weights, kind)]
    click.echo(f"{request.particles.file}: learns from {', '.join(said)}.", err=True)


def _say_what_dynamics_refuse(request: FitRequest) -> None:
    """Warn of a model that can be evaluated, but not moved with."""
    from anisweep.dynamics.bodies import UNIT_SYSTEMS

    unit = request.settings.unit
    if unit and unit not in UNIT_SYSTEMS:
        click.echo(
            f"Dynamics will not know the unit {unit!r}: they know {', '.join(UNIT_SYSTEMS)}.", err=True
        )
    if not request.particles.cutoff_smoothing:
        click.echo(
            "The cutoff is sharp, so the energy jumps where a neighbour crosses it, and dynamics refuse the "
            "model. For dynamics give --cutoff-smoothing, for example 1.0.",
            err=True,
        )


def _table(errors: list[LabelErrors], unit: str) -> str:
    """Return the errors of each kind, absolute and relative."""
    units = _units(unit)
    lines = [("", "numbers", "RMSE", "of spread", "unit")]
    for each in errors:
        relative = f"{each.rmse / each.spread:.2%}" if each.spread else "-"
        kind = "energy per particle" if each.kind == "energies" else each.kind
        lines.append((kind, f"{len(each.given):,}", f"{each.rmse:.4g}", relative, units[each.kind]))

    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:4], widths[1:4]), line[4]]).rstrip()
        for line in lines
    )


def _units(unit: str) -> dict[str, str]:
    energy = unit or "energy"
    return {
        "energies": energy,
        "forces": f"{energy}/Å",
        "torques": f"{energy}/rad",
        "stresses": f"{energy}/Å³",
    }


def _draw(errors: list[LabelErrors], unit: str, out: Path) -> None:
    try:
        from anisweep.figures._parity import draw
    except ImportError as error:
        raise UserError(
            f"--out {out}: there is no matplotlib here.\nInstall it, or leave --out out."
        ) from error
    draw([(each.kind, each.given, each.found) for each in errors], _units(unit), out)
