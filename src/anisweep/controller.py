"""One controller at a time: an OS lock that dies with its holder, and a note of who holds it.

``snakemake -n``, ``anisweep plan`` and the tables of other people stay allowed while it is held.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from getpass import getuser
from pathlib import Path
from typing import IO

from anisweep.config import ConfigError, Project


@dataclass(frozen=True)
class Holder:
    """Who is measuring, since when, and which packs."""

    host: str
    user: str
    pid: int
    since: float
    packs: tuple[str, ...]


#: Held open for the life of the process: closing the file would give the lock away.
_held: list[IO[str]] = []


def hold(project: Project, packs: Sequence[str]) -> None:
    """Become the controller.

    Raises
    ------
    ConfigError
        naming host, user and pid of the one who is
    """
    project.state.mkdir(parents=True, exist_ok=True)
    stream = _lock_file(project).open("a+")

    if not _acquired(stream):
        other = _read(stream)
        raise ConfigError(
            f"Another run is measuring here: {other.user} on {other.host}, pid {other.pid}, "
            f"since {time.strftime('%H:%M:%S', time.localtime(other.since))}.\n"
            "Wait for it, or stop it with Ctrl-C there. `snakemake -n` and `anisweep plan` work meanwhile."
        )

    me = Holder(socket.gethostname(), getuser(), os.getpid(), time.time(), tuple(packs))
    stream.seek(0)
    stream.truncate()
    stream.write(json.dumps(asdict(me)))
    stream.flush()
    _held.append(stream)


def holder(project: Project) -> Holder | None:
    """The controller that runs now, if one does; this process itself does not count."""
    if _held:
        return None

    try:
        stream = _lock_file(project).open("r")
    except FileNotFoundError:
        return None

    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(stream)
    return None


def _acquired(stream: IO[str]) -> bool:
    """Try for a second: someone who only asks holds the lock for an instant."""
    for _ in range(10):
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.1)
    return False


def _read(stream: IO[str]) -> Holder:
    stream.seek(0)
    try:
        plain = json.loads(stream.read())
        plain["packs"] = tuple(plain["packs"])
        return Holder(**plain)
    except (ValueError, TypeError, KeyError):
        return Holder("unknown host", "unknown user", 0, time.time(), ())  # it is about to write its name


def _lock_file(project: Project) -> Path:
    return project.state / "controller.lock"
