"""Find arrays of one column that belong together, as ``c_q[1]`` to ``c_q[4]`` or ``quatw`` to ``quatk``."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: A name of one component: its stem, what stands between, and the component.
COMPONENT = re.compile(r"(?P<stem>.*?)(?P<form>[._\-\[ ]*)(?P<component>[0-9a-zA-Z])(?P<end>\]?)", re.DOTALL)

#: Components of quaternions. Letters say the order themselves, numbers do not.
QUATERNION_LETTERS = ("wxyz", "wijk", "rijk")
QUATERNION_NUMBERS = ("1234", "0123")

MATRIX_NUMBERS = ("123456789", "012345678")

LENGTHS = ("xyz", "123", "012", "abc")


@dataclass(frozen=True)
class Columns:
    """Name the arrays that together are one property of the particles.

    Attributes
    ----------
    stem : what their names have in common, for example ``c_q``; of one array its name
    names : in the order of the components
    letters : the components' letters, in the order of the names; empty where they have none
    listed : whether a user gave the names one by one, in this order
    """

    stem: str
    names: tuple[str, ...]
    letters: str = ""
    listed: bool = False

    @property
    def in_words(self) -> str:
        """Return the names as they are shown."""
        return ", ".join(self.names)


def families(names: Iterable[str], endings: Sequence[str]) -> list[Columns]:
    """Return the sets of names that differ in nothing but their component.

    Parameters
    ----------
    names : of arrays of one column
    endings : the components of a whole set, for example ``wxyz``. Of digits a set must have no others.
    """
    return [
        Columns(stem, tuple(members[letter] for letter in ending), "" if ending.isdigit() else ending)
        for stem, members in by_component(names)
        for ending in endings
        if _is_whole(members, ending)
    ]


def by_component(names: Iterable[str]) -> list[tuple[str, dict[str, str]]]:
    """Return stems of names that differ only in their component, with the names by component."""
    groups: dict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
    for name in names:
        found = COMPONENT.fullmatch(name)
        if found:
            groups[found["stem"], found["form"], found["end"]][found["component"].lower()] = name

    return [(stem, members) for (stem, _, _), members in groups.items()]


def listed(names: Sequence[str], endings: Sequence[str]) -> Columns:
    """Return names that a user gave one by one; where their letters tell the components, these are kept."""
    for family in families(names, endings):
        if len(family.names) == len(names):
            letters = dict(zip(family.names, family.letters, strict=bool(family.letters)))
            return Columns(family.stem, tuple(names), "".join(letters.get(name, "") for name in names), True)

    return Columns("", tuple(names), listed=True)


def names_in_text(text: str) -> list[str]:
    """Return the names in a text as `Columns.in_words` shows them; empty where it names one array."""
    names = [name.strip() for name in text.split(",")]
    return names if len(names) > 1 and all(names) else []


def stem_of(given: str | Sequence[str], endings: Sequence[str]) -> str:
    """Return the stem of what a user gave: a name, or the names of columns."""
    if isinstance(given, str):
        several = names_in_text(given)
        return listed(several, endings).stem if several else given
    return given[0] if len(given) == 1 else listed(given, endings).stem


def _is_whole(members: dict[str, str], ending: str) -> bool:
    if ending.isdigit():
        return set(members) == set(ending)
    return set(ending) <= set(members)
