"""``anisweep merge``: the outputs of shards become the output of the whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anisweep.datasets import DataError
from anisweep.features import npz
from anisweep.features.features import joined
from anisweep.features.output import whole, writer
from anisweep.features.provenance import as_text


def merge(shards: Sequence[Path], output: Path) -> list[str]:
    """Write what one run over all frames would have written, bit for bit.

    Returns
    -------
    list of str
        The levels of the instruction set, also in the provenance. Where there are several, the last digits
        are not those of one run.

    Raises
    ------
    DataError
        When a shard is missing, there twice, damaged, or of another run than the others.
    """
    write = writer(output)
    if output.exists():
        raise DataError(str(output), "it is there already", "a new name", "choose one, or remove the file")

    twice = next((path for path in shards if shards.count(path) > 1), None)
    if twice is not None:
        raise DataError(str(twice), "it is named twice", "each shard once", "leave it out once")

    other = next((path for path in shards if path.suffix == ".mts"), None)
    if other is not None:
        remedy = "describe the shards as .npz; -o may name an .mts"
        raise DataError(str(other), "it is in metatensor's format", "shards in .npz", remedy)

    read = {path: npz.read(path) for path in shards}
    origins = {path: json.loads(features.provenance) for path, features in read.items()}
    order = _in_order(origins)

    origin = origins[order[0]]
    origin["levels"] = sorted({level for each in origins.values() for level in each["levels"]})
    origin["shard"] = {"number": 1, "of": 1}

    with whole(output) as stream:
        write(joined([read[path] for path in order], as_text(origin)), stream)

    levels: list[str] = origin["levels"]
    return levels


def _in_order(origins: dict[Path, dict[str, Any]]) -> list[Path]:
    """The shards from the first to the last, when they are all there and belong together."""
    first = next(iter(origins))
    places: dict[int, Path] = {}

    for path, origin in origins.items():
        other = _difference(origins[first], origin)
        if other:
            came = f"its {other} differs from that of {first}"
            raise DataError(str(path), came, "shards of one run", "describe with the same options")

        number = origin["shard"]["number"]
        if number in places:
            came = f"it is shard {number}, and so is {places[number]}"
            raise DataError(str(path), came, "each shard once", "leave one of them out")
        places[number] = path

    of = origins[first]["shard"]["of"]
    missing = [number for number in range(1, of + 1) if number not in places]
    if missing:
        came = f"of {of} shards these are missing: {', '.join(map(str, missing))}"
        remedy = f"anisweep describe ... --shard {missing[0]}/{of}"
        raise DataError("shards", came, f"all of 1 to {of}", remedy)
    return [places[number] for number in sorted(places)]


def _difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """The name of what differs, if anything does that must not."""
    for name in one:
        if name == "shard" and one[name]["of"] == other[name]["of"]:
            continue
        if name != "levels" and one[name] != other.get(name):
            return name
    return ""
