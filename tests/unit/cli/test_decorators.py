"""How commands report what went wrong, and run without the search for cycles."""

import gc

import pytest

from anisweep.cli.decorators import plainly, short_lived


def test_a_reader_that_has_seen_enough_is_no_trouble_of_the_disk() -> None:
    """As in ``anisweep claims | head``; click ends in silence."""

    @plainly
    def command() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        command()


def test_the_search_for_cycles_is_on_again_after_a_short_command_that_fails() -> None:
    seen = []

    @short_lived
    def command() -> None:
        seen.append(gc.isenabled())
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        command()
    assert seen == [False]
    assert gc.isenabled()
