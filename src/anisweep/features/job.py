"""Define what a user asks for, in ``config/features/NAME.yaml``, and compute a part of it in a job."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import psutil

from anisweep import describe, fitting
from anisweep.cell import Hypers, Output
from anisweep.datasets.errors import DataError
from anisweep.datasets.user_files.conventions import Order
from anisweep.describe import Progress
from anisweep.describe.request import Piece, Request
from anisweep.descriptors.kernels import loader
from anisweep.descriptors.kernels.run import Output as Computed
from anisweep.descriptors.kernels.run import widths
from anisweep.errors import UserError
from anisweep.features.cutting import Cut, FilePart, check_piece
from anisweep.features.places import in_the_users_file
from anisweep.files import read_bytes
from anisweep.fitting import FitRequest, LabelNames
from anisweep.models.settings import FitSettings
from anisweep.parsing.json_text import read_json
from anisweep.parsing.schema import Above, build
from anisweep.worker.controller import ControllerGone, controller_of_this, has_ended

#: A shard lasts no longer than jobs may.
LONGEST_MINUTES = 3 * 24 * 60

#: What OpenBLAS calls the processors of each instruction set: of its sums a fit is made.
CORE_TYPES = {"portable": "Nehalem", "avx2": "Haswell", "avx512": "SkylakeX"}


@dataclass(frozen=True)
class FeatureFile:
    """Say what is wanted, as `Request` does, of one or several files, and how it is divided.

    A shard takes about ``target_minutes``. All are computed in one ``instruction_set``, so that no machine
    decides about bits. With ``fit`` a model is written in place of features.
    """

    file: str | tuple[str, ...]
    output: str
    target_minutes: Annotated[float, Above(0, LONGEST_MINUTES)] = 10.0
    instruction_set: Literal["portable", "avx2", "avx512"] = "avx2"
    orientations: str | tuple[str, ...] = "identity"
    orientation_order: Order | None = None
    diameters: tuple[float, ...] | dict[str, tuple[float, ...]] | tuple[str, ...] | str | None = None
    radii: bool | None = None
    compute: Output = "power_spectrum"
    average: bool = False
    pairs: tuple[tuple[str, ...], ...] = ()
    cutoff_smoothing: float | None = None
    precision: Literal["fp64", "fp32"] = "fp64"
    hypers: Hypers = Hypers()
    labels: LabelNames = LabelNames()
    fit: FitSettings | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """Return the files, one or several."""
        return (self.file,) if isinstance(self.file, str) else self.file

    def columns(self, species: int) -> int:
        """Return how many features a row has, or a model weights, where there are so many species."""
        output: Computed = self.fit.features if self.fit else self.compute
        return sum(widths(tuple(self.hypers.radial_counts), species, output))

    def request(self, file: Path, piece: Piece | None = None) -> Request:
        """Return what is asked of one file, or of a piece of one."""
        return Request(
            file,
            hypers=self.hypers,
            orientations=self.orientations,
            diameters=self.diameters,
            output=self.compute,
            per_centre=not self.average,
            pairs=tuple((one, other) for one, other in self.pairs),
            cutoff_smoothing=self.cutoff_smoothing,
            precision=self.precision,
            orientation_order=self.orientation_order,
            radii=self.radii,
            file_format="xyz",
            piece=piece,
        )


@dataclass(frozen=True)
class ShardJob:
    """Say what a job computes: a piece of a file, or of several that are small; ``cut`` describes all of it.

    ``first`` and ``particles`` count those before it in all files, which ``species`` and ``names`` are of.
    """

    key: str
    parts: tuple[FilePart, ...]
    first: int
    cut: Cut
    species: tuple[int, ...]
    names: tuple[str, ...]
    particles: int
    asked: FeatureFile

    @property
    def frames(self) -> str:
        """Return in words which frames it has."""
        ends = ((part, part.first + part.cut.frames - 1) for part in self.parts)
        return ", ".join(f"frames {part.first} to {last} of {part.file}" for part, last in ends)


def read_job(file: Path) -> ShardJob:
    """Return what the file of a job says; it raises OSError or ValueError where it is lost or damaged."""
    return build(ShardJob, read_json(read_bytes(file)))


def end_with_the_controller() -> None:
    """End this process soon after the run that started it, where it is part of one on this machine."""
    try:
        controller = controller_of_this()
    except ControllerGone as gone:
        raise SystemExit(str(gone)) from None

    def watch(run: psutil.Process) -> None:
        while not has_ended(run):
            time.sleep(0.2)
        os._exit(1)

    if controller:
        threading.Thread(target=watch, args=[controller], daemon=True).start()


def compute(job_file: Path, piece: Path, output: Path, tell: Callable[[Progress], None]) -> None:
    """Compute the features of a piece of a file, or what its labels say of a model.

    Raises
    ------
    DataError
        Naming the frame in the user's file that cannot be described.
    UserError
        For what may be otherwise elsewhere: this machine lacks the instruction set that all shards are
        computed in, or room, or the piece did not arrive as it was cut.
    """
    job = read_job(job_file)
    check_piece(piece, job.parts)
    _use_kernels(job.asked.instruction_set, job.asked.precision == "fp32")

    before = (job.first, job.particles) if job.asked.fit else (0, 0)
    request = job.asked.request(piece, Piece(job.key, job.species, job.names, *before))
    try:
        if job.asked.fit:
            fitting.fit(FitRequest(request, job.asked.labels, job.asked.fit), output, 1, tell)
        else:
            describe.describe(request, output, 1, tell)
    except DataError as error:
        if not error.where.startswith(str(piece)):
            raise UserError(str(error)) from error
        raise in_the_users_file(error, piece, job.parts) from error


def _use_kernels(level: str, single: bool) -> None:
    """Compute at a level of the instruction set; kernels that an older image lacks are compiled.

    Frames are read by those in double precision.
    """
    os.environ[loader.VARIABLE] = level
    try:
        loader.compile_kernels([level + precision for precision in loader.PRECISIONS[: 1 + single]])
        loader.level()
    except (ImportError, RuntimeError) as error:
        raise UserError(f"{error}.") from error
