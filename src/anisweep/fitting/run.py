"""Fit a model to a file's labels part by part, so that a killed run continues: ``anisweep fit``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from ase import Atoms

from anisweep.cell import digest
from anisweep.datasets.errors import DataError, Place
from anisweep.datasets.user_files.userfile import read_any
from anisweep.describe.checkpoint import Folder, Part
from anisweep.describe.first_pass import Survey
from anisweep.describe.output import new_file
from anisweep.describe.particles import frame_of
from anisweep.describe.provenance import as_text
from anisweep.describe.run import Progress, check_unchanged, of_another_run
from anisweep.descriptors import BadInput, EllipsoidalDensityProjection
from anisweep.descriptors.frames import runs
from anisweep.descriptors.kernels.run import widths
from anisweep.files import other_than_a_file
from anisweep.fitting import summed_file
from anisweep.fitting.file_labels import checked, net_force
from anisweep.fitting.request import FitRequest
from anisweep.fitting.summed_file import SummedFrames
from anisweep.models import model_file
from anisweep.models.equations import NUMBERS, NormalEquations
from anisweep.models.projections import hyperparameters_of
from anisweep.models.ridge import RidgeModel
from anisweep.models.rows import FitRows, particles_at_a_time

MODEL, SHARD = ".json", ".npz"


@dataclass(frozen=True)
class Fitted:
    """What was written.

    Attributes
    ----------
    labels : numbers of each kind that were learned from
    weights : how many the model has
    note : what is strange about the labels; empty for nothing
    levels : instruction sets of the machines that computed it
    """

    labels: dict[str, int]
    weights: int
    note: str = ""
    levels: tuple[str, ...] = ()


def fit(request: FitRequest, output: Path, threads: int, tell: Callable[[Progress], None]) -> Fitted | None:
    """Fit a model to the labels of a file, or sum what a share of its frames says of it.

    Memory does not grow with the file, beyond a few numbers for each frame. What was done before a kill is
    kept in a hidden folder beside the output until this is whole; not a bit depends on kills.

    Parameters
    ----------
    output : .json for a model; .npz for one of several shares
    threads : exactly so many compute; not a bit depends on it
    tell : is called after each part

    Returns
    -------
    Fitted or None
        None when the output is there already, of the same request.

    Raises
    ------
    DataError
        Naming file, frame and particle, or what else is wrong.
    """
    sharded = request.particles.shard.of > 1 or request.particles.piece is not None
    check_output(output, sharded)
    projection = request.particles.projection(threads)
    origin = request.provenance(Path(__file__))

    folder = Folder(output, digest(origin))
    if output.exists():
        _check_same(output, as_text(origin))
        return None

    file = request.particles.file
    with folder.held():
        survey = folder.survey(request.particles)
        job = FitJob(request, projection, survey, as_text(origin))
        try:
            summed = job.summed(folder, tell)
            check_unchanged(file, origin["sha256"])
            if sharded:
                with new_file(output) as stream:
                    summed_file.write(summed, stream)
                fitted = _what_was_learned(summed)
            else:
                fitted = write_model(summed, output)
        except (DataError, BadInput):
            folder.remove()  # the file has to be mended, and is another one then
            raise
        folder.remove()
    return fitted


def check_output(output: Path, sharded: bool) -> None:
    """Refuse a name under which nothing can be written."""
    ending, what = (SHARD, "what a share of the frames says") if sharded else (MODEL, "a model")
    if output.suffix != ending:
        came = f"its name ends in {output.suffix!r}"
        raise DataError(str(output), came, f"{ending} for {what}", "choose another name")
    if not output.parent.is_dir():
        came = f"there is no folder {output.parent}"
        raise DataError(str(output), came, "a folder that exists", f"mkdir -p {output.parent}")
    if what_is_there := other_than_a_file(output):
        raise DataError(
            str(output), f"there is {what_is_there} of this name", "a new name", "choose another name"
        )


def write_model(summed: SummedFrames, output: Path) -> Fitted:
    """Solve normal equations and write the model, with its provenance.

    Raises
    ------
    BadInput
        When there is nothing to learn from.
    """
    fitted = _what_was_learned(summed)
    origin = json.loads(summed.provenance)
    settings = FitRequest.settings_of(origin)
    if not any(getattr(settings.weights, kind) for kind in fitted.labels):
        raise BadInput("there is nothing to learn from: labels of at least one frame need a weight above 0")

    model = RidgeModel.solving(summed.equations, summed.projection(), summed.species, settings)
    model_file.write(output, {**model.content(), "provenance": origin})
    return replace(fitted, levels=tuple(origin["levels"]))


def _what_was_learned(summed: SummedFrames) -> Fitted:
    rows = {kind: problem.rows // NUMBERS[kind] for kind, problem in summed.equations.kinds.items()}
    labels = {kind: count for kind, count in rows.items() if count}
    return Fitted(labels, summed.equations.features, summed.note)


def _check_same(output: Path, origin: str) -> None:
    """Refuse an output that is there already and is not what is asked for."""
    if output.suffix == MODEL:
        there = as_text(model_file.read(output).get("provenance", {}))
    else:
        there = summed_file.read(output).provenance
    if there != origin:
        raise of_another_run(output)


@dataclass(frozen=True)
class FitJob:
    """Hold a request with what is known of its file."""

    request: FitRequest
    projection: EllipsoidalDensityProjection
    survey: Survey
    origin: str

    def summed(self, folder: Folder, tell: Callable[[Progress], None]) -> SummedFrames:
        """Return what all frames of the share say, from where an earlier run was killed."""
        parts = self._parts()
        done = next((part for part in reversed(parts) if folder.has(part)), None)
        if done:
            summed = summed_file.read(folder.file(done))
        else:
            hyperparameters = json.dumps(hyperparameters_of(self.projection))
            equations = NormalEquations(len(self.survey.species), self._features)
            summed = SummedFrames(self.origin, hyperparameters, self.survey.species, equations)

        first, total = parts[0].first, parts[-1].end - parts[0].first
        found = done.end - first if done else 0
        frames = self._read(first + found, parts[-1].end)
        for part in parts[parts.index(done) + 1 if done else 0 :]:
            equations, note = self._equations(part, frames)
            summed.equations.join(equations)
            summed = replace(summed, note=summed.note or note)
            with folder.writing(part) as stream:
                summed_file.write(summed, stream)
            if done:
                folder.drop(done)
            done = part
            tell(Progress(found, part.end - first, total))
        return summed

    @property
    def _features(self) -> int:
        counts = self.projection.tables.radial.counts
        return sum(widths(counts, len(self.survey.species), self.request.settings.features))

    def _parts(self) -> list[Part]:
        """Return the parts of the share's frames, each a block of rows."""
        shard, counts = self.request.particles.shard, self.survey.counts
        first, end = shard.frames(len(counts))
        if first == end:
            came = f"shard {shard.number}/{shard.of} of {len(counts)} frames is empty"
            raise DataError(
                str(self.request.particles.file), came, "at least one frame in each", "make fewer shards"
            )
        at_a_time = particles_at_a_time(self._features)
        return [Part(first + a, first + b, 0) for a, b in runs(counts[first:end], at_a_time)]

    def _read(self, first: int, end: int) -> Iterator[tuple[Atoms, Place]]:
        request = self.request.particles
        for number, read in enumerate(read_any(request.file, first, end, request.file_format), start=first):
            yield read, Place(str(request.file), number)

    def _equations(self, part: Part, frames: Iterator[tuple[Atoms, Place]]) -> tuple[NormalEquations, str]:
        """Return what the frames of a part say, and what is strange about them."""
        request = self.request
        mine = list(islice(frames, part.end - part.first))
        particles = [frame_of(request.particles, *each) for each in mine]
        piece = request.particles.piece
        arrays = self.projection.gather(particles, part.first + (piece.frames if piece else 0))

        in_this_file = replace(arrays, first=part.first)
        labels = checked(request.particles.file, in_this_file, [request.names.read(*each) for each in mine])
        note = net_force(labels, arrays)
        before = int(np.sum(self.survey.counts[: part.first]))
        before += piece.particles if piece else 0
        labels = request.settings.wanted(labels, arrays, before)
        rows = FitRows(self.projection, arrays, self.survey.species, labels, request.settings.features)
        return rows.equations(), note
