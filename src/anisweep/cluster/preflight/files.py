"""Check the files that travel, and the folder that results return to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from anisweep import datasets
from anisweep.cluster.preflight.submission import Finding, Submission
from anisweep.config.site import FILE
from anisweep.errors import message
from anisweep.parsing.storage_url import path_of

#: What HTCondor's file transfer is meant for, at CHTC; an image is fetched in another way.
LARGEST_MB = 1000

#: A data set or a wheel is small beside it.
SMALLEST_ROOM_MB = 100

#: A quota is noticed only by writing.
PROBE_BYTES = 2**20


def inputs_there(submission: Submission) -> Iterator[Finding]:
    """Find inputs that are missing and that no rule makes."""
    generated = {f"data/{name}-{recipe.digest[:12]}.xyz" for name, recipe in datasets.generated().items()}

    for path in _inputs(submission):
        if path not in generated and not (submission.jobs.project.root / path).exists():
            yield Finding(
                f"{path}: this input is not there, and no rule makes it.",
                "`anisweep plan` prepares it from the `file:` that the study names.",
            )


def inputs_small(submission: Submission) -> Iterator[Finding]:
    """Find inputs that are too large for file transfer."""
    for path in _inputs(submission):
        file = submission.jobs.project.root / path
        size = file.stat().st_size / 1e6 if file.exists() else 0

        if size > LARGEST_MB:
            yield Finding(
                f"{path}: {size:,.0f} MB; file transfer takes inputs of up to {LARGEST_MB:,} MB.",
                "Give the study a part of the file (`file:`), for example every tenth frame.",
            )


def outputs_small(submission: Submission) -> Iterator[Finding]:
    """Find out whether what comes back is too large for file transfer, as sums of a wide fit are."""
    largest = max(submission.outgoing, key=lambda each: each.output_mb, default=None)
    most = submission.jobs.site.large_outputs.above_mb
    if largest and largest.output_mb > most:
        yield Finding(
            f"{largest.output}: it will have about {largest.output_mb:,.0f} MB; file transfer takes "
            f"outputs of up to {most:,g} MB.",
            f"Write into {FILE} where jobs may leave it, `large_outputs: {{url: file:///FOLDER}}`, a folder "
            "that they and this machine see. Or ask for fewer features: a smaller max_angular or max_radial, "
            "or for a fit `features: pair_features`.",
        )


def large_outputs_have_a_place(submission: Submission) -> Iterator[Finding]:
    """Find out whether the folder that large outputs go to can be written, and has space for them."""
    needed = sum(each.large_mb for each in submission.outgoing)
    if needed:
        folder = path_of(submission.jobs.large_outputs)
        remedy = f"Make it, or write another folder into {FILE} (`large_outputs: {{url: file:///FOLDER}}`)."
        yield from _takes(folder, needed, f"{folder}: large outputs cannot be stored.", remedy)


def results_take_files(submission: Submission) -> Iterator[Finding]:
    """Find out whether the results' folder can be written and has space for what comes back."""
    folder = submission.jobs.project.results
    needed = max(SMALLEST_ROOM_MB, sum(each.output_mb for each in submission.outgoing))
    yield from _takes(
        folder, needed, f"{folder}: results cannot be stored.", "Or put results/ on a larger disk."
    )


def _takes(folder: Path, needed_mb: float, wrong: str, remedy: str) -> Iterator[Finding]:
    """Find out whether a folder can be written and has so much space."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_probe(folder)
    except OSError as error:
        came, mend = message(error).split("\n", 1)
        yield Finding(f"{wrong} {came}", f"{mend} {remedy}")
        return

    space = os.statvfs(folder)
    free = space.f_bavail * space.f_frsize / 1e6
    if free < needed_mb:
        yield Finding(
            f"{folder}: {free:,.0f} MB are free; outputs and their logs need up to {needed_mb:,.0f} MB.",
            f"Make room (`df -h {folder}` shows where). {remedy}",
        )


def _inputs(submission: Submission) -> list[str]:
    """Return the data sets; whatever else jobs read is written when they go out."""
    return sorted({path for each in submission.outgoing for path in each.inputs if path.startswith("data/")})


def _write_probe(folder: Path) -> None:
    with tempfile.TemporaryFile(prefix=".preflight-", dir=folder) as stream:
        stream.write(os.urandom(PROBE_BYTES))
        stream.flush()
        os.fsync(stream.fileno())
