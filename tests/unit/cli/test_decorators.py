"""How commands report what went wrong."""

import pytest

from anisweep.cli.decorators import plainly


def test_a_reader_that_has_seen_enough_is_no_trouble_of_the_disk() -> None:
    """As in ``anisweep claims | head``; click ends in silence."""

    @plainly
    def command() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        command()
