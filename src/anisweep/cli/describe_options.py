"""Turn the options of `anisweep describe` into what the library takes."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from anisweep.cell import Hypers
from anisweep.datasets.species import name_from_yaml
from anisweep.describe import Request, Shard
from anisweep.descriptors.arrays import LARGEST
from anisweep.errors import UserError
from anisweep.parsing.numbers import is_number
from anisweep.parsing.yaml_text import NotYaml, read_yaml_text

DEFAULTS = Hypers()


def request_of(file: Path, given: dict[str, Any]) -> Request:
    """Return the options as the library takes them."""
    if given["radial_gaussian_width"] is None and given["radial_basis_name"] == "gto":
        given["radial_gaussian_width"] = DEFAULTS.radial_gaussian_width

    given["max_radial"] = _max_radial(given["max_radial"])
    return replace(
        reading_of(file, given),
        hypers=Hypers(**{field.name: given[field.name] for field in fields(Hypers)}),
        output="coefficients" if given.get("coefficients") else "power_spectrum",
        per_centre=not given.get("average"),
        pairs=given.get("pair", ()),
        shard=_shard(given["shard"]),
        cutoff_smoothing=given["cutoff_smoothing"],
        precision=given["precision"],
    )


def reading_of(file: Path, given: dict[str, Any]) -> Request:
    """Return how the arrays of a file are read, with usual hyperparameters."""
    return Request(
        file,
        orientations=_orientations(given["orientations"]),
        orientation_order=given["orientation_order"],
        radii=given["radii"],
        file_format=given["file_format"],
        diameters=_diameters(given["diameters"]),
    )


def _max_radial(text: str | None) -> int | tuple[int, ...] | None:
    if text is None:
        return None
    if not re.fullmatch(r"-?\d{1,18}(,-?\d{1,18})*", text):
        raise UserError(
            f"--max-radial {text}: not allowed. Allowed: a whole number, or one for each l.\n"
            "For example --max-radial 6 or --max-radial 3,2,2,1."
        )
    numbers = tuple(map(int, text.split(",")))
    return numbers if "," in text else numbers[0]


def _orientations(text: str) -> str | tuple[str, ...]:
    """Return a name, or several in brackets."""
    return _names(text) or text


def _names(text: str) -> tuple[str, ...]:
    """Return the names in `[c_q[1], c_q[2], c_q[3], c_q[4]]`, which YAML takes only where each is quoted."""
    listed = re.fullmatch(r"\s*\[(.*)\]\s*", text, re.DOTALL)
    if not listed or "," not in listed[1]:
        return ()
    return tuple(name.strip().strip("\"'") for name in listed[1].split(","))


def _diameters(text: str | None) -> Any:
    """Return diameters as the YAML of a study gives them."""
    if text is not None and (names := _names(text)) and not any(map(is_number, names)):
        return names

    given = None if text is None else _yaml_of_diameters(text)
    if given is None or isinstance(given, str) or _are_names(given):
        return given

    if isinstance(given, dict):
        given = _by_species(text, given)
    groups = given.values() if isinstance(given, dict) else [given]
    if not all(map(_are_lengths, groups)):
        raise UserError(
            f"--diameters {text}: not allowed. "
            f"Allowed: three positive lengths in Angstrom below {LARGEST:g}.\n"
            "For example --diameters '[3.0, 3.0, 1.0]', or --diameters '{C: [3, 3, 1], H: [2, 2, 2]}'."
        )
    return given


def _yaml_of_diameters(text: str) -> list[Any] | dict[Any, Any] | str:
    """Return what YAML makes of diameters, where these are lengths, lengths by species, or names."""
    trouble = ""
    try:
        given = read_yaml_text(text)
    except NotYaml as error:
        given, trouble = None, str(error)

    named = isinstance(given, str) or _are_names(given)
    if isinstance(given, (list, dict, str)) and not (named and _bare_lengths(text)):
        return given
    raise _no_diameters(text, trouble)


def _bare_lengths(text: str) -> list[str]:
    """Return the numbers of `3, 3, 1` or `(3 3 1)`; nothing where there are words."""
    words = text.strip(" []()").replace(",", " ").split()
    return words if all(map(is_number, words)) else []


def _no_diameters(text: str, trouble: str) -> UserError:
    """Return the error about a text that is no diameters, with what it could mean."""
    meant = ""
    if lengths := _bare_lengths(text):
        three = {1: lengths * 3, 3: lengths}.get(len(lengths))
        meant = f"[{', '.join(three)}]" if three else ""
    elif trouble and ":" in text and "{" not in text:
        meant = f"{{{text.strip()}}}"
        try:
            read_yaml_text(meant)
        except NotYaml as error:
            meant, trouble = "", str(error)

    why = f" ({trouble.removeprefix('line 1: ').rstrip('.')})" if trouble else ""
    hint = f"Did you mean --diameters {shlex.quote(meant)}? " if meant else ""
    return UserError(
        f"--diameters {text}: not allowed{why}. Allowed: lengths, lengths by species, names of arrays.\n"
        f"{hint}For example --diameters '[3, 3, 1]', --diameters '{{C: [3, 3, 1]}}', --diameters widths."
    )


def _by_species(text: str | None, given: dict[Any, Any]) -> dict[str, Any]:
    """Return lengths with names as keys; of some of these YAML makes numbers and truth values."""
    try:
        named = {name_from_yaml(key): lengths for key, lengths in given.items()}
    except ValueError as error:
        raise UserError(f"--diameters {text}: {error}.") from error

    if len(named) < len(given):
        twice = next(name for name, count in Counter(map(name_from_yaml, given)).items() if count > 1)
        raise UserError(
            f"--diameters {text}: species {twice} stands twice. Allowed: each once. Leave one out."
        )
    return named


def _are_names(given: Any) -> bool:
    """Return True if these are names of arrays."""
    return isinstance(given, list) and all(isinstance(name, str) for name in given)


def _are_lengths(given: Any) -> bool:
    """Return True if these are three lengths that a particle can have."""
    if not isinstance(given, list) or len(given) != 3:
        return False
    return all(type(length) in (int, float) and 0 < length < LARGEST for length in given)


def _shard(text: str) -> Shard:
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UserError(
            f"--shard {text}: not allowed. Allowed: I/N with I from 1 to N.\n"
            "For example --shard 1/4, 2/4, 3/4 and 4/4, then anisweep merge."
        )
    return Shard(int(found[1]), int(found[2]))
