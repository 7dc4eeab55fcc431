"""Structures of C that Python mirrors by position: a member out of its place is refused, not misread."""

from __future__ import annotations

import ctypes

import pytest

from anisweep.descriptors.kernels import loader, structures

MIRRORED = ("Basis", "Particles", "Task", "Derivatives")


def changed(name: str, fields: list[tuple[str, type]]) -> type[ctypes.Structure]:
    """The structure of this name with other members."""
    return type(name, (ctypes.Structure,), {"_fields_": fields})


def swapped(fields: list[tuple[str, type]], first: int) -> list[tuple[str, type]]:
    """Two members, one after the other, in each other's place."""
    before, (one, other), after = fields[:first], fields[first : first + 2], fields[first + 2 :]
    return [*before, other, one, *after]


SWAPS = [(name, first) for name in MIRRORED for first in range(len(getattr(structures, name)._fields_) - 1)]


@pytest.mark.parametrize(("name", "first"), SWAPS)
def test_two_members_in_each_other_s_place_are_refused(monkeypatch, name, first):
    fields = list(getattr(structures, name)._fields_)
    monkeypatch.setattr(structures, name, changed(name, swapped(fields, first)))

    with pytest.raises(ImportError, match=rf"{name}\.{fields[first][0]} lies at byte \d+ .* and at byte \d+"):
        structures.check_layout(loader.kernels())


@pytest.mark.parametrize("name", MIRRORED)
def test_a_member_that_only_one_side_has_is_refused(monkeypatch, name):
    fields = list(getattr(structures, name)._fields_)

    for others in ([*fields, ("new", ctypes.c_int64)], fields[:-1]):
        monkeypatch.setattr(structures, name, changed(name, others))
        with pytest.raises(ImportError, match=rf"{name} lies at byte 0 with .*Install again with"):
            structures.check_layout(loader.kernels())


def test_a_member_of_another_size_is_refused(monkeypatch):
    fields = [(name, ctypes.c_int32 if name == "row" else kind) for name, kind in structures.Basis._fields_]
    monkeypatch.setattr(structures, "Basis", changed("Basis", fields))

    with pytest.raises(ImportError, match=r"Basis\.row lies at byte 24 with 8 bytes .* with 4 bytes"):
        structures.check_layout(loader.kernels())


def test_each_library_is_checked_when_it_is_loaded(monkeypatch):
    fields = swapped(list(structures.Particles._fields_), 0)
    monkeypatch.setattr(structures, "Particles", changed("Particles", fields))
    loader._library.cache_clear()

    with pytest.raises(ImportError, match=r"Particles\.positions lies at byte 0"):
        loader.kernels()

    monkeypatch.undo()
    loader._library.cache_clear()
    assert loader.kernels()
