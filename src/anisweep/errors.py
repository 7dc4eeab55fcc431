"""Turn expected failures into the text that a user reads: what is wrong, where, and what to do."""

from __future__ import annotations

import errno
import io
import sys


class UserError(ValueError):
    """Raised for what the user gave; the message says what is wrong, where, what is allowed, what to do."""


FULL = (
    "a disk with room",
    "Make room (`df -h .` shows where), then run the same command again; nothing that was measured is lost.",
)
FORBIDDEN = (
    "a folder that you may read and write",
    "Mend the permissions (`ls -ld` shows them), or work in a clone of your own.",
)
ABSENT = ("a path that exists", "Correct the path; it counts from the current folder.")
FOLDER = ("a plain file", "Name a file, or move what is there out of the way.")

REMEDIES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: FULL,
    errno.EACCES: FORBIDDEN,
    errno.EPERM: FORBIDDEN,
    errno.EROFS: FORBIDDEN,
    errno.ENOENT: ABSENT,
    errno.EISDIR: FOLDER,
    errno.ENOTDIR: FOLDER,
}
OTHERWISE = ("a healthy file system", "Look at its messages (`dmesg`), then run the same command again.")


def expected_errors() -> tuple[type[Exception], ...]:
    """Return the errors that have a message for the user; any other is a fault of ours, with a traceback.

    Python asks for them only when something was raised: a command that goes well does not wait for the
    imports.
    """
    from anisweep.artifacts.reading import DamagedArtifact
    from anisweep.datasets import DataError
    from anisweep.descriptors import BadInput

    return UserError, DataError, BadInput, DamagedArtifact, OSError


def escape_what_is_no_text() -> None:
    """Escape, from now on, printed characters that are no text or that the terminal cannot show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def message(error: Exception) -> str:
    """Return the text that a user reads about an expected failure."""
    if not isinstance(error, OSError):
        return str(error)

    allowed, remedy = REMEDIES.get(error.errno or 0, OTHERWISE)
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}. Allowed: {allowed}.\n{remedy}"
