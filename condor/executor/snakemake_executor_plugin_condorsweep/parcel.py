"""Bring home all that a job has made, together or not at all.

A job whose rule declares more than one plain file leaves a folder, its parcel, that holds what it has made by
numbers: `0`, `1` and so on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

#: The folder in the job.
PARCEL = "condorsweep-parcel"

#: The file in it with the number of bytes of each other file in it.
SIZES = "sizes"


@dataclass(frozen=True)
class Parcel:
    """Describe what a job makes, where that is more than one plain file.

    Attributes
    ----------
    outputs : all files and folders that it brings, relative to the project, the benchmark among them
    touched : those of them that the job has to touch
    benchmark : the file with its measurements; empty for none
    repeats : how often a command with a benchmark runs
    logs : what its command may write to, beside the log of the entry
    """

    outputs: tuple[str, ...]
    touched: tuple[str, ...] = ()
    benchmark: str = ""
    repeats: int = 1
    logs: tuple[str, ...] = ()


def bring_home(
    arrived: Path, accepted: Path, places: Sequence[Path], make_room: Callable[[Path], None]
) -> None:
    """Move what a parcel holds to its places.

    One rename decides: before the parcel is in ``accepted`` nothing of it has moved; from then on whoever
    comes next moves what is left.

    Parameters
    ----------
    arrived : the parcel, as it came from the job
    accepted : where it lies while it is unpacked
    places : where its contents belong, in the order of their numbers
    make_room : sets aside what lies in a place

    Raises
    ------
    ValueError
        when something is missing in the parcel, or not whole; nothing has moved then
    """
    if not accepted.exists():
        _check(arrived, places)
        _sync(arrived)
        accepted.parent.mkdir(exist_ok=True)
        arrived.rename(accepted)
        sync_folder(accepted.parent)

    for number, place in enumerate(places):
        content = accepted / str(number)
        if is_there(content):
            make_room(place)
            place.parent.mkdir(parents=True, exist_ok=True)
            content.rename(place)
            sync_folder(place.parent)
    shutil.rmtree(accepted)


def _check(arrived: Path, places: Sequence[Path]) -> None:
    missing = [str(place) for number, place in enumerate(places) if not is_there(arrived / str(number))]
    if missing:
        raise ValueError(f"{', '.join(missing)} did not arrive")

    listed = arrived / SIZES
    files = (file for file in arrived.rglob("*") if file.is_file() and file != listed)
    came = sorted(file.stat().st_size for file in files)
    if not listed.is_file() or came != sorted(map(int, listed.read_text().split())):
        raise ValueError(
            f"{', '.join(map(str, places))} did not arrive whole, but {sum(came):,} bytes of them"
        )


def _sync(folder: Path) -> None:
    """Make all that is in a folder survive a power cut."""
    for path in (folder, *folder.rglob("*")):
        if path.is_file() or path.is_dir():
            sync_folder(path)


def is_there(path: Path) -> bool:
    """Return True if a path is there, also as a link that leads nowhere."""
    return path.exists() or path.is_symlink()


def sync_folder(folder: Path) -> None:
    """Make names in a folder, or the content of a file, survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems cannot
        pass
    finally:
        os.close(descriptor)
