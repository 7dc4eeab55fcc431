"""Let one run measure at a time, by an operating-system lock that ends with its process.

``snakemake -n``, ``anisweep plan`` and the tables of other people stay allowed while it is held.
"""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import IO, Annotated

from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.files import locked
from anisweep.parsing.json_text import read_json
from anisweep.parsing.schema import Within, Word, build


@dataclass(frozen=True)
class Holder:
    """Say who is measuring, since when, which packs, and as which job, where it is a controller's."""

    host: Word
    user: Word
    pid: int
    since: Annotated[float, Within(0, 1e11)]
    packs: tuple[Word, ...]
    job: Word = field(default="", metadata={"later": True})

    @property
    def who(self) -> str:
        """Return user, host, process, and the number of the job that it is."""
        job = f", job {self.job} of HTCondor" if self.job else ""
        return f"{self.user} on {self.host}, pid {self.pid}{job}"


#: Held open for the life of the process: closing the file would give the lock away.
_held: list[IO[str]] = []


def hold(project: Project, packs: Sequence[str]) -> None:
    """Become the controller.

    Raises
    ------
    UserError
        naming host, user and pid of the one who is
    """
    project.state.mkdir(parents=True, exist_ok=True)
    stream = _lock_file(project).open("a+")

    if not _acquired(stream):
        raise UserError(another_runs(_read(stream)))

    me = Holder(socket.gethostname(), getuser(), os.getpid(), time.time(), tuple(packs), _own_job())
    stream.seek(0)
    stream.truncate()
    stream.write(json.dumps(asdict(me)))
    stream.flush()
    _held.append(stream)


def another_runs(other: Holder) -> str:
    """Say who is measuring, and what a second one can do."""
    since = datetime.fromtimestamp(other.since, UTC)
    stop = "stop it with Ctrl-C there"
    if other.job:
        stop = f"take it and its packs back with `condor_rm {other.job}`"
    return (
        f"Another run is measuring here: {other.who}, since {since:%Y-%m-%d %H:%M:%S} UTC.\n"
        f"Wait for it, or {stop}. `snakemake -n` and `anisweep plan` work meanwhile."
    )


def holder(project: Project) -> Holder | None:
    """Return the controller that runs now, if one does; this process itself does not count."""
    if _held:
        return None

    try:
        stream = _lock_file(project).open("r")
    except (FileNotFoundError, PermissionError):
        return None

    with stream:
        return None if locked(stream, shared=True) else _read(stream)


def _own_job() -> str:
    """Return the number of the job that this process runs in, as a controller does; empty in a terminal."""
    ad = Path(os.environ.get("_CONDOR_JOB_AD", ""))
    found = re.search(r"^ClusterId = (\d+)$", ad.read_text(), re.MULTILINE) if ad.is_file() else None
    return found[1] if found else ""


def _acquired(stream: IO[str]) -> bool:
    """Try for a second: someone who only asks holds the lock for an instant."""
    for _ in range(10):
        if locked(stream):
            return True
        time.sleep(0.1)
    return False


def _read(stream: IO[str]) -> Holder:
    stream.seek(0)
    try:
        return build(Holder, read_json(stream.read()))
    except ValueError:
        return Holder("unknown host", "unknown user", 0, time.time(), ())  # it is about to write its name


def _lock_file(project: Project) -> Path:
    return project.state / "controller.lock"
