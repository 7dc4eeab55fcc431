"""The nouns that everything else speaks of: hypers, settings, cells and packs.

What runs inside a job imports this module and nothing else of the planning side, so it stays on the
standard library alone.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

Basis = Literal["gto", "monomial"]
Output = Literal["coefficients", "power_spectrum"]

#: The ``threads`` of a cell whose pools are left as its libraries make them; a study says ``free``.
NOT_PINNED = 0
FREE = "free"

#: Keys, packs and artifacts written under another number are never mixed with these.
FORMAT = 1


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of ``value``: sorted keys, no spaces, shortest floats."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class Hypers:
    """The hyperparameters of AniSOAP, by the names of ``EllipsoidalDensityProjection``.

    Lengths are in Angstrom. ``max_radial`` is ``None`` ((lmax - l) // 2 + 1 functions for each l), one
    number k (k + 1 functions for every l), or one number for each l.
    """

    radial_basis_name: Basis = "gto"
    max_angular: int = 6
    max_radial: int | tuple[int, ...] | None = None
    cutoff_radius: float = 7.0
    radial_gaussian_width: float | None = 1.5
    subtract_center_contribution: bool = False
    basis_rcond: float = 1e-8
    basis_tol: float = 1e-3

    @property
    def radial_counts(self) -> list[int]:
        """Number of radial functions for each l."""
        if self.max_radial is None:
            return [(self.max_angular - l) // 2 + 1 for l in range(self.max_angular + 1)]

        if isinstance(self.max_radial, int):
            return [self.max_radial + 1] * (self.max_angular + 1)

        return [k + 1 for k in self.max_radial]


@dataclass(frozen=True)
class Dataset:
    """A set of frames, known by its digest before its file exists.

    Attributes
    ----------
    name : how tables call it
    path : the extended-XYZ file, relative to the project
    digest : of the recipe (generated) or of the content (a user's file)
    frames : how many frames are used, from the first
    """

    name: str
    path: str
    digest: str
    frames: int


@dataclass(frozen=True)
class Settings:
    """How a cell is measured.

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

    processes: int = 1
    warmups: int = 1
    repetitions: int = 5
    minimum_s: float = 0.05
    limit_s: float = 600.0
    profile: bool = False
    invariances: bool = False
    downstream: bool = False
    one_off: bool = False

    def plain(self) -> dict[str, Any]:
        """As it enters the key. What came later is left out where it is not asked for: older keys stay."""
        later = {"one_off"}
        return {name: value for name, value in vars(self).items() if value or name not in later}


@dataclass(frozen=True)
class Cell:
    """One point of a study, complete enough to be measured anywhere.

    ``environment`` and ``code`` are digests; together with the rest they make the key, so a cell that
    was measured with another lock file or another mode is another cell. ``threads`` is the number that
    every pool is pinned to, or `NOT_PINNED`.
    """

    dataset: Dataset
    hypers: Hypers
    output: Output
    mode: str
    precision: str
    device: str
    threads: int
    replicate: int
    site: str
    settings: Settings
    environment: str
    code: str

    @cached_property
    def key(self) -> str:
        """SHA-256 of the canonical JSON of the cell. The path of the file is not part of it."""
        return digest({"format": FORMAT, **self._plain()})

    @cached_property
    def point(self) -> str:
        """The key without site and what ages. It finds measurements made elsewhere or earlier."""
        return digest(self._plain("site", "environment", "code", "settings"))

    @cached_property
    def dataset_free(self) -> str:
        """The point without the content of the data set, to recognise a changed one."""
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
        """What a person calls it."""
        lmax = self.hypers.max_angular
        return f"{self.dataset.name} {self.output} lmax {lmax} {self.mode} {self.precision} r{self.replicate}"


@dataclass(frozen=True)
class Pack:
    """The cells that share one job and one host, and the mode they are compared with.

    Attributes
    ----------
    anchor : name of the study's reference mode, run first and last; its code digest is in ``anchor_code``
    code_files, packages : what the digests were made of, so that a later plan can name what changed
    """

    name: str
    cells: tuple[Cell, ...]
    anchor: str
    estimated_s: float
    code_files: dict[str, dict[str, str]] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def measurements(self) -> int:
        """Cells and anchors that a process of this pack measures."""
        problems = {(cell.dataset, cell.hypers, cell.output) for cell in self.cells}
        return len(self.cells) + 2 * len(problems)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Pack:
        """The inverse of `to_json`.

        Raises
        ------
        ValueError
            when the text is no pack of this format
        """
        try:
            plain = json.loads(text)
            written = plain["format"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"not the JSON of a pack ({error!r}): plan again") from error

        if written != FORMAT:
            raise ValueError(f"pack format {written}, this version reads {FORMAT}: plan again")

        plain["cells"] = tuple(cell_from_plain(cell) for cell in plain["cells"])
        return cls(**plain)


def cell_from_plain(plain: dict[str, Any]) -> Cell:
    """The inverse of ``dataclasses.asdict`` for a cell."""
    simple = {f.name: plain[f.name] for f in fields(Cell)}
    simple["dataset"] = Dataset(**plain["dataset"])
    simple["hypers"] = hypers_from_plain(plain["hypers"])
    simple["settings"] = Settings(**plain["settings"])
    return Cell(**simple)


def hypers_from_plain(plain: dict[str, Any]) -> Hypers:
    """The inverse of ``dataclasses.asdict``, also after JSON, which knows no tuples."""
    radial = plain["max_radial"]
    return Hypers(**{**plain, "max_radial": tuple(radial) if isinstance(radial, list) else radial})
