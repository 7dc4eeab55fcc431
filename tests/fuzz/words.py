"""What a message must be: words that fit on a screen."""

from __future__ import annotations

from pathlib import Path

from ase import Atoms

from anisweep.cli.decorators import on_a_screen
from anisweep.datasets import DataError
from anisweep.datasets.user_files.userfile import read_any
from fuzz.campaign import Input


def check_words(message: str) -> None:
    """Assert that this is a message, and one that a terminal stands."""
    shown = on_a_screen(message)
    shown.encode()
    assert shown.strip(), "it says nothing"
    assert "Traceback" not in shown
    assert len(shown) < 45_000


def read_or_refused(given: Input, file: Path) -> list[Atoms] | None:
    """The frames of a file with this content; None where it is refused in words, as a right one never is."""
    file.write_bytes(given.content)
    try:
        return list(read_any(file))
    except DataError as error:
        check_words(str(error))
        if given.right is None:
            return None
        raise
