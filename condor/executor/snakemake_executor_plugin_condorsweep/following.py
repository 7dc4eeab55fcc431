"""Let one program at a time follow a folder of batches, by an operating-system lock that ends with it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import IO

#: The file in the folder of batches. Its holder writes into it who he is.
LOCK = ".following"

#: Someone who only asks holds the lock for an instant.
PATIENCE_S = 1.0


class Followed(Exception):
    """Raised when another program follows this folder; the message says which."""


def follow(folder: Path) -> IO[str]:
    """Become the one who follows the batches of a folder, until the returned file is closed.

    Raises
    ------
    Followed
        naming host, user and pid of the one who does
    """
    folder.mkdir(parents=True, exist_ok=True)
    stream = (folder / LOCK).open("a+", encoding="utf-8")

    if not _acquired(stream):
        with stream:
            raise Followed(
                f"Another run follows the jobs of {folder}: {_read(stream)}.\n"
                "Wait for it, or stop it there; then run again. `snakemake -n` works meanwhile."
            )

    _write(stream)
    return stream


def _acquired(stream: IO[str]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.1)


def _write(stream: IO[str]) -> None:
    me = {
        "user": getuser(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with suppress(OSError):  # the lock counts, the name is a courtesy
        stream.seek(0)
        stream.truncate()
        stream.write(json.dumps(me))
        stream.flush()


def _read(stream: IO[str]) -> str:
    """Say who holds the lock."""
    stream.seek(0)
    try:
        holder = json.loads(stream.read())
        return f"{holder['user']} on {holder['host']}, pid {holder['pid']}, since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "it is about to write its name"
