"""`anisweep describe` and `anisweep merge`."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import yaml

from anisweep import features
from anisweep.cell import Hypers
from anisweep.config import ConfigError
from anisweep.descriptors import library
from anisweep.descriptors.arrays import LARGEST
from anisweep.descriptors.errors import NoThreads
from anisweep.features import Progress, Request, Shard
from anisweep.plainly import plainly

DEFAULTS = Hypers()
FILE = click.Path(path_type=Path)

#: What to do when a run ends too early.
GOES_ON = "What is finished is kept: the same command goes on from there."

#: Seconds between two lines of progress where standard error is no terminal.
EVERY = 10.0


@click.command()
@click.argument("file", type=FILE)
@click.option("-o", "--out", type=FILE, required=True, help="OUT.npz, or OUT.mts for metatensor.")
@click.option("--orientations", default="c_q", show_default=True, help="Array, or `identity`.")
@click.option("--diameters", help="As in a study: '[3, 3, 1]', an array's name ...; else in the file.")
@click.option("--average", is_flag=True, help="One row for each frame, the mean over its particles.")
@click.option("--coefficients", is_flag=True, help="Expansion coefficients, not the power spectrum.")
@click.option("--pair", nargs=2, multiple=True, help="Two species of the power spectrum; else all pairs.")
@click.option("--shard", default="1/1", help="I/N: the I-th of N runs that share the frames.")
@click.option(
    "--threads", default=1, show_default=True, help="That compute; the result does not depend on it."
)
@click.option(
    "--radial-basis-name", type=click.Choice(["gto", "monomial"]), default=DEFAULTS.radial_basis_name
)
@click.option("--max-angular", default=DEFAULTS.max_angular, show_default=True, help="Highest l.")
@click.option("--max-radial", help="A number, or one for each l: 3,2,2,1.")
@click.option("--cutoff-radius", default=DEFAULTS.cutoff_radius, show_default=True, help="Angstrom.")
@click.option("--radial-gaussian-width", type=float, help="Angstrom; 1.5 for gto.")
@click.option("--cutoff-smoothing", type=float, help="Fade within so many Angstrom of the cutoff.")
@click.option("--subtract-center-contribution", is_flag=True, help="Leave out a particle's own density.")
@click.option("--basis-rcond", default=DEFAULTS.basis_rcond, show_default=True)
@click.option("--basis-tol", default=DEFAULTS.basis_tol, show_default=True)
@plainly
def describe(file: Path, out: Path, threads: int, **given: Any) -> None:
    """Compute the features of the particles in FILE.

    A run that was killed goes on where it was when it is started again.
    """
    request = _request(file, given)
    _check_kernels()

    try:
        done = features.describe(request, out, threads, Told())
    except KeyboardInterrupt:
        click.echo(f"\n{GOES_ON}", err=True)
        raise
    except (MemoryError, NoThreads) as error:
        came = str(error) or "there is no memory left"
        remedy = "Take fewer --threads, or a machine with more room."
        raise ConfigError(f"{file}: {came}.\n{remedy} {GOES_ON}") from error

    if not done:
        click.echo(f"{out} is there already, of the same file and options; nothing to do.", err=True)


@click.command()
@click.argument("shards", type=FILE, nargs=-1, required=True, metavar="SHARD...")
@click.option("-o", "--out", type=FILE, required=True, help="OUT.npz, or OUT.mts for metatensor.")
@plainly
def merge(shards: tuple[Path, ...], out: Path) -> None:
    """Join the outputs of `anisweep describe --shard`: bit for bit what one run would have written.

    Shards of machines with different instruction sets differ in the last digits; a warning says so.
    """
    levels = features.merge(shards, out)

    if len(levels) > 1:
        lowest = min(levels, key=library.LEVELS.index)
        click.echo(
            f"Warning: shards were computed with the instruction sets {', '.join(levels)}, so values may "
            "differ from those of one run in the last digits.\n"
            f"Where that matters describe all shards again with {library.VARIABLE}={lowest}.",
            err=True,
        )


def _check_kernels() -> None:
    """They are compiled, and at the level that is asked for."""
    try:
        library.level()
    except ImportError as error:  # an environment that only submits has no kernels
        raise ConfigError(f"{error}.\nAllowed: the environment of `make env`, or `pip install .`") from error
    except RuntimeError as error:
        raise ConfigError(f"{error}.") from error


class Told:
    """Progress on standard error: one line that changes, or lines where it is no terminal."""

    def __init__(self) -> None:
        self.started = self.last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        finished = progress.done == progress.total
        terminal = sys.stderr.isatty()

        if terminal or finished or now - self.last > EVERY:
            self.last = now
            line = _line(progress, now - self.started)
            click.echo(f"\r{line:<60}" if terminal else line, err=True, nl=finished or not terminal)


def _line(progress: Progress, seconds: float) -> str:
    """How far, and how long it will take by what it took."""
    left = seconds / (progress.done - progress.found) * (progress.total - progress.done)
    before = f" ({progress.found:,} by an earlier run)" if progress.found else ""
    return f"{progress.done:,} of {progress.total:,} frames{before}, {left:.0f} s left"


def _request(file: Path, given: dict[str, Any]) -> Request:
    """The options as the library takes them."""
    if given["radial_gaussian_width"] is None and given["radial_basis_name"] == "gto":
        given["radial_gaussian_width"] = DEFAULTS.radial_gaussian_width

    given["max_radial"] = _max_radial(given["max_radial"])
    return Request(
        file,
        hypers=Hypers(**{field.name: given[field.name] for field in fields(Hypers)}),
        orientations=given["orientations"],
        diameters=_diameters(given["diameters"]),
        output="coefficients" if given["coefficients"] else "power_spectrum",
        per_centre=not given["average"],
        pairs=given["pair"],
        shard=_shard(given["shard"]),
        cutoff_smoothing=given["cutoff_smoothing"],
    )


def _max_radial(text: str | None) -> int | tuple[int, ...] | None:
    if text is None:
        return None
    if not re.fullmatch(r"\d+(,\d+)*", text):
        raise ConfigError(
            f"--max-radial {text}: not allowed. Allowed: a whole number, or one for each l.\n"
            "For example --max-radial 6 or --max-radial 3,2,2,1."
        )
    numbers = tuple(map(int, text.split(",")))
    return numbers if "," in text else numbers[0]


def _diameters(text: str | None) -> Any:
    """As in the YAML of a study."""
    try:
        given = None if text is None else yaml.safe_load(text)
    except yaml.YAMLError:
        given = False

    if not isinstance(given, (list, dict, str, type(None))):
        raise ConfigError(
            f"--diameters {text}: not allowed. Allowed: lengths, lengths by species, names of arrays.\n"
            "For example --diameters '[3.0, 3.0, 1.0]', --diameters '{C: [3, 3, 1]}', --diameters my_array."
        )

    if given is None or isinstance(given, str) or _are_names(given):
        return given

    groups = given.values() if isinstance(given, dict) else [given]
    if not all(map(_are_lengths, groups)):
        raise ConfigError(
            f"--diameters {text}: not allowed. "
            f"Allowed: three positive lengths in Angstrom below {LARGEST:g}.\n"
            "For example --diameters '[3.0, 3.0, 1.0]', or --diameters '{C: [3, 3, 1], H: [2, 2, 2]}'."
        )
    return given


def _are_names(given: list[Any] | dict[str, Any]) -> bool:
    """Of arrays."""
    return isinstance(given, list) and all(isinstance(name, str) for name in given)


def _are_lengths(given: Any) -> bool:
    """Three, and a particle can have them."""
    try:
        lengths = [float(length) for length in given]
    except (TypeError, ValueError):
        return False
    return len(lengths) == 3 and all(0 < length < LARGEST for length in lengths)


def _shard(text: str) -> Shard:
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ConfigError(
            f"--shard {text}: not allowed. Allowed: I/N with I from 1 to N.\n"
            "For example --shard 1/4, 2/4, 3/4 and 4/4, then anisweep merge."
        )
    return Shard(int(found[1]), int(found[2]))
