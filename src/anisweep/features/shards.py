"""Give each shard of the files a key, and find those that are still to be computed."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from ase import Atoms

from anisweep import describe, fitting
from anisweep.cell import digest
from anisweep.config.project import Project
from anisweep.datasets.errors import Place
from anisweep.datasets.pairs import estimated_pairs
from anisweep.datasets.species import add_name
from anisweep.datasets.user_files.userfile import read_any
from anisweep.describe.provenance import FORMAT, code_digest
from anisweep.features.arrived import check_shard
from anisweep.features.cutting import CutFile, FilePart, cut, packed, together
from anisweep.features.job import FeatureFile, ShardJob, read_job
from anisweep.features.large_output import check_is_there
from anisweep.files import read_bytes, write_json
from anisweep.fitting.file_labels import OF_PARTICLES
from anisweep.models.equations import NUMBERS
from anisweep.parsing.json_text import read_json

#: What a frame, a particle and a pair take, from the text of the file to features on the disk. Right within a
#: factor of a few, which is enough for jobs that are neither too short nor too long.
FRAME_US, PARTICLE_US, PAIR_US = 500.0, 50.0, 1.0

#: What a fit adds for derivatives: for a particle, a pair and a column, and a particle and two columns.
FIT_PARTICLE_US, FIT_PAIR_US, FIT_SUM_US = 25.0, 0.06, 0.006

#: No shard of features is larger: HTCondor's file transfer and `anisweep fetch` take it without a detour by a
#: staging folder. It then lasts less than its time.
LARGEST_MB = 400.0

#: Frames that stand for all where their time is estimated.
LOOKED_AT = 10

#: Of these files are the bits of a shard made, with all that they import.
CODE = (Path(describe.__file__).with_name("run.py"), Path(fitting.__file__).with_name("run.py"))

#: What is kept of each shard: what its job reads, what it writes, why there is nothing, and what was damaged.
ENDINGS = {"jobs": ".json", "pieces": ".xyz", "shards": ".npz", "logs": ".log", "failed": ".txt"}
ENDINGS |= {"damaged": ".npz"}


@dataclass(frozen=True)
class FeaturePlan:
    """Say which shards there are, and which of them are missing."""

    project: Project
    name: str
    asked: FeatureFile
    cuts: tuple[CutFile, ...]
    environment: str

    def path(self, kind: str, key: str) -> str:
        """Return a file of a shard, of one of `ENDINGS`, relative to the project."""
        return f"results/features/{self.name}/{kind}/{self.shard(key)}{ENDINGS[kind]}"

    def shard(self, key: str) -> str:
        """Return the name of a shard, by which commands and HTCondor know it."""
        return f"{self.name}-{key}"

    @property
    def order(self) -> str:
        """Return the file with the keys of all shards in their order, relative to the project."""
        return f"results/features/{self.name}/order.json"

    @property
    def code(self) -> str:
        """Return the digest of the code that computes shards."""
        return code_digest(CODE[self.asked.fit is not None])

    @cached_property
    def species(self) -> dict[int, str]:
        """Return the names of the species of all files by their numbers, sorted."""
        found: dict[int, str] = {}
        for made in self.cuts:
            for number, name in made.species.items():
                add_name(found, int(number), name)
        return dict(sorted(found.items()))

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of labels that a fit learns from, as the first frame has them; else all."""
        file = str(self.project.root / self.asked.files[0])
        first = next(iter(read_any(Path(file), 0, 1, "xyz")))
        named = self.asked.labels.in_frame(first, Place(file, 0)) or NUMBERS
        weights = asdict(self.asked.fit.weights) if self.asked.fit else {}
        return tuple(kind for kind in named if weights.get(kind, 0) > 0)

    @cached_property
    def jobs(self) -> tuple[ShardJob, ...]:
        """Return what each shard needs, with its key: of its frames, what is asked, code and environment."""
        asked = asdict(self.asked) | {"hypers": self.asked.hypers.arguments}
        for name in ("file", "output", "target_minutes"):
            del asked[name]

        fits = self.asked.fit is not None
        common = [FORMAT, asked, list(self.species.items()), self.code, self.environment]
        species, names = tuple(self.species), tuple(self.species.values())
        found, frames, particles = [], 0, 0
        for parts in packed(self._parts(), self.cuts[0].frames):
            piece = together(parts)
            place = [frames, particles] if fits else []
            key = digest([*common, piece.sha256, *place])[:16]
            found.append(ShardJob(key, parts, frames, piece, species, names, particles, self.asked))
            frames, particles = frames + piece.frames, particles + piece.particles
        return tuple(found)

    def _parts(self) -> Iterator[FilePart]:
        """Yield the pieces of all files."""
        for file, made in zip(self.asked.files, self.cuts, strict=True):
            first, line = 0, 1
            for piece in made.pieces:
                yield FilePart(file, first, line, piece)
                first, line = first + piece.frames, line + piece.lines

    @cached_property
    def missing(self) -> dict[str, ShardJob]:
        """Return the shards that are to be computed, by key; files that are damaged count as missing.

        A file is read to its last byte once, and again when its size or time has changed.
        """
        known = self.project.results / "features" / self.name / "sound.json"
        before = _read(known) or {}
        sound: dict[str, list[int]] = {}

        for key in dict.fromkeys(job.key for job in self.jobs):
            path = self.project.root / self.path("shards", key)
            with suppress(ValueError, FileNotFoundError):
                seen = [path.stat().st_size, path.stat().st_mtime_ns]
                if before.get(key) != seen:
                    check_shard(path, key)
                check_is_there(path)
                sound[key] = seen

        if sound != before:
            write_json(known, sound)
        return {job.key: job for job in self.jobs if job.key not in sound}

    def write(self) -> None:
        """Write what jobs read, and put damaged shards aside: what is among the shards counts as made."""
        for kind in ENDINGS:
            (self.project.root / self.path(kind, "")).parent.mkdir(parents=True, exist_ok=True)

        order = [job.key for job in self.jobs]
        if _read(self.project.root / self.order) != order:
            write_json(self.project.root / self.order, order)

        for key, job in self.missing.items():
            with suppress(FileNotFoundError):
                shard = self.project.root / self.path("shards", key)
                shard.replace(self.project.root / self.path("damaged", key))
            file = self.project.root / self.path("jobs", key)
            try:
                read_job(file)
            except (OSError, ValueError):  # not there, or of an earlier version
                write_json(file, asdict(job))
        self.remove_pieces()

    def remove_pieces(self) -> None:
        """Remove the frames of shards that are there, which nobody reads any more."""
        folder = (self.project.root / self.path("pieces", "")).parent
        lying = {*folder.glob("[!.]*")}  # mostly none

        for key in {job.key for job in self.jobs}:
            piece = self.project.root / self.path("pieces", key)
            if piece in lying and (self.project.root / self.path("shards", key)).exists():
                piece.unlink(missing_ok=True)

    @property
    def to_split(self) -> list[str]:
        """Return the missing shards whose frames have no file yet; jobs under way may read the others."""
        files = {key: self.project.root / self.path("pieces", key) for key in self.missing}
        return [key for key, file in files.items() if not file.exists()]

    def pieces(self, keys: Collection[str]) -> Iterator[tuple[tuple[FilePart, ...], Path | None]]:
        """Yield the parts of all shards, and the places of some."""
        for job in self.jobs:
            place = self.project.root / self.path("pieces", job.key)
            yield job.parts, place if job.key in keys else None


def shards_asked_for(project: Project) -> set[str]:
    """Return the keys of the shards that the last plans held."""
    return {key for file in project.results.glob("features/*/order.json") for key in _read(file) or ()}


def plan_features(project: Project, name: str, asked: FeatureFile, environment: str) -> FeaturePlan:
    """Cut the files and give each shard its key."""
    folder = project.results / "features" / name
    frames = frames_of_a_shard(project, asked, folder / "frames.json")
    files = enumerate(project.root / file for file in asked.files)
    cuts = tuple(cut(file, frames, folder / "cuts" / f"{number}.json") for number, file in files)
    return FeaturePlan(project, name, asked, cuts, environment)


def frames_of_a_shard(project: Project, asked: FeatureFile, known: Path) -> int:
    """Return how many frames a job takes: estimated once, and kept until another time is asked for."""
    kept = _read(known)
    if isinstance(kept, dict) and kept.get("target_minutes") == asked.target_minutes:
        return int(kept["frames"])

    first = list(islice(read_any(project.root / asked.files[0], file_format="xyz"), LOOKED_AT))
    most = _frames_that_fit(asked, first)
    frames = max(1, round(min(60 * asked.target_minutes / _seconds_of_a_frame(first, asked), most)))
    write_json(known, {"target_minutes": asked.target_minutes, "frames": frames})
    return frames


def _seconds_of_a_frame(first: Sequence[Atoms], asked: FeatureFile) -> float:
    """Estimate it from the first frames of a file, as was measured on one core."""
    pairs, particles = estimated_pairs(first, asked.hypers.cutoff_radius).pairs, sum(map(len, first))
    microseconds = FRAME_US * len(first) + PARTICLE_US * particles + PAIR_US * pairs

    if asked.fit:
        species = {number for frame in first for number in frame.numbers.tolist()}
        columns = asked.columns(len(species))
        microseconds += FIT_PAIR_US * pairs * columns
        microseconds += (FIT_PARTICLE_US + FIT_SUM_US * columns**2) * particles
    return 1e-6 * microseconds / len(first)


def output_mb(
    asked: FeatureFile, species: int, frames: int, particles: int, kinds: Collection[str] = ()
) -> float:
    """Return how large a shard of so many frames is: features, or for a fit a factor for each kind of label.

    Such a factor has a column for each feature, each species and the label, and as many rows or fewer.
    """
    columns = asked.columns(species)
    if not asked.fit:
        return 8e-6 * columns * (frames if asked.average else particles)

    side = columns + species + 1
    labels = {kind: each * (particles if kind in OF_PARTICLES else frames) for kind, each in NUMBERS.items()}
    return 8e-6 * side * sum(min(labels[kind], side) for kind in kinds)


def _frames_that_fit(asked: FeatureFile, first: Sequence[Atoms]) -> float:
    """Return how many frames like the first ones give a shard of the largest size."""
    if asked.fit:
        return math.inf  # sums do not grow with frames

    species = len({number for atoms in first for number in atoms.numbers})
    return len(first) * LARGEST_MB / output_mb(asked, species, len(first), sum(map(len, first)))


def _read(path: Path) -> Any:
    """Return what a file of ours holds; None where it is lost or damaged."""
    with suppress(OSError, ValueError):
        return read_json(read_bytes(path))
    return None
