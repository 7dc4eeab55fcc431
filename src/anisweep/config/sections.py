"""Define the typed sections of the configuration, with their keys, defaults and limits.

``config/config.yaml`` (defaults) and ``config/schema.json`` are generated from these classes by
``make generated``; a test keeps them equal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Sized
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from anisweep import datasets, modes
from anisweep.cell import (
    LONGEST_LIMIT_S,
    LONGEST_REPETITION_S,
    MOST_CALLS,
    MOST_PROCESSES,
    MOST_REPLICATES,
    MOST_THREADS,
    Basis,
    Device,
    Output,
    Precision,
)
from anisweep.config.validation_messages import in_yaml, not_among
from anisweep.datasets.species import name_from_yaml
from anisweep.datasets.user_files.conventions import Order
from anisweep.descriptors import BadInput, hyperparameters
from anisweep.errors import UserError
from anisweep.parsing.schema import shown

#: Of a list, which is an axis of the sweep; of a sweep; of a pack, which is two years.
MOST_VALUES = 1000
MOST_CELLS = 100_000
MOST_MINUTES = 1_000_000

Value = TypeVar("Value")


def _each_once(values: list[Value]) -> list[Value]:
    """Refuse a value that stands twice in a list: it would be measured once, and nobody would know why."""
    twice = next((value for place, value in enumerate(values) if value in values[:place]), None)
    if twice is not None:
        raise ValueError(f"{shown(twice)} stands twice. Allowed: each value once. Take one of them out.")
    return values


Several = Annotated[list[Value], Field(min_length=1, max_length=MOST_VALUES), AfterValidator(_each_once)]
Count = Annotated[int, Field(ge=1, le=10**12)]
Model = TypeVar("Model", bound=BaseModel)
SpeciesName = Annotated[str, BeforeValidator(name_from_yaml)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]

_NAME: TypeAdapter[str] = TypeAdapter(Name)


def checked_name(text: str, what: str) -> str:
    """Return a name of a study or site, which becomes a part of paths and of submit files.

    Raises
    ------
    UserError
        naming ``what`` it is, what came and what is allowed
    """
    try:
        return _NAME.validate_python(text)
    except ValidationError:
        raise UserError(
            f"{what}: {text!a} is not allowed. Allowed: small letters, digits and _, first a letter, at most "
            "40. Choose another name."
        ) from None


class ConfigSection(BaseModel):
    """A part of the configuration, in which unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _checked(name: str) -> BeforeValidator:
    """Check a hyperparameter as the descriptors do, in their words; of a list each value by itself."""

    def check(value: Any) -> Any:
        if value is None or isinstance(value, list | dict | date):
            return value  # which no hyperparameter is, as is said of every key
        try:
            return hyperparameters.CHECKS[name](value)
        except BadInput as refusal:
            raise ValueError(in_yaml(refusal).removeprefix(f"{name}: ")) from None

    return BeforeValidator(check)


#: What the descriptors allow; pydantic's own limits are there for the schema.
LENGTH = Field(ge=hyperparameters.SHORTEST, le=hyperparameters.LONGEST)
MaxAngular = Annotated[int, Field(ge=0, le=hyperparameters.LARGEST_LMAX), _checked("max_angular")]
MaxRadial = Annotated[int, Field(ge=0, le=hyperparameters.LARGEST_MAX_RADIAL), _checked("max_radial")]
Cutoff = Annotated[float, LENGTH, _checked("cutoff_radius")]
Width = Annotated[float, LENGTH, _checked("radial_gaussian_width")]
Rcond = Annotated[float, Field(ge=0, lt=1), _checked("basis_rcond")]
Tolerance = Annotated[float, Field(gt=0), _checked("basis_tol")]


class HyperAxes(ConfigSection):
    """Hyperparameters by AniSOAP's names; a list of values makes an axis of the sweep."""

    radial_basis_name: Annotated[Basis | Several[Basis], Field(description="radial functions")] = "gto"
    max_angular: Annotated[MaxAngular | Several[MaxAngular], Field(description="lmax")] = 6
    max_radial: Annotated[
        MaxRadial | Several[MaxRadial | list[MaxRadial] | None] | None,
        Field(description="k: k + 1 functions; null: (lmax - l) // 2 + 1; list in the list: k for each l"),
    ] = None
    cutoff_radius: Annotated[Cutoff | Several[Cutoff], Field(description="Angstrom")] = 7.0
    radial_gaussian_width: Annotated[
        Width | Several[Width | None] | None, Field(description="Angstrom; null with the monomial basis")
    ] = 1.5
    subtract_center_contribution: Annotated[
        bool | Several[bool], Field(description="leave out each centre's own density")
    ] = False
    basis_rcond: Annotated[
        Rcond | Several[Rcond],
        Field(description="eigenvalues of the radial overlap matrix up to this are dropped"),
    ] = 1e-8
    basis_tol: Annotated[
        Tolerance | Several[Tolerance],
        Field(description="it is an error if more than this is dropped"),
    ] = 1e-3

    def count(self) -> int:
        """Return how many combinations the lists give."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return math.prod(len(value) for value in values if isinstance(value, list))


class Measure(ConfigSection):
    """The way in which each cell is measured."""

    processes: Annotated[
        Count, Field(le=MOST_PROCESSES, description="new interpreters in each replicate")
    ] = 1
    warmups: Annotated[int, Field(ge=0, le=MOST_CALLS, description="uncounted calls after the first")] = 1
    repetitions: Annotated[int, Field(ge=2, le=MOST_CALLS, description="timed calls")] = 5
    minimum_s: Annotated[
        float, Field(ge=0, le=LONGEST_REPETITION_S, description="shortest duration of a repetition")
    ] = 0.05
    limit_s: Annotated[
        float, Field(gt=0, le=LONGEST_LIMIT_S, description="a cell that takes longer is `stalled`")
    ] = 600.0
    profile: Annotated[
        bool, Field(description="also write a cProfile of one more call, and sampled stacks")
    ] = False
    invariances: Annotated[
        bool, Field(description="also test the power spectrum of rotated, moved, permuted, reflected frames")
    ] = False
    downstream: Annotated[
        bool, Field(description="also learn the energies in the data from the power spectrum")
    ] = False
    one_off: Annotated[
        bool, Field(description="also time one call in a new interpreter, from its start to its result")
    ] = False


class DatasetEntry(ConfigSection):
    """A data set of a study: one of the generated ones, or a file of the user's."""

    frames: Annotated[
        Count | Several[Count] | None,
        Field(description="number of frames, all if left out; a list makes an axis of the sweep"),
    ] = None
    outputs: Annotated[Several[Output] | None, Field(description="instead of the study's")] = None
    file: Annotated[
        str | None,
        Field(description="XYZ, LAMMPS, GSD, or any format that ASE reads; may begin with $VARIABLE"),
    ] = None
    format: Annotated[
        str | None, Field(description="if the ending of the file is misleading: xyz, lammps-dump, gsd ...")
    ] = None
    orientations: Annotated[
        str | list[str] | None,
        Field(description="array of quaternions or matrices, beginning of its columns, or all columns"),
    ] = None
    orientation_order: Annotated[
        Order | None, Field(description="order of quaternions in the file; if left out, by convention")
    ] = None
    diameters: Annotated[
        list[float] | dict[SpeciesName, list[float]] | list[str] | str | None,
        Field(description="three lengths, three for each species, or names of arrays"),
    ] = None
    radii: Annotated[
        bool | None,
        Field(description="true: `diameters` are semi-axes, half as long; if left out, by convention"),
    ] = None

    @property
    def frame_counts(self) -> list[int] | list[None]:
        """Return the numbers of frames, one or several; ``None`` stands for all."""
        if self.frames is None:
            return [None]
        return self.frames if isinstance(self.frames, list) else [self.frames]

    @model_validator(mode="after")
    def _only_for_files(self) -> DatasetEntry:
        given = (self.orientations, self.diameters, self.orientation_order, self.radii, self.format)
        if self.file is None and any(each is not None for each in given):
            raise ValueError(
                "format, orientations and diameters belong to a `file:`; generated data sets have their own. "
                "Remove these keys, or add `file:`."
            )
        return self


class Sweep(ConfigSection):
    """A study and its sweep: every combination of these values becomes a cell."""

    question: Annotated[str, Field(min_length=1, description="one sentence; it stands above the answer")]
    task: Annotated[
        str | None, Field(description="a file in src/anisweep/tasks; if left out, descriptors are computed")
    ] = None
    reference: Annotated[str, Field(description="reference mode, run first and last in each pack")] = (
        "numpy_only"
    )
    replicates: Annotated[
        Count, Field(le=MOST_REPLICATES, description="how often all is measured, in packs of their own")
    ] = 3
    datasets: Annotated[
        dict[Name, DatasetEntry], Field(min_length=1, description="by name; several are an axis of the sweep")
    ]
    modes: Annotated[
        Several[str], Field(description="names of files in src/anisweep/modes, or of the task's modes")
    ]
    outputs: Annotated[Several[Output], Field(description="what is computed")] = ["coefficients"]
    precisions: Annotated[
        Several[Precision], Field(description="a mode without one gives a row `unavailable`")
    ] = ["fp64"]
    devices: Annotated[Several[Device], Field(description="without one the row is `unavailable`")] = ["cpu"]
    threads: Annotated[
        Several[Annotated[Count, Field(le=MOST_THREADS)] | Literal["free"]],
        Field(
            description="threads of every library; `free` records them and does not pin them",
        ),
    ] = [1]
    hypers: Annotated[
        Annotated[HyperAxes, Tag("one")] | Annotated[Several[HyperAxes], Tag("several")],
        Discriminator(lambda given: "several" if isinstance(given, list) else "one"),
        Field(description="every combination of the values; of a list of such sections, those of each"),
    ] = HyperAxes()
    measure: Measure = Measure()

    @model_validator(mode="before")
    @classmethod
    def _modes_of_the_task(cls, given: Any) -> Any:
        """Call the modes of a task by both names, and take its first one as the reference."""
        if not isinstance(given, dict) or not isinstance(given.get("task"), str):
            return given
        return _with_task(given)

    @model_validator(mode="after")
    def _not_too_many(self) -> Sweep:
        count = self.count()
        if count > MOST_CELLS:
            raise ValueError(
                f"{count:,} cells are not allowed. Allowed: at most {MOST_CELLS:,}. "
                "Every value of a list multiplies them: take some out, or make several studies."
            )
        return self

    def count(self) -> int:
        """Return how many cells every combination gives, where no two values are the same."""
        axes: tuple[Sized, ...] = (self.modes, self.precisions, self.devices, self.threads)
        problems = sum(
            len(entry.frame_counts) * len(self.outputs_of(entry)) for entry in self.datasets.values()
        )
        hypers = sum(axes.count() for axes in self.hyper_sets)
        return self.replicates * problems * hypers * math.prod(map(len, axes))

    @property
    def hyper_sets(self) -> list[HyperAxes]:
        """Return the sections of hyperparameters, one or several."""
        return self.hypers if isinstance(self.hypers, list) else [self.hypers]

    def outputs_of(self, entry: DatasetEntry) -> Sequence[str]:
        """Return what is computed of a data set: what its entry says, or the study, or its task."""
        return [self.task] if self.task else entry.outputs or self.outputs

    @field_validator("reference")
    @classmethod
    def _known_reference(cls, value: str, info: ValidationInfo) -> str:
        if modes.environment(_known_mode(value, info)):
            raise ValueError(
                f"{value} needs an interpreter of its own, and the reference runs in all: choose another mode"
            )
        return value

    @field_validator("modes")
    @classmethod
    def _known_modes(cls, values: list[str], info: ValidationInfo) -> list[str]:
        return [_known_mode(value, info) for value in values]

    @field_validator("datasets")
    @classmethod
    def _known_datasets(cls, entries: dict[str, DatasetEntry]) -> dict[str, DatasetEntry]:
        generated = datasets.generated()

        for name, entry in entries.items():
            if entry.file is None:
                _check_generated(name, entry, generated)
            elif name in generated:
                raise ValueError(
                    f"{name!r} is the name of a generated data set: give your file another name."
                )

        return entries


def _known_mode(name: str, info: ValidationInfo) -> str:
    task = info.data.get("task")
    known = modes.names_in(task) if task else modes.names()
    if name not in known:
        raise ValueError(not_among(name, known, "mode"))
    return name


def _with_task(given: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of a study of a task, in which its modes have both names.

    Raises
    ------
    ValueError
        when there is no such task, or the study gives outputs, which belong to descriptors
    """
    task = given["task"]
    if task not in modes.tasks():
        raise ValueError(f"task: {not_among(task, modes.tasks(), 'task')}")
    if "outputs" in given:
        raise ValueError(f"outputs: a task computes what it is about. Remove this key, or `task: {task}`.")

    def full(name: Any) -> Any:
        return f"{task}.{name}" if isinstance(name, str) and not modes.task_of(name) else name

    asked = given.get("modes")
    return given | {
        "reference": full(given.get("reference", modes.names_in(task)[0])),
        "modes": [full(name) for name in asked] if isinstance(asked, list) else asked,
    }


def _check_generated(name: str, entry: DatasetEntry, generated: Mapping[str, datasets.Recipe]) -> None:
    if name not in generated:
        hint = "A data set of your own needs `file:`."
        raise ValueError(f"{not_among(name, list(generated), 'data set')} {hint}")

    held = generated[name].frames
    for frames in entry.frame_counts:
        if frames is not None and frames > held:
            raise ValueError(
                f"{name}.frames: {frames} is not allowed. Allowed: 1 to {held}, or leave it out."
            )


class Config(ConfigSection):
    """The switches of a run. Any key of a study may stand beside them and overrides the study's."""

    study: Annotated[Name | Several[Name], Field(description="a file of config/studies/, or several")] = (
        "first_look"
    )
    size: Annotated[
        Literal["small", "full"], Field(description="full applies the study's `full:` section")
    ] = "small"
    site: Annotated[Name, Field(description="where this run measures")] = "local"
    retry: Annotated[bool, Field(description="measure cells again that failed or stalled")] = False
    packing: Annotated[
        Literal["merged", "cell"], Field(description="merged: cells share packs; cell: each cell is a pack")
    ] = "merged"
    target_minutes: Annotated[
        float, Field(gt=0, le=MOST_MINUTES, description="small packs are merged up to this estimate")
    ] = 4.0
    max_minutes: Annotated[
        float, Field(gt=0, le=MOST_MINUTES, validate_default=True, description="longer packs are split")
    ] = 60.0

    @field_validator("max_minutes")
    @classmethod
    def _above_target(cls, value: float, info: ValidationInfo) -> float:
        target = info.data.get("target_minutes", 0)
        if value < target:
            raise ValueError(
                f"{value:g} is not allowed. Allowed: at least target_minutes, {target:g}. "
                "Raise the one, or lower the other."
            )
        return value

    @property
    def studies(self) -> list[str]:
        """Return the names of the studies, one or several."""
        return [self.study] if isinstance(self.study, str) else list(self.study)
