"""Read JSON, and say what is wrong with it and in which line."""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import Any

#: No file of ours is nested deeper; a deeper one would end the recursion of whoever looks at it.
DEEPEST = 60

#: Of a whole number; Python reads no more than 4300.
MOST_DIGITS = 300

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_OTHER_THAN_BRACKETS = re.compile(r"[^\[\]{}]+")
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


class NotJson(ValueError):
    """Raised for a text that is no JSON, or that holds what nobody writes."""


def read_json(text: str | bytes) -> Any:
    """Return the value that a JSON text holds.

    Numbers are finite, no key stands twice, nothing is nested without end.

    Raises
    ------
    NotJson
        saying what is wrong, and where
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        _check_depth(text)
        return _DECODER.decode(text)
    except NotJson:
        raise
    except UnicodeDecodeError as error:
        raise NotJson(f"no text in UTF-8 ({error.reason} at byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)[:200]) from None


def _check_depth(text: str) -> None:
    """Refuse a text whose lists and braces are nested too deep.

    Most texts have few brackets: only for others are the strings taken out and the depth counted.
    """
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    brackets = _OTHER_THAN_BRACKETS.sub("", text)
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) <= DEEPEST:
        return

    brackets = _OTHER_THAN_BRACKETS.sub("", _TEXT.sub("", text))
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > DEEPEST:
        raise NotJson(f"lists or braces nested more than {DEEPEST} deep")


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise NotJson(f"a whole number of {len(digits)} digits")
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise NotJson(f"{digits[:40]} is no finite number")
    return value


def _no_number(name: str) -> None:
    raise NotJson(f"{name} is no finite number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise NotJson(f"the key {twice[:80]!r} stands twice")
    return made


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_number, parse_constant=_no_number
)
