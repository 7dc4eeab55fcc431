"""Build data classes from plain values, as JSON gives them, and refuse what does not fit their annotations.

Whatever was written by another program, another version or another person is checked here before it is
believed: types, ranges, missing and unknown keys. Limits stand in the annotations, as in
``Annotated[int, Within(1, 1000)]``.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Literal, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

Built = TypeVar("Built")
Check = Callable[[Any], Any]

#: Whole numbers beyond this fit into no column of a table.
LARGEST_INTEGER = 2**63 - 1

#: Values without a type of their own may be nested so deep.
DEEPEST = 20

#: Of a value that is not allowed, so much is shown.
SHOWN = 80

#: So many texts are remembered at a time.
MOST_REMEMBERED = 10_000


class Unfit(ValueError):
    """Raised for a plain value that does not fit; it says at which key, what came and what is allowed."""

    def __init__(self, came: str, allowed: str, path: tuple[str, ...] = ()) -> None:
        self.came = came
        self.allowed = allowed
        self.path = path
        place = f"{'.'.join(path)}: " if path else ""
        super().__init__(f"{place}{came}. Allowed: {allowed}")

    def below(self, key: object) -> Unfit:
        """Return the same error as it reads from one level further up."""
        return Unfit(self.came, self.allowed, (str(key)[:SHOWN], *self.path))


class Limit(Protocol):
    """Limit the values of a field; it stands in an annotation beside the type."""

    def objection(self, value: Any) -> str:
        """Return what is allowed instead of a value; empty when the value is."""


@dataclass(frozen=True)
class Within:
    """Limit a number to at least the first bound, and at most the second."""

    low: float
    high: float

    def objection(self, value: Any) -> str:
        """Return the allowed range; empty for a number within it."""
        if self.low <= value <= self.high:
            return ""
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Above:
    """Limit a number to more than the first bound, and at most the second."""

    low: float
    high: float

    def objection(self, value: Any) -> str:
        """Return the allowed range; empty for a number within it."""
        if self.low < value <= self.high:
            return ""
        return f"above {self.low:g}, up to {self.high:g}"


@dataclass(frozen=True)
class OneLine:
    """Limit a text to one line without control characters, which a terminal would obey."""

    longest: int

    def objection(self, value: Any) -> str:
        """Return what texts are allowed; empty for one of them."""
        if len(value) <= self.longest and value.isprintable():
            return ""
        return f"one line of at most {self.longest} characters"


@dataclass(frozen=True)
class Instant:
    """Limit a text to a date with its time of day, or to nothing."""

    def objection(self, value: Any) -> str:
        """Return how a date is written; empty for a date and for no text."""
        try:
            return "" if not value or datetime.fromisoformat(value) else "a date"
        except ValueError:
            return "a date and time, as in 2026-01-31T12:00:00+00:00"


Word = Annotated[str, OneLine(200)]


def later() -> dict[str, Any]:
    """Return the metadata of a field that older artifacts lack."""
    return {"later": True}


def formerly(name: str) -> dict[str, Any]:
    """Return the metadata of a field that has another name in what the former version wrote."""
    return {"formerly": name}


def build(cls: type[Built], plain: Any) -> Built:
    """Build a data class from plain values, and check each of them against its annotation.

    All keys must be there, and no other. A class of what was observed, where another version observes more or
    less, has an attribute ``NEEDED``: these keys must be there, and unknown ones are passed over.

    Raises
    ------
    Unfit
        naming the key, what came and what is allowed
    """
    made: Built = _of_class(cls)(plain)  # type: ignore[arg-type]
    return made


def shown(value: Any) -> str:
    """Return a value as messages show it: as YAML and JSON spell it, on one line, and cut."""
    try:
        text = _spelled(value)
    except (ValueError, RecursionError):  # a whole number of thousands of digits, or a list within itself
        text = f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _spelled(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_spelled(key)}: {_spelled(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_spelled, value))}]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return value.isoformat() if isinstance(value, date) else repr(value)


# --- one check for each annotation ------------------------------------------------------------------------


@cache
def _of_class(cls: Any) -> Check:
    hints = get_type_hints(cls, include_extras=True)
    checks = {field.name: _of(hints[field.name]) for field in fields(cls)}
    former = {each.metadata["formerly"]: each.name for each in fields(cls) if "formerly" in each.metadata}
    strict = not hasattr(cls, "NEEDED")
    needed = _all_but_later(cls) if strict else cls.NEEDED

    def check(plain: Any) -> Any:
        if not isinstance(plain, dict):
            raise Unfit(shown(plain), "`key: value` pairs")

        for old, new in former.items():
            if old in plain and new not in plain:
                plain = {new if key == old else key: value for key, value in plain.items()}

        missing = needed - plain.keys()
        if missing:
            raise Unfit("the key is missing", "a value", (sorted(missing)[0],))

        if strict and not plain.keys() <= checks.keys():
            unknown = next(key for key in plain if key not in checks)
            raise Unfit("unknown key", ", ".join(checks), (str(unknown)[:SHOWN],))

        values, key = {}, None
        try:
            for key, value in plain.items():
                if key in checks:
                    values[key] = checks[key](value)
        except Unfit as unfit:
            raise unfit.below(key) from None
        return cls(**values)

    return check


def _all_but_later(cls: Any) -> frozenset[str]:
    return frozenset(field.name for field in fields(cls) if not field.metadata.get("later"))


def _each(check: Check, entries: Iterable[tuple[object, Any]]) -> list[Any]:
    """Return what a check makes of values that have a key or a place, which its complaint names."""
    made, key = [], None
    try:
        for key, value in entries:  # noqa: B007
            made.append(check(value))
    except Unfit as unfit:
        raise unfit.below(key) from None
    return made


@cache
def _of(hint: Any) -> Check:
    """Return the function that checks a value against an annotation and converts it."""
    origin, arguments = get_origin(hint), get_args(hint)

    if origin is Annotated:
        return _limited(_of(arguments[0]), arguments[1:])
    if origin is Literal:
        return _choice(arguments)
    if origin in (Union, types.UnionType):
        return _any_of([_of(argument) for argument in arguments])
    if origin in (list, tuple):
        return _listed(origin, _of(arguments[0]))
    if origin is dict:
        return _mapped(_of(arguments[0]), _of(arguments[1]))
    if is_dataclass(hint):
        return _of_class(hint)  # type: ignore[arg-type]
    return SIMPLE[hint]


def _whole(value: Any) -> int:
    if type(value) is int and abs(value) <= LARGEST_INTEGER:
        return value
    raise Unfit(shown(value), "a whole number")


def _number(value: Any) -> float:
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int and abs(value) <= LARGEST_INTEGER:
        return value
    raise Unfit(shown(value), "a finite number")


def _text(value: Any) -> str:
    if isinstance(value, str) and "\0" not in value and (value.isascii() or _can_be_written(value)):
        return value
    raise Unfit(shown(value), "text")


def _can_be_written(text: str) -> bool:
    """Return True if a text can be encoded in UTF-8, which half a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise Unfit(shown(value), "true or false")


def _nothing(value: Any) -> None:
    if value is not None:
        raise Unfit(shown(value), "null")


def _anything(value: Any, depth: int = 0) -> Any:
    """Return a value of unknown type, after a check that its numbers are finite and its texts are text."""
    if depth > DEEPEST:
        raise Unfit("lists within lists", f"at most {DEEPEST} of them")
    if isinstance(value, dict):
        return {_text(key): _anything(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_anything(inner, depth + 1) for inner in value]
    if isinstance(value, str):
        return _text(value)
    return value if value is None or isinstance(value, bool) else _number(value)


SIMPLE: dict[Any, Check] = {
    int: _whole,
    float: _number,
    str: _text,
    bool: _truth,
    type(None): _nothing,
    Any: _anything,
}


def _limited(check: Check, limits: tuple[Limit, ...]) -> Check:
    def checked(value: Any) -> Any:
        made = check(value)
        for limit in limits:
            if allowed := limit.objection(made):
                raise Unfit(shown(value), allowed)
        return made

    if check is _text:
        return _remembering(checked)
    if check is _number and isinstance(limits[0], Within):
        return _quick_within(limits[0], checked)
    return checked


def _remembering(check: Check) -> Check:
    """Return a check of texts that remembers those which it allowed: most come again in a thousand rows."""
    allowed: set[str] = set()

    def checked(value: Any) -> Any:
        if type(value) is str and value in allowed:
            return value
        made = check(value)
        if len(allowed) == MOST_REMEMBERED:
            allowed.clear()
        allowed.add(made)
        return made

    return checked


def _quick_within(limit: Within, check: Check) -> Check:
    """Return a check that asks the whole one only about what is no number within the limit."""
    low, high = limit.low, limit.high

    def checked(value: Any) -> Any:
        return value if type(value) is float and low <= value <= high else check(value)

    return checked


def _choice(allowed: tuple[Any, ...]) -> Check:
    def checked(value: Any) -> Any:
        if isinstance(value, str) and value in allowed:
            return value
        raise Unfit(shown(value), " or ".join(map(repr, allowed)))

    return checked


def _any_of(checks: list[Check]) -> Check:
    may_be_nothing = _nothing in checks

    def checked(value: Any) -> Any:
        if value is None and may_be_nothing:  # most fields of most rows: no complaint has to be worded
            return None

        complaints: list[Unfit] = []
        for check in checks:
            try:
                return check(value)
            except Unfit as unfit:
                complaints.append(unfit)

        deepest = max(complaints, key=lambda unfit: len(unfit.path))
        allowed = ", or ".join(dict.fromkeys(unfit.allowed for unfit in complaints))
        raise deepest if deepest.path else Unfit(shown(value), allowed)

    return checked


def _listed(kind: Callable[[list[Any]], Any], check: Check) -> Check:
    def checked(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise Unfit(shown(value), "a list")
        return kind(_each(check, enumerate(value)))

    return checked


def _mapped(key_check: Check, check: Check) -> Check:
    def checked(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Unfit(shown(value), "`key: value` pairs")
        keys = [key_check(key) for key in value]
        return dict(zip(keys, _each(check, value.items()), strict=True))

    return checked
