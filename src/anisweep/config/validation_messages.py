"""Explain a wrong configuration: the path of the key, what came, what is allowed, and what to do."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from anisweep.formatting import counted
from anisweep.parsing.schema import shown

REMEDY = "Correct it there; docs/reference/configuration.md explains every key."

#: So many wrong keys are named; a screen holds no more.
SHOWN = 12

#: What pydantic says in its own words, in ours.
PLAIN = {
    "dict_type": "`key: value` lines",
    "invalid_key": "a name as key",
    "list_type": "a list of such values",
    "model_type": "`key: value` lines",
    "string_type": "text; quote it if it is meant as one",
    "string_too_short": "at least one character",
    "too_long": "a shorter list",
    "string_pattern_mismatch": "small letters, digits and _, beginning with a letter",
    "too_short": "at least one",
}

Path = tuple[Any, ...]


class Item(str):
    """A place in a list, in words: `item 1` is the first one."""

    __slots__ = ()


def explain(model: type[BaseModel], error: ValidationError, given: dict[str, Any], where: str) -> str:
    """Return a message with a line for each wrong key.

    Parameters
    ----------
    model : the class that ``given`` does not fit
    where : the file, in words
    """
    lines: dict[Path, str] = {}
    allowed: dict[Path, list[str]] = defaultdict(list)
    came: dict[Path, Any] = {}

    for details in error.errors():
        path = _written_path(details["loc"], given, details["type"])

        if details["type"] == "extra_forbidden":
            lines[path] = unknown_key(str(path[-1]), path[:-1], _keys_at(model, path[:-1]))
        elif details["type"] == "missing":
            lines[path] = f"{_dotted(path)}: the key is missing. Add it."
        elif details["type"] == "value_error":
            lines[path] = f"{_dotted(path)}: {details['msg'].removeprefix('Value error, ')}"
        else:
            came[path] = details["input"]
            allowed[path].append(_plain_words(details["type"], details["msg"]))

    for path in _innermost(allowed):
        if any(said[: len(path)] == path for said in lines):
            continue  # a check of ours has said it, or what is wrong inside

        choices = ", or ".join(dict.fromkeys(allowed[path]))
        lines[path] = f"{_dotted(path)}: {shown(came[path])} is not allowed. Allowed: {choices}."

    said = [f"{where}: {line}" for line in sorted(lines.values())]
    more = (
        [f"and {counted(len(said) - SHOWN, 'more key is', 'more keys are')} wrong"]
        if len(said) > SHOWN
        else []
    )
    return "\n".join([*said[:SHOWN], *more, REMEDY])


def unknown_key(key: str, path: Path, allowed: list[str]) -> str:
    """Name an unknown key with its path, and the nearest right one."""
    return f"{_dotted((*path, key[:80]))}: unknown key. {_choices(key, allowed)}"


def not_among(value: str, allowed: list[str], kind: str) -> str:
    """Say that a name does not exist, and which ones do."""
    return f"there is no {kind} {shown(value)}. {_choices(value, allowed)}"


def in_yaml(refusal: Exception) -> str:
    """Return the words of a refusal of the descriptors, with the values as YAML spells them."""
    spelled = {"None": "null", "True": "true", "False": "false"}
    return re.sub(r"(?<!['\w])(None|True|False)(?!['\w])", lambda found: spelled[found[0]], str(refusal))


def _written_path(location: Path, given: Any, kind: str) -> Path:
    """Return the part of pydantic's path that a user wrote; it also names the branches of unions."""
    path: list[Any] = []
    value = given

    for part in location:
        in_list = isinstance(value, list)
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            continue
        path.append(Item(f"item {part + 1}") if in_list else part)

    return (*path, location[-1]) if kind == "missing" else tuple(path)


def _plain_words(kind: str, message: str) -> str:
    return PLAIN.get(kind) or message.removeprefix("Input should be ")


def _innermost(paths: Iterable[Path]) -> list[Path]:
    """Return the paths that lead to no other path: of a list with a wrong item only the item is named."""
    every = list(paths)
    return [path for path in every if not any(other[: len(path)] == path != other for other in every)]


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    """Return the keys that are allowed at ``path``."""
    for part in path:
        if part in model.model_fields:
            annotation = model.model_fields[part].annotation
            candidates = (annotation, *get_args(annotation))
            model = next((found for found in candidates if hasattr(found, "model_fields")), model)

    return list(model.model_fields)


def _dotted(path: Path) -> str:
    words = ""
    for before, part in zip((None, *path), path, strict=False):
        between = ", " if isinstance(part, Item) or isinstance(before, Item) else "."
        words += f"{between if words else ''}{str(part)[:80]}"
    return words or "(top level)"


def _choices(value: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(value, allowed, n=1)
    guess = f"Did you mean {near[0]!r}? " if near else ""
    return f"{guess}Allowed: {', '.join(allowed)}."
