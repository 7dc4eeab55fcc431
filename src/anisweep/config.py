"""The configuration: typed sections, and errors that say which key, what came and what is allowed.

``config/config.yaml`` (defaults) and ``config/schema.json`` are generated from these classes by
``make generated``; a test keeps them equal.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from anisweep import datasets, modes
from anisweep.cell import Basis, Output
from anisweep.explain import REMEDY, explain, not_among, unknown_key

Count = Annotated[int, Field(strict=True, ge=1)]
Order = Annotated[int, Field(strict=True, ge=0, le=20)]
Length = Annotated[float, Field(strict=True, gt=0, le=1000)]
Precision = Literal["fp64", "fp32", "tf32", "bf16", "fp16"]
Device = Literal["cpu", "cuda", "mps"]
Model = TypeVar("Model", bound=BaseModel)
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]

#: Folders below results/ that are no study's.
RESERVED_NAMES = (
    "artifacts",
    "batches",
    "code",
    "controllers",
    "packs",
    "logs",
    "figures",
    "profiler_traces",
    "tables",
)


class ConfigError(ValueError):
    """The configuration cannot be used; the message says where and what to do."""


class Section(BaseModel):
    """A part of the configuration. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class HyperAxes(Section):
    """Hyperparameters by AniSOAP's names; a list of values makes an axis of the sweep."""

    radial_basis_name: Annotated[Basis | list[Basis], Field(description="radial functions")] = "gto"
    max_angular: Annotated[Order | list[Order], Field(description="lmax")] = 6
    max_radial: Annotated[
        Order | list[Order | list[Order] | None] | None,
        Field(description="k: k + 1 functions; null: (lmax - l) // 2 + 1; a list in the list: k for each l"),
    ] = None
    cutoff_radius: Annotated[Length | list[Length], Field(description="Angstrom")] = 7.0
    radial_gaussian_width: Annotated[
        Length | list[Length | None] | None, Field(description="Angstrom; null with the monomial basis")
    ] = 1.5
    subtract_center_contribution: Annotated[
        bool | list[bool], Field(description="leave out each centre's own density")
    ] = False
    basis_rcond: Annotated[
        Annotated[float, Field(ge=0, lt=1)] | list[Annotated[float, Field(ge=0, lt=1)]],
        Field(description="eigenvalues of the radial overlap up to this are dropped"),
    ] = 1e-8
    basis_tol: Annotated[
        Annotated[float, Field(gt=0)] | list[Annotated[float, Field(gt=0)]],
        Field(description="more than this dropped is an error"),
    ] = 1e-3


class Measure(Section):
    """How each cell is measured."""

    processes: Annotated[Count, Field(description="fresh interpreters in each replicate")] = 1
    warmups: Annotated[int, Field(strict=True, ge=0, description="uncounted calls after the first")] = 1
    repetitions: Annotated[int, Field(strict=True, ge=2, description="timed calls")] = 5
    minimum_s: Annotated[float, Field(ge=0, le=60, description="shortest duration of a repetition")] = 0.05
    limit_s: Annotated[float, Field(gt=0, description="a cell that takes longer is `stalled`")] = 600.0
    profile: Annotated[
        bool, Field(description="also write a cProfile of one more call, and sampled stacks")
    ] = False
    invariances: Annotated[
        bool, Field(description="also compute the power spectrum of turned, moved, permuted, mirrored frames")
    ] = False
    downstream: Annotated[
        bool, Field(description="also learn the energies that the data carry from the power spectrum")
    ] = False
    one_off: Annotated[
        bool, Field(description="also time one call in a fresh interpreter, from its start to its result")
    ] = False


class DatasetEntry(Section):
    """A data set of a study: one of the generated ones, or a file of the user's."""

    frames: Annotated[
        Count | Annotated[list[Count], Field(min_length=1)] | None,
        Field(description="the first so many; all when left out; a list makes an axis of the sweep"),
    ] = None
    outputs: Annotated[list[Output] | None, Field(description="instead of the study's")] = None
    file: Annotated[str | None, Field(description="any format that ASE reads")] = None
    orientations: Annotated[str | None, Field(description="array of quaternions (w,x,y,z) or matrices")] = (
        None
    )
    diameters: Annotated[
        list[float] | dict[str, list[float]] | list[str] | str | None,
        Field(description="three lengths, three for each species, or names of arrays"),
    ] = None

    @property
    def frame_counts(self) -> list[int] | list[None]:
        """The numbers of frames, one or several; ``None`` for all."""
        if self.frames is None:
            return [None]
        return list(dict.fromkeys(self.frames)) if isinstance(self.frames, list) else [self.frames]

    @model_validator(mode="after")
    def _only_for_files(self) -> DatasetEntry:
        if self.file is None and (self.orientations or self.diameters):
            raise ValueError(
                "orientations and diameters belong to a `file:`; generated data sets have their own. "
                "Remove these keys, or add `file:`."
            )
        return self


class Sweep(Section):
    """What a study asks: every combination of these becomes a cell."""

    question: Annotated[str, Field(min_length=1, description="one sentence; stands above the answer")]
    anchor: Annotated[str, Field(description="reference mode, run first and last in each pack")] = (
        "numpy_only"
    )
    replicates: Annotated[Count, Field(le=1000, description="packs of their own for each repetition")] = 3
    datasets: Annotated[
        dict[Name, DatasetEntry], Field(min_length=1, description="by name; several are an axis of the sweep")
    ]
    modes: Annotated[
        list[str], Field(min_length=1, description="ways to compute, files of src/anisweep/modes")
    ]
    outputs: Annotated[list[Output], Field(min_length=1, description="what is computed")] = ["coefficients"]
    precisions: Annotated[
        list[Precision], Field(min_length=1, description="what a mode lacks gives a row `unavailable`")
    ] = ["fp64"]
    devices: Annotated[
        list[Device], Field(min_length=1, description="what is absent gives a row `unavailable`")
    ] = ["cpu"]
    threads: Annotated[
        list[Count | Literal["free"]],
        Field(
            min_length=1,
            description="of every pool, pinned and asked; `free` pins nothing, and records what came of it",
        ),
    ] = [1]
    hypers: Annotated[
        Annotated[HyperAxes, Tag("one")] | Annotated[list[HyperAxes], Tag("several"), Field(min_length=1)],
        Discriminator(lambda given: "several" if isinstance(given, list) else "one"),
        Field(description="every combination of the values; of a list of such sections, those of each"),
    ] = HyperAxes()
    measure: Measure = Measure()

    @property
    def hyper_sets(self) -> list[HyperAxes]:
        """The sections of hyperparameters, one or several."""
        return self.hypers if isinstance(self.hypers, list) else [self.hypers]

    @field_validator("anchor")
    @classmethod
    def _known_anchor(cls, value: str) -> str:
        if modes.environment(_known_mode(value)):
            raise ValueError(
                f"{value} needs an interpreter of its own, and the anchor runs in all: choose another mode"
            )
        return value

    @field_validator("modes")
    @classmethod
    def _known_modes(cls, values: list[str]) -> list[str]:
        return [_known_mode(value) for value in values]

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


def _known_mode(name: str) -> str:
    if name not in modes.names():
        raise ValueError(not_among(name, modes.names(), "mode"))
    return name


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


class Config(Section):
    """The switches of a run. Any key of a study may stand beside them and overrides the study's."""

    study: Annotated[Name | list[Name], Field(description="a file of config/studies/, or several")] = (
        "first_look"
    )
    size: Annotated[
        Literal["small", "full"], Field(description="full takes the study's `full:` section too")
    ] = "small"
    site: Annotated[Name, Field(description="where this run measures")] = "local"
    retry: Annotated[bool, Field(description="measure cells again whose row says failed or stalled")] = False
    packing: Annotated[
        Literal["merged", "cell"], Field(description="cell: one job and one archive for each cell")
    ] = "merged"
    target_minutes: Annotated[float, Field(gt=0, description="small packs are merged up to this")] = 4.0
    max_minutes: Annotated[float, Field(gt=0, description="longer packs are split")] = 60.0

    @property
    def studies(self) -> list[str]:
        return [self.study] if isinstance(self.study, str) else list(self.study)


@dataclass(frozen=True)
class Project:
    """Where things lie. Everything is relative to the folder that holds the Snakefile."""

    root: Path

    @classmethod
    def find(cls) -> Project:
        """The project around the current folder, or the one named by ANISWEEP_PROJECT."""
        start = Path(os.environ.get("ANISWEEP_PROJECT", ".")).resolve()

        for folder in (start, *start.parents):
            if (folder / "Snakefile").is_file() and (folder / "config" / "studies").is_dir():
                return cls(folder)

        raise ConfigError(
            f"{start} is not inside an AniSweep project (a folder with Snakefile and config/studies).\n"
            "Change to your clone, or set ANISWEEP_PROJECT to it."
        )

    @property
    def results(self) -> Path:
        return self.root / "results"

    @property
    def artifacts(self) -> Path:
        return self.results / "artifacts"

    @property
    def state(self) -> Path:
        """What can be rebuilt from the rest: indexes and locks."""
        return self.results / ".anisweep"

    def study_file(self, name: str) -> Path:
        return self.root / "config" / "studies" / f"{name}.yaml"

    def study_names(self) -> list[str]:
        return sorted(path.stem for path in (self.root / "config" / "studies").glob("*.yaml"))

    def claim_files(self) -> list[Path]:
        """The sources of claims, one a file; their names give the order."""
        return sorted((self.root / "config" / "claims").glob("*.yaml"))


def load_config(project: Project, overrides: dict[str, Any] | None = None) -> tuple[Config, dict[str, Sweep]]:
    """The configuration and its studies, by name, with ``overrides`` on top.

    Parameters
    ----------
    overrides : what Snakemake's ``--config`` gave; keys of `Config`, or of a study

    Raises
    ------
    ConfigError
        naming the key's path, what came, what is allowed and the nearest right spelling
    """
    file = project.root / "config" / "config.yaml"
    given = _merge(read_yaml(file), overrides or {})

    switches = {key: value for key, value in given.items() if key in Config.model_fields}
    study_overrides = {key: value for key, value in given.items() if key not in Config.model_fields}
    allowed = [*Config.model_fields, *Sweep.model_fields]

    for key in study_overrides:
        if key not in allowed:
            where = f"{_relative(project, file)} or --config"
            raise ConfigError(f"{where}: {unknown_key(key, (), allowed)}\n{REMEDY}")

    config = validated(Config, switches, f"{_relative(project, file)} or --config")
    return config, {name: load_study(project, name, config.size, study_overrides) for name in config.studies}


def overrides_of(pairs: tuple[str, ...]) -> dict[str, Any]:
    """KEY=VALUE, each value as YAML, as Snakemake reads them."""
    given = {}

    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"{pair}: not allowed. Allowed: KEY=VALUE, for example replicates=5.")
        try:
            given[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(
                f"{pair}: the value is no YAML. Allowed: numbers, words, [lists]. "
                "Close every bracket and quotation mark, and quote the whole for the shell."
            ) from None

    return given


def load_study(project: Project, name: str, size: str, overrides: dict[str, Any] | None = None) -> Sweep:
    """One file of config/studies/, at a size, with ``overrides`` on top."""
    if name in RESERVED_NAMES:
        reserved = ", ".join(RESERVED_NAMES)
        raise ConfigError(
            f"study: {name!r} is the name of a folder below results/. Allowed: any but {reserved}. "
            f"Rename {project.study_file(name)}."
        )

    file = project.study_file(name)
    if not file.is_file():
        raise ConfigError(
            f"study: {not_among(name, project.study_names(), 'study')}\n"
            f"It would be {file}; `anisweep new {name} FILE` writes it."
        )

    given = read_yaml(file)
    full = given.pop("full", {})
    if not isinstance(full, dict):
        raise ConfigError(f"{file}: full: {full!r} is not allowed. Allowed: keys of a study. {REMEDY}")
    if size == "full":
        given = _merge(given, full)

    where = str(_relative(project, file))
    if overrides:
        where += " with --config on top"
    return validated(Sweep, _merge(given, overrides or {}), where)


class _Loader(yaml.SafeLoader):
    """YAML without duplicate keys, which PyYAML would take silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()

        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=deep)  # type: ignore[no-untyped-call]
            if key in seen:
                line = key_node.start_mark.line + 1
                raise yaml.YAMLError(f"line {line}: the key {key!r} stands twice. Keep one of them.")
            seen.add(key)

        return super().construct_mapping(node, deep=deep)


def read_yaml(file: Path) -> dict[str, Any]:
    """A file of `key: value` lines, none of them twice; what is wrong with it is said in words."""
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{file}: cannot be read ({error}). Allowed: a text file in UTF-8.\n{REMEDY}"
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{file}: not valid YAML; allowed are `key: value` lines.\n{error}\n{REMEDY}"
        ) from error

    if not isinstance(content, dict):
        came = "nothing" if content is None else f"a {type(content).__name__}"
        raise ConfigError(f"{file}: it holds {came}. Allowed: `key: value` lines.\n{REMEDY}")
    return content


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """``above`` wins; nested mappings are merged, except data sets, which are replaced as a whole."""
    merged = dict(below)

    for key, value in above.items():
        nested = isinstance(value, dict) and isinstance(merged.get(key), dict) and key != "datasets"
        merged[key] = _merge(merged[key], value) if nested else value

    return merged


def validated(model: type[Model], given: dict[str, Any], where: str) -> Model:
    """The typed section, or an error that names each wrong key of ``where``."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ConfigError(explain(model, error, given, where)) from error


def _relative(project: Project, file: Path) -> Path:
    return file.relative_to(project.root) if file.is_relative_to(project.root) else file
