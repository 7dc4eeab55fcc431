"""Numbers in sentences: one is singular, everything else plural."""

import pytest

from anisweep.formatting import counted


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 packs"), (1, "1 pack"), (2, "2 packs"), (1234, "1,234 packs")]
)
def test_what_is_counted_is_singular_for_one_alone(number, words):
    assert counted(number, "pack") == words


def test_plurals_without_an_s_are_given():
    assert [counted(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]
