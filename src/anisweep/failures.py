"""Expected failures as the text that a user reads: what is wrong, where, what is allowed, what to do."""

from __future__ import annotations

import errno

from anisweep.config import ConfigError
from anisweep.datasets import DataError
from anisweep.descriptors import BadInput
from anisweep.reading import DamagedArtifact

#: Everything else is a fault of ours, and keeps its traceback.
EXPECTED = (ConfigError, DataError, BadInput, DamagedArtifact, OSError)

FULL = (
    "a disk with room",
    "Make room (`df -h .` shows where), then run the same command again; nothing that was measured is lost.",
)
FORBIDDEN = (
    "a folder that you may read and write",
    "Mend the permissions (`ls -ld` shows them), or work in a clone of your own.",
)
ABSENT = ("a path that exists", "Correct the path; it counts from the current folder.")
FOLDER = ("a plain file", "Name a file, or move the folder out of the way.")

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


def message(error: Exception) -> str:
    """The text of an expected failure."""
    if not isinstance(error, OSError):
        return str(error)

    allowed, remedy = REMEDIES.get(error.errno or 0, OTHERWISE)
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}. Allowed: {allowed}.\n{remedy}"
