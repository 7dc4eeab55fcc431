"""What a wrong configuration is told: the path of the key, what came, what is allowed, and what to do."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

REMEDY = "Correct it there; docs/reference/configuration.md explains every key."

#: What pydantic says in its own words, in ours.
PLAIN = {
    "dict_type": "`key: value` lines",
    "invalid_key": "a name as key",
    "list_type": "a list of such values",
    "model_type": "`key: value` lines",
    "string_pattern_mismatch": "small letters, digits and _, beginning with a letter",
    "too_short": "at least one",
}

Path = tuple[Any, ...]


def explain(model: type[BaseModel], error: ValidationError, given: dict[str, Any], where: str) -> str:
    """A line for each wrong key.

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
        choices = ", or ".join(dict.fromkeys(allowed[path]))
        lines[path] = f"{_dotted(path)}: {came[path]!r} is not allowed. Allowed: {choices}."

    return "\n".join([*(f"{where}: {line}" for line in sorted(lines.values())), REMEDY])


def unknown_key(key: str, path: Path, allowed: list[str]) -> str:
    """The key with its path, and the nearest right one."""
    return f"{_dotted((*path, key))}: unknown key. {_choices(key, allowed)}"


def not_among(value: str, allowed: list[str], kind: str) -> str:
    """A name that does not exist, and those that do."""
    return f"there is no {kind} {value!r}. {_choices(value, allowed)}"


def _written_path(location: Path, given: Any, kind: str) -> Path:
    """The part of pydantic's path that a user wrote; it also names the branches of unions."""
    path: list[Any] = []
    value = given

    for part in location:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            continue
        path.append(part)

    return (*path, location[-1]) if kind == "missing" else tuple(path)


def _plain_words(kind: str, message: str) -> str:
    return PLAIN.get(kind) or message.removeprefix("Input should be ")


def _innermost(paths: Iterable[Path]) -> list[Path]:
    """Where a list has a wrong item, nothing need be said about the list."""
    every = list(paths)
    return [path for path in every if not any(other[: len(path)] == path != other for other in every)]


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that are allowed at ``path``."""
    for part in path:
        if part in model.model_fields:
            annotation = model.model_fields[part].annotation
            candidates = (annotation, *get_args(annotation))
            model = next((found for found in candidates if hasattr(found, "model_fields")), model)

    return list(model.model_fields)


def _dotted(path: Path) -> str:
    return ".".join(str(part) for part in path) or "(top level)"


def _choices(value: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(value, allowed, n=1)
    guess = f"Did you mean {near[0]!r}? " if near else ""
    return f"{guess}Allowed: {', '.join(allowed)}."
