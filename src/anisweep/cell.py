"""Define what a study consists of: hyperparameters, settings, cells and packs.

What runs inside a job imports this module and nothing else of the planning side, so it stays on the
standard library alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Annotated, Any, Literal

from anisweep.parsing.json_text import read_json
from anisweep.parsing.schema import Above, Unfit, Within, Word, build, formerly, later, shown

#: The largest of each, far beyond what anybody measures: a slip of the pen ends here and not in a sweep.
HIGHEST_ANGULAR = 60
HIGHEST_RADIAL = 40
LONGEST = 1e6
MOST_THREADS = 1024
MOST_REPLICATES = 100_000
MOST_PROCESSES = 1000
MOST_CALLS = 100_000
LONGEST_LIMIT_S = 1e7
LONGEST_REPETITION_S = 60.0

MaxAngular = Annotated[int, Within(0, HIGHEST_ANGULAR)]
MaxRadial = Annotated[int, Within(0, HIGHEST_RADIAL)]
Length = Annotated[float, Above(0, LONGEST)]

Basis = Literal["gto", "monomial"]
Output = Literal["coefficients", "power_spectrum"]
Precision = Literal["fp64", "fp32", "tf32", "bf16", "fp16"]
Device = Literal["cpu", "cuda", "mps"]

#: The ``threads`` of a cell whose pools are left as its libraries make them; a study says ``free``.
NOT_PINNED = 0
FREE = "free"

#: Keys, packs and artifacts written under another number are never mixed with these.
FORMAT = 1


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON of ``value``: sorted keys, no spaces, shortest floats."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True)
class Hypers:
    """Hold the hyperparameters of AniSOAP, by the names of ``EllipsoidalDensityProjection``.

    Lengths are in Angstrom. ``max_radial`` is ``None`` ((lmax - l) // 2 + 1 functions for each l), one
    number k (k + 1 functions for every l), or one number for each l.
    """

    radial_basis_name: Basis = "gto"
    max_angular: MaxAngular = 6
    max_radial: MaxRadial | tuple[MaxRadial, ...] | None = None
    cutoff_radius: Length = 7.0
    radial_gaussian_width: Length | None = 1.5
    subtract_center_contribution: bool = False
    basis_rcond: Annotated[float, Within(0, 1)] = 1e-8
    basis_tol: Annotated[float, Above(0, 1e300)] = 1e-3

    @property
    def arguments(self) -> dict[str, Any]:
        """Return them as ``EllipsoidalDensityProjection`` takes them: lengths are no integers."""
        width = self.radial_gaussian_width
        return vars(self) | {
            "cutoff_radius": float(self.cutoff_radius),
            "radial_gaussian_width": None if width is None else float(width),
        }

    @property
    def radial_counts(self) -> list[int]:
        """Return the number of radial functions for each l."""
        if self.max_radial is None:
            return [(self.max_angular - l) // 2 + 1 for l in range(self.max_angular + 1)]

        if isinstance(self.max_radial, int):
            return [self.max_radial + 1] * (self.max_angular + 1)

        return [k + 1 for k in self.max_radial]


@dataclass(frozen=True)
class Dataset:
    """Name a set of frames, which is known by its digest before its file exists.

    Attributes
    ----------
    name : how tables call it
    path : the extended-XYZ file, relative to the project
    digest : of the recipe (generated) or of the content (a user's file)
    frames : how many frames are used, from the first
    """

    name: Word
    path: Word
    digest: Word
    frames: Annotated[int, Within(1, 1e12)]


@dataclass(frozen=True)
class Settings:
    """Say how a cell is measured.

    Attributes
    ----------
    processes : fresh interpreters in each replicate
    warmups : calls that are not counted, after the first one
    repetitions : timed calls
    minimum_s : shortest duration of a repetition; faster calls are looped
    limit_s : a cell that takes longer is stopped, and its row says ``stalled``
    profile : also write a cProfile of one more call, and sampled stacks
    downstream : also learn the energies that the data carry from the power spectrum
    invariances : also compute the power spectrum of frames that are turned, moved, permuted, mirrored
    one_off : also time one call in a fresh interpreter, from its start
    """

    processes: Annotated[int, Within(1, MOST_PROCESSES)] = 1
    warmups: Annotated[int, Within(0, MOST_CALLS)] = 1
    repetitions: Annotated[int, Within(2, MOST_CALLS)] = 5
    minimum_s: Annotated[float, Within(0, LONGEST_REPETITION_S)] = 0.05
    limit_s: Annotated[float, Above(0, LONGEST_LIMIT_S)] = 600.0
    profile: bool = False
    invariances: bool = False
    downstream: bool = False
    one_off: bool = field(default=False, metadata=later())

    def plain(self) -> dict[str, Any]:
        """Return the settings as they enter the key.

        A setting that came later is left out where it is not asked for, so that older keys stay.
        """
        came_later = {each.name for each in fields(self) if each.metadata.get("later")}
        return {name: value for name, value in vars(self).items() if value or name not in came_later}


@dataclass(frozen=True)
class Cell:
    """Describe one point of a study, completely enough to measure it anywhere.

    ``environment`` and ``code`` are digests; together with the rest they make the key, so a cell that
    was measured with another lock file or another mode is another cell. ``threads`` is the number that
    every pool is pinned to, or `NOT_PINNED`. ``output`` is an `Output`, or the name of the task that ``mode``
    belongs to.
    """

    dataset: Dataset
    hypers: Hypers
    output: Word
    mode: Word
    precision: Precision
    device: Device
    threads: Annotated[int, Within(NOT_PINNED, MOST_THREADS)]
    replicate: Annotated[int, Within(1, MOST_REPLICATES)]
    site: Word
    settings: Settings
    environment: Word
    code: Word

    @cached_property
    def key(self) -> str:
        """Return the SHA-256 of the canonical JSON of the cell; the path of the file is not part of it."""
        before, after = self._around_replicate
        return hashlib.sha256(f"{before}{self.replicate}{after}".encode()).hexdigest()

    @cached_property
    def _around_replicate(self) -> tuple[str, str]:
        """Return the canonical JSON before and after the number of the replicate.

        Quotation marks within texts are escaped, so this key stands there once.
        """
        text = _canonical({"format": FORMAT, **self._plain()})
        before, key, after = text.partition('"replicate":')
        return before + key, after.removeprefix(str(self.replicate))

    def in_replicate(self, number: int) -> Cell:
        """Return the same point of another replicate.

        A study has a hundred thousand of them. They share all but a number, so what is known is copied.
        """
        made = object.__new__(Cell)
        vars(made).update(self._shared, replicate=number)
        return made

    @cached_property
    def _shared(self) -> dict[str, Any]:
        """Return what the cells of all replicates have in common."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return values | {"_around_replicate": self._around_replicate}

    @cached_property
    def point(self) -> str:
        """Return the key without site, environment, code and settings.

        It finds measurements that were made elsewhere or earlier.
        """
        return digest(self._plain("site", "environment", "code", "settings"))

    @cached_property
    def dataset_free(self) -> str:
        """Return the point without the content of the data set, to recognise a changed one."""
        plain = self._plain("site", "environment", "code", "settings")
        del plain["dataset"]["digest"]
        return digest(plain)

    def _plain(self, *without: str) -> dict[str, Any]:
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in without}
        plain["dataset"] = {
            "name": self.dataset.name,
            "digest": self.dataset.digest,
            "frames": self.dataset.frames,
        }
        plain["hypers"] = vars(self.hypers)
        if "settings" in plain:
            plain["settings"] = self.settings.plain()
        return plain

    @property
    def label(self) -> str:
        """Return the words by which messages name the cell."""
        lmax = self.hypers.max_angular
        return f"{self.dataset.name} {self.output} lmax {lmax} {self.mode} {self.precision} r{self.replicate}"


def repeated(cells: Sequence[Cell], replicates: int) -> Iterator[Cell]:
    """Yield the same points for one replicate after the other."""
    for number in range(1, replicates + 1):
        yield from (cell.in_replicate(number) for cell in cells)


class OtherFormat(ValueError):
    """Raised for a pack that another version wrote."""


@dataclass(frozen=True)
class Pack:
    """Hold the cells that share one job and one host, and the mode they are compared with.

    Attributes
    ----------
    reference : name of the study's reference mode, run first and last
    code_files, packages : what the digests were made of, so that a later plan can name what changed
    """

    name: Word
    cells: tuple[Cell, ...]
    reference: Word = field(metadata=formerly("anchor"))
    estimated_s: Annotated[float, Within(0, 1e12)]
    code_files: dict[Word, dict[Word, Word]] = field(default_factory=dict)
    packages: dict[Word, Word] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def measurements(self) -> int:
        """Return how many cells and reference cells a process of this pack measures."""
        problems = {(cell.dataset, cell.hypers, cell.output) for cell in self.cells}
        return len(self.cells) + 2 * len(problems)

    def to_json(self) -> str:
        """Return the pack as JSON, which `from_json` reads."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Pack:
        """Return the pack that `to_json` wrote.

        Raises
        ------
        ValueError
            when the text is no pack of this format
        """
        try:
            return cls.from_plain(read_json(text))
        except OtherFormat:
            raise
        except ValueError as error:
            raise ValueError(f"not the JSON of a pack ({error}): plan again") from error

    @classmethod
    def from_plain(cls, plain: Any) -> Pack:
        """Return the pack that ``dataclasses.asdict`` made plain.

        Raises
        ------
        ValueError
            naming the key that does not fit, or the other format
        """
        if isinstance(plain, dict) and plain.get("format", FORMAT) != FORMAT:
            written = shown(plain["format"])
            raise OtherFormat(f"pack format {written}, this version reads {FORMAT}: plan again")

        pack = build(cls, plain)
        if not pack.cells:
            raise Unfit("an empty list", "at least one cell", ("cells",))
        return pack


def cells_from_json(text: str | bytes) -> list[Cell]:
    """Return the cells of a study, as a run has written them down.

    Raises
    ------
    ValueError
        naming what does not fit
    """
    plain = read_json(text)
    if not isinstance(plain, list):
        raise ValueError(f"{shown(plain)} is not allowed. Allowed: a list of cells")
    return [build(Cell, each) for each in plain]
