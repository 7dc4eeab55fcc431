"""Print messages to the user; a closed terminal, a broken pipe or a full disk never stops the work."""

from __future__ import annotations

import logging
import os
import select
import sys
import traceback
from contextlib import suppress
from typing import Any

#: What a stream may raise: its other end is gone, it is closed, a signal came in the middle of a line.
FAILURES = (OSError, ValueError, RuntimeError)

#: A descriptor whose other end is gone.
DEAD = select.POLLHUP | select.POLLERR


def say(words: str) -> None:
    """Print a line for the user, also where Snakemake is told to be quiet."""
    with suppress(*FAILURES):
        print(words, file=sys.stderr, flush=True)


def jobs_that(number: int, one: str = "", several: str = "") -> str:
    """Return how many jobs there are, with a verb if one is given: ``1 job stays``, ``2 jobs stay``."""
    return f"1 job {one}".rstrip() if number == 1 else f"{number:,} jobs {several}".rstrip()


def in_words(error: BaseException) -> str:
    """Say in a line what happened and where."""
    said = " ".join(f"{type(error).__name__}: {error}".split())
    frames = traceback.extract_tb(error.__traceback__)
    return f"{said} ({frames[-1].filename}, line {frames[-1].lineno})" if frames else said


class Unbreakable:
    """Wrap a text stream, and lose what cannot be written."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, or lose it."""
        try:
            return int(self._stream.write(text))
        except FAILURES:
            return len(text)

    def flush(self) -> None:
        """Flush the stream, or lose what is in it."""
        with suppress(*FAILURES):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        """Return any other attribute of the stream."""
        return getattr(self._stream, name)


def outlive_the_listeners(logger: logging.Logger) -> None:
    """Let no print of this program, and no line of Snakemake's log, fail because of where it goes."""
    logging.raiseExceptions = False  # else a full disk under a log prints tracebacks
    sys.stdout, sys.stderr = _unbreakable(sys.stdout), _unbreakable(sys.stderr)
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.stream = _unbreakable(handler.stream)


def _unbreakable(stream: Any) -> Any:
    return stream if stream is None or isinstance(stream, Unbreakable) else Unbreakable(stream)


def release_dead_ends() -> None:
    """Send standard output and error to nowhere once nobody can hear them: a local rule would die of it."""
    looked_at = select.poll()
    for descriptor in (1, 2):
        looked_at.register(descriptor, 0)

    dead = [descriptor for descriptor, state in looked_at.poll(0) if state & DEAD]
    if not dead:
        return

    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in dead:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
