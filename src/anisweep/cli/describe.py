"""Define `anisweep describe` and `anisweep merge`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anisweep.cli.decorators import plainly
from anisweep.cli.progress_line import ProgressLine
from anisweep.cli.reading_options import hyperparameters, reading, running
from anisweep.errors import UserError
from anisweep.formatting import counted

if TYPE_CHECKING:
    from anisweep.describe import Progress, Request
    from anisweep.descriptors import BadInput
    from anisweep.fitting import Fitted

FILE = click.Path(path_type=Path)

#: What to do when a run ends too early.
GOES_ON = "What is finished is kept: the same command goes on from there."

#: What reads an output in Python, by the ending of its name.
READ_BY = {
    ".npz": "numpy.load({file!r})['values']",
    ".mts": "metatensor.load({file!r})",
}


@click.command()
@click.argument("file", type=FILE)
@click.option("-o", "--out", type=FILE, required=True, help="OUT.npz, or OUT.mts for metatensor.")
@reading
@click.option("--average", is_flag=True, help="Write one row for each frame, the mean over its particles.")
@click.option("--coefficients", is_flag=True, help="Compute expansion coefficients, not the power spectrum.")
@click.option("--pair", nargs=2, multiple=True, help="Write the columns of these two species only.")
@running
@hyperparameters
@plainly
def describe(file: Path, out: Path, threads: int, **given: Any) -> None:
    """Compute the features of the particles in FILE.

    A run that was killed continues when the same command is given again.
    """
    from anisweep.cli.describe_options import request_of
    from anisweep.describe import run

    request = request_of(file, given)
    check_kernels()
    say_what_is_not_in_the_file(request)

    with going_on_later(file):
        shape = run.describe(request, out, threads, Told())

    if shape is None:
        click.echo(f"{out} is there already, of the same file and options; nothing to do.", err=True)
    else:
        say_what_was_written(out, shape)


#: How the name of a model's file ends.
MODEL = ".json"


@click.command()
@click.argument("shards", type=FILE, nargs=-1, required=True, metavar="SHARD...")
@click.option("-o", "--out", type=FILE, required=True, help="OUT.npz, OUT.mts, or MODEL.json.")
@plainly
def merge(shards: tuple[Path, ...], out: Path) -> None:
    """Join the outputs of `anisweep describe --shard`: bit for bit what one run would have written.

    Of `anisweep fit --shard` it makes MODEL.json: always the same bits for the same shards, and up to
    rounding those of one run. Shards of machines with different instruction sets differ in the last digits; a
    warning says so.
    """
    if out.suffix == MODEL:
        from anisweep import fitting

        fitted = fitting.merge(shards, out)
        say_what_was_learned(out, fitted)
        _say_what_differs(fitted.levels, "fit")
        return

    from anisweep.describe import merge as merging

    merged = merging(shards, out)
    say_what_was_written(out, merged.shape)
    _say_what_differs(merged.levels, "describe")


def _say_what_differs(levels: Sequence[str], command: str) -> None:
    """Warn of shards from machines with different instruction sets."""
    from anisweep.descriptors.kernels import loader

    if len(levels) > 1:
        lowest = min(levels, key=loader.LEVELS.index)
        click.echo(
            f"Warning: shards were computed with the instruction sets {', '.join(levels)}, so values may "
            "differ from those of one run in the last digits.\n"
            f"Where that matters {command} all shards again with {loader.VARIABLE}={lowest}.",
            err=True,
        )


@contextmanager
def going_on_later(file: Path, goes_on: str = GOES_ON) -> Iterator[None]:
    """Say of what ends a run that the same command goes on from there, where it does."""
    from anisweep.descriptors.errors import BadInput, NoThreads

    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\n{goes_on}", err=True)
        raise
    except BadInput as refusal:
        raise _of_an_option(refusal) from None
    except (MemoryError, NoThreads) as error:
        came = str(error) or "there is no memory left"
        remedy = "Take fewer --threads, or a machine with more room."
        raise UserError(f"{file}: {came}.\n{remedy} {goes_on}".rstrip()) from error


def say_what_was_written(out: Path, shape: tuple[int, int]) -> None:
    """Name the output, its size, and how to read it."""
    rows, columns = shape
    how = READ_BY[out.suffix].format(file=str(out))
    click.echo(f"Wrote {out}: {counted(rows, 'row')} of {counted(columns, 'feature')}. To read it: {how}")


def say_what_was_learned(out: Path, fitted: Fitted) -> None:
    """Name the model, how large it is, and what it comes from; before it, what is strange about that."""
    if fitted.note:
        click.echo(f"Warning: {fitted.note}.", err=True)
    learned = ", ".join(f"{number:,} {kind}" for kind, number in fitted.labels.items())
    after = (
        f"on frames that it has not learned from: anisweep evaluate {out} OTHER.xyz"
        if out.suffix == MODEL
        else "anisweep merge SHARD... -o MODEL.json"
    )
    click.echo(f"Wrote {out}: {counted(fitted.weights, 'weight')} from {learned}. Next, {after}")


def _of_an_option(refusal: BadInput) -> UserError:
    """Return a refusal of the library in the words of the command line, which has no None."""
    name, colon, words = str(refusal).partition(":")
    words = words.replace("Allowed: None.", "Allowed: nothing, so leave the option out.")
    words = words.replace("or None", "or leave the option out")
    option = f"--{name.replace('_', '-')}" if name.isidentifier() else name
    return UserError(f"{option}{colon}{words}")


def check_kernels() -> None:
    """Refuse to go on without kernels, or at another level than is asked for."""
    from anisweep.descriptors.kernels import loader

    try:
        loader.level()
    except (ImportError, RuntimeError) as error:  # an environment that only submits has no kernels
        raise UserError(f"{error}.") from error


def say_what_is_not_in_the_file(request: Request) -> None:
    """Tell the user what is taken for granted, and where the order of quaternions is a guess."""
    from anisweep.describe import order_to_check, taken_for_granted

    granted = taken_for_granted(request)
    if granted:
        click.echo(f"{request.file}: {granted}.", err=True)

    guessed = order_to_check(request)
    if guessed:
        click.echo(f"{guessed}. To be sure give --orientation-order wxyz or xyzw.", err=True)


class Told(ProgressLine):
    """Show how many frames are described."""

    def __call__(self, progress: Progress) -> None:
        """Show how far the work is."""
        self.show(_line(progress, self.seconds), progress.done == progress.total)


def _line(progress: Progress, seconds: float) -> str:
    """Say how far the work is, and estimate how long it will take."""
    left = seconds / (progress.done - progress.found) * (progress.total - progress.done)
    before = f" ({progress.found:,} by an earlier run)" if progress.found else ""
    return f"{progress.done:,} of {counted(progress.total, 'frame')}{before}, {left:.0f} s left"
