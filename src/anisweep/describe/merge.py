"""Join the outputs of shards into the output of the whole: ``anisweep merge``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from anisweep.datasets import DataError
from anisweep.describe import format_npz
from anisweep.describe.content import Features, joined
from anisweep.describe.output import new_file, writer
from anisweep.describe.provenance import as_text
from anisweep.describe.request import Shard
from anisweep.formatting import counted
from anisweep.parsing.json_text import read_json
from anisweep.parsing.schema import build


@dataclass(frozen=True)
class Merged:
    """What was written.

    Attributes
    ----------
    levels : of the instruction set, also in the provenance; where there are several, the last digits are
        not those of one run
    shape : rows and columns
    """

    levels: list[str]
    shape: tuple[int, int]


def merge(shards: Sequence[Path], output: Path) -> Merged:
    """Write what one run over all frames would have written, bit for bit.

    Raises
    ------
    DataError
        When a shard is missing, there twice, damaged, or of another run than the others.
    """
    write = writer(output)
    check_names(shards, output)

    other = next((path for path in shards if path.suffix == ".mts"), None)
    if other is not None:
        remedy = "describe the shards as .npz; -o may name an .mts"
        raise DataError(str(other), "it is in metatensor's format", "shards in .npz", remedy)

    read = {path: format_npz.read(path) for path in shards}
    order, origin = in_order(shards, [read[path].provenance for path in shards])
    check_columns(read)

    features = joined([read[path] for path in order], as_text(origin))
    with new_file(output) as stream:
        write(features, stream)
    return Merged(origin["levels"], features.shape)


def check_names(shards: Sequence[Path], output: Path) -> None:
    """Refuse an output that is there, and a shard that is named twice."""
    if output.exists():
        raise DataError(str(output), "it is there already", "a new name", "choose one, or remove the file")

    twice = next((path for path in shards if list(shards).count(path) > 1), None)
    if twice is not None:
        raise DataError(str(twice), "it is named twice", "each shard once", "leave it out once")


def in_order(shards: Sequence[Path], provenances: Sequence[str]) -> tuple[list[Path], dict[str, Any]]:
    """Return the shards from the first to the last, and the provenance of their output.

    Raises
    ------
    DataError
        When a shard is missing, there twice, or of another run than the others.
    """
    origins = {path: _origin(path, text) for path, text in zip(shards, provenances, strict=True)}
    order = _in_order(origins)
    origin = origins[order[0]]
    origin["levels"] = sorted({level for each in origins.values() for level in each["levels"]})
    origin["shard"] = {"number": 1, "of": 1}
    return order, origin


@dataclass(frozen=True)
class Origin:
    """Hold what merging must know of where a shard comes from."""

    NEEDED: ClassVar = frozenset({"levels", "shard"})

    levels: tuple[Literal["portable", "avx2", "avx512"], ...]
    shard: Shard


def _origin(path: Path, provenance: str) -> dict[str, Any]:
    """Return the provenance of a shard, as it was written."""
    try:
        plain: dict[str, Any] = read_json(provenance)
        build(Origin, plain)
    except ValueError as error:
        came = f"its provenance cannot be understood ({error})"
        raise DataError(str(path), came, "a file of --shard", "make this shard again") from error
    return plain


def _in_order(origins: dict[Path, dict[str, Any]]) -> list[Path]:
    """Return the shards from the first to the last, when they are all there and belong together."""
    first = next(iter(origins))
    places: dict[int, Path] = {}

    for path, origin in origins.items():
        other = _difference(origins[first], origin)
        if other:
            came = f"its {other} differs from that of {first}"
            raise DataError(str(path), came, "shards of one run", "make them with the same options")

        number = origin["shard"]["number"]
        if number in places:
            came = f"it is shard {number}, and so is {places[number]}"
            raise DataError(str(path), came, "each shard once", "leave one of them out")
        places[number] = path

    of = origins[first]["shard"]["of"]
    missing = [number for number in range(1, of + 1) if number not in places]
    if missing:
        came = f"of {counted(of, 'shard')} these are missing: {', '.join(map(str, missing))}"
        remedy = f"give the same command with --shard {missing[0]}/{of}"
        raise DataError("shards", came, f"all of 1 to {of}", remedy)
    return [places[number] for number in sorted(places)]


def check_columns(read: dict[Path, Features]) -> None:
    """Refuse shards whose columns differ, although their provenance is the same."""
    first, *others = read.values()
    same = [
        np.array_equal(first.columns, other.columns) and np.array_equal(first.neighbours, other.neighbours)
        for other in others
    ]
    if not all(same):
        path = list(read)[1 + same.index(False)]
        came = "its columns differ from those of the first shard"
        raise DataError(str(path), came, "shards of one run", "describe this shard again")


def _difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """Return the name of the first entry that differs and must not; empty when none does."""
    for name in one:
        if name == "shard" and one[name]["of"] == other[name]["of"]:
            continue
        if name != "levels" and one[name] != other.get(name):
            return name
    return ""
