"""Compute a file's features part by part, so that a killed run continues: ``anisweep describe``."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from ase import Atoms

from anisweep.cell import digest
from anisweep.datasets import DataError
from anisweep.datasets.species import number_among
from anisweep.datasets.user_files.userfile import content_digest
from anisweep.describe import format_npz
from anisweep.describe.checkpoint import Folder, Part, divide
from anisweep.describe.content import Features, joined
from anisweep.describe.first_pass import Survey
from anisweep.describe.output import new_file, writer
from anisweep.describe.particles import particles
from anisweep.describe.provenance import as_text, provenance
from anisweep.describe.request import Request
from anisweep.descriptors import BadInput, EllipsoidalDensityProjection
from anisweep.descriptors.arrays import LARGEST
from anisweep.descriptors.feature_labels import feature_columns, of_pairs
from anisweep.formatting import counted

#: Frames that descriptors can be computed of.
POSSIBLE = (
    f"finite numbers, lengths below {LARGEST:g} Angstrom, positive diameters, and a cell with a volume "
    "where it is periodic"
)


@dataclass(frozen=True)
class Progress:
    """Say how many frames are done; an earlier run may have done the ``found`` ones."""

    found: int
    done: int
    total: int


def describe(
    request: Request, output: Path, threads: int, tell: Callable[[Progress], None]
) -> tuple[int, int] | None:
    """Compute the features of a file and write them.

    Memory does not grow with the file, beyond a few numbers for each row. What was done before a kill is
    kept in a hidden folder beside the output until this is whole.

    Parameters
    ----------
    output : .npz or .mts
    threads : exactly so many compute; not a bit of the output depends on it
    tell : is called after each part

    Returns
    -------
    tuple of two int, or None
        How many rows and columns were written; None when the output is there already, of the same request.

    Raises
    ------
    DataError
        Naming file, frame, particle and array, or what else is wrong.
    """
    write = writer(output)
    _check_mergeable(request, output)
    projection = request.projection(threads)
    origin = provenance(request, Path(__file__))

    folder = Folder(output, digest(origin))
    if output.exists():
        _check_same(output, as_text(origin))
        return None

    with folder.held():
        job = Job.of(request, projection, folder.survey(request))
        missing = [part for part in job.parts if not folder.has(part)]
        _check_room(job, missing, folder.path)
        try:
            _compute(job, missing, folder, tell)
            check_unchanged(request.file, origin["sha256"])
        except DataError:
            folder.remove()  # the file has to be mended, and is another one then
            raise

        features = joined([format_npz.read(folder.file(part)) for part in job.parts], as_text(origin))
        with new_file(output) as stream:
            write(features, stream)
        folder.remove()
    return features.shape


@dataclass(frozen=True)
class Job:
    """Hold a request with what is known of its file.

    Attributes
    ----------
    columns : of the output
    chosen : (all columns,) which of those that are computed are written
    parts : of its shard
    """

    request: Request
    projection: EllipsoidalDensityProjection
    survey: Survey
    columns: np.ndarray
    chosen: np.ndarray
    parts: list[Part]

    @classmethod
    def of(cls, request: Request, projection: EllipsoidalDensityProjection, survey: Survey) -> Job:
        """Return the job of a request, with the size of its output."""
        if not len(survey.counts):
            raise DataError(str(request.file), "it has no frames", "at least one", "name the right file")

        every = feature_columns(request.output, projection.num_ns, survey.species)
        chosen = np.ones(len(every), dtype=bool)
        if request.pairs:
            chosen = of_pairs(every, [_numbers(request.file, pair, survey) for pair in request.pairs])

        count, shard = len(survey.counts), request.shard
        first, end = shard.frames(count)
        if first == end:
            came = f"shard {shard.number}/{shard.of} of {counted(count, 'frame')} is empty"
            raise DataError(str(request.file), came, "at least one frame in each", "make fewer shards")

        columns = every[chosen]
        parts = divide(survey.counts, first, end, request.per_centre, len(columns))
        return cls(request, projection, survey, columns, chosen, parts)

    def bytes(self, parts: list[Part]) -> int:
        """Return the size in bytes of the values of some parts."""
        return 8 * len(self.columns) * sum(part.rows for part in parts)


def _compute(job: Job, missing: list[Part], folder: Folder, tell: Callable[[Progress], None]) -> None:
    """Compute the parts that are not there yet."""
    if not missing:
        return

    first, end = missing[0].first, job.parts[-1].end
    total = end - job.parts[0].first
    found = done = total - sum(part.end - part.first for part in missing)
    frames = particles(job.request, first, end)

    for part in job.parts[job.parts.index(missing[0]) :]:
        mine = list(islice(frames, part.end - part.first))
        if part in missing:
            with folder.writing(part) as stream:
                format_npz.write(_features(job, part, mine), stream)
            done += len(mine)
            tell(Progress(found, done, total))


def _features(job: Job, part: Part, frames: list[Atoms]) -> Features:
    request = job.request

    try:
        features = job.projection.describe(
            frames, request.output, request.per_centre, job.survey.species.tolist(), part.first
        )
    except BadInput as error:
        where, _, came = str(error).partition(": ")
        raise DataError(f"{request.file}, {where}", came, POSSIBLE, "mend or remove this frame") from error

    values = features.values if job.chosen.all() else features.values[:, job.chosen]
    return Features(
        "{}",
        job.columns,
        features.neighbours,
        job.survey.names,
        features.frame,
        features.centre,
        features.species,
        values=lambda: iter([values]),
    )


def _numbers(file: Path, pair: tuple[str, str], survey: Survey) -> tuple[int, int]:
    """Return the numbers of two species, and refuse those that the file does not have."""
    names = dict(zip(survey.species.tolist(), survey.names.tolist(), strict=True))
    found = []

    for name in pair:
        number = number_among(names, name)
        if number is None:
            came, allowed = f"the file has no {name}", ", ".join(names.values())
            remedy = "leave this pair out, or name two of them as the file writes them"
            raise DataError(f"{file}, --pair {' '.join(pair)}", came, allowed, remedy)
        found.append(number)

    return found[0], found[1]


def _check_mergeable(request: Request, output: Path) -> None:
    """Refuse to write a shard as .mts: shards are joined from .npz."""
    if output.suffix == ".mts" and request.shard.of > 1:
        remedy = f"name it {output.with_suffix('.npz')}; `anisweep merge` of all shards writes .mts too"
        raise DataError(str(output), "it is to hold one of several shards", "shards in .npz", remedy)


def _check_same(output: Path, origin: str) -> None:
    """Refuse an output that is there already and is not what is asked for."""
    if format_npz.provenance_of(output) != origin:
        raise of_another_run(output)


def of_another_run(output: Path) -> DataError:
    """Return the error about an output that is there already and is not what is asked for."""
    came = "it is there already, of another file, other options, versions, code or instruction set"
    return DataError(str(output), came, "a new name", "choose one, or remove the file")


def check_unchanged(file: Path, before: str) -> None:
    """Refuse a file that has changed between the first pass and the last frame."""
    if content_digest(file) != before:
        came = "it changed while it was read"
        raise DataError(str(file), came, "a file that stays as it is", "take a copy of it")


def _check_room(job: Job, missing: list[Part], folder: Path) -> None:
    """Refuse to start where the disk has no room.

    The parts, of which some may be there, and the output lie side by side for a moment.
    """
    needed, free = job.bytes(job.parts) + job.bytes(missing), shutil.disk_usage(folder).free
    if needed > free:
        came = f"{needed / 1e6:,.1f} MB are needed, and {free / 1e6:,.1f} MB are free"
        remedy = "make room there, average over frames, or divide the work with --shard"
        raise DataError(
            str(folder.parent), came, "room for the output, and for what is missing of it", remedy
        )
