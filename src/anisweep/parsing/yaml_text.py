"""Read YAML, and say what is wrong with it and in which line."""

from __future__ import annotations

import re
from typing import Any

import yaml

#: A study has some hundred values; lists that an alias repeats count as often as they are repeated.
MOST_VALUES = 20_000
DEEPEST = 30
LONGEST = 2**18

#: Whole numbers beyond this are nobody's.
LARGEST_INTEGER = 2**63 - 1

#: A key whose value stands at its colon, which makes one word of both. Addresses and times are none.
NO_BLANK = re.compile(r"^\s*(?:- )?(?P<key>[A-Za-z_]\w*):(?P<value>[^\s:/\\].*)$")

#: The tag of ``<<``, which takes over the keys of other mappings.
MERGE = "tag:yaml.org,2002:merge"

#: What PyYAML raises beside its own errors: of dates, numbers, keys and characters that cannot be.
RAISED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)


class NotYaml(ValueError):
    """Raised for a text that is no YAML, or that holds what nobody writes."""


def read_yaml_text(text: str) -> Any:
    """Return what a YAML document holds; duplicate keys, alias bombs and endless nesting are refused.

    Raises
    ------
    NotYaml
        saying what is wrong, and in which line
    """
    if len(text) > LONGEST:
        raise NotYaml(f"{len(text):,} characters; at most {LONGEST:,} are read")

    try:
        return yaml.load(text, _Loader)  # a SafeLoader
    except NotYaml:
        raise
    except yaml.MarkedYAMLError as error:
        raise NotYaml(_in_words(error, text)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise NotYaml(f"line {line}: the character {text[error.position]!a} is not allowed") from None
    except yaml.YAMLError as error:
        raise NotYaml(str(error)[:300]) from None
    except RAISED as error:
        raise NotYaml(f"it cannot be understood ({type(error).__name__})") from None


def blank_missing(text: str, last: int = MOST_VALUES) -> str:
    """Return which line lacks the blank behind its colon, in words; empty where none does.

    Parameters
    ----------
    last : number of the last line that is looked at; the nearest one before it is named
    """
    lines = text.splitlines()[:last]
    for number, line in reversed(list(enumerate(lines, start=1))):
        found = NO_BLANK.match(line)
        if found:
            key, value = found["key"][:40], found["value"].strip()[:40]
            return f"line {number}: a blank is missing after the colon. Write `{key}: {value}`"
    return ""


def _in_words(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark or error.context_mark
    blank = blank_missing(text, mark.line + 1) if mark else ""
    return blank or _as_yaml_says(error)


def _as_yaml_says(error: yaml.MarkedYAMLError) -> str:
    problem = " ".join(f"{error.context or ''} {error.problem or ''}".split())[:300]
    mark = error.problem_mark or error.context_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem


class _Loader(yaml.SafeLoader):
    """Load YAML as SafeLoader does, within bounds, without duplicate keys, and with a line in every error."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.values = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node, and refuse documents that are too deep or too large."""
        self.depth += 1
        self.values += 1
        line = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]

        if self.depth > DEEPEST:
            raise NotYaml(f"line {line}: nested more than {DEEPEST} deep")
        if self.values > MOST_VALUES:
            raise NotYaml(f"line {line}: more than {MOST_VALUES:,} values")

        node: yaml.Node | None = super().compose_node(parent, index)  # type: ignore[no-untyped-call]
        self.depth -= 1
        return node

    def construct_document(self, node: yaml.Node) -> Any:
        """Construct a document, after a look at how large its aliases make it."""
        _check_size(node, {}, ())
        return super().construct_document(node)  # type: ignore[no-untyped-call]

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Construct a value, and add its line to errors that PyYAML itself does not catch."""
        try:
            made = super().construct_object(node, deep=deep)  # type: ignore[no-untyped-call]
            if isinstance(node, yaml.ScalarNode):
                _check_scalar(made)
            return made
        except RAISED as error:
            if isinstance(error, NotYaml):
                raise
            raise NotYaml(f"line {node.start_mark.line + 1}: {_complaint(node, error)}") from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Construct a mapping, and refuse duplicate keys."""
        seen = set()

        for key_node, _ in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == MERGE:
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise NotYaml(f"line {line}: a list or braces where a key belongs")

            key = self.construct_object(key_node, deep=deep)
            if key in seen:
                raise NotYaml(f"line {line}: the key {str(key)[:80]!r} stands twice. Keep one of them.")
            seen.add(key)

        return super().construct_mapping(node, deep=deep)


def _check_size(node: yaml.Node, known: dict[int, int], above: tuple[int, ...]) -> int:
    """Return how many values a node holds, with those of its aliases; refuse too many."""
    line = node.start_mark.line + 1
    if id(node) in above:
        raise NotYaml(f"line {line}: it holds itself")

    if id(node) not in known:
        inside = _children(node)
        known[id(node)] = 1 + sum(_check_size(child, known, (*above, id(node))) for child in inside)
    if known[id(node)] > MOST_VALUES:
        raise NotYaml(f"line {line}: more than {MOST_VALUES:,} values, with those that aliases repeat")
    return known[id(node)]


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [each for pair in node.value for each in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _check_scalar(value: Any) -> None:
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise OverflowError("a whole number beyond 64 bits")
    if isinstance(value, str):
        value.encode()  # half of a pair of surrogates cannot be written anywhere


def _complaint(node: yaml.Node, error: Exception) -> str:
    if not isinstance(node, yaml.ScalarNode):
        return f"it cannot be understood ({type(error).__name__})"

    kind = node.tag.rpartition(":")[2]
    written = node.value if len(node.value) <= 40 else f"{node.value[:40]}..."
    what = {"timestamp": "date", "int": "whole number", "float": "number", "str": "text"}.get(kind, kind)
    return f"{written!a} is no {what} that there is; quote it if words are meant"
