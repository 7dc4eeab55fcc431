"""Write frames of a run into a file that grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ase import Atoms

from anisweep.datasets.oriented_xyz import text_of
from anisweep.files import durable


class Trajectory:
    """Add frames to a new file every so many steps; nothing is written where there is no file."""

    def __init__(self, path: Path | None, every: int) -> None:
        self.path = path
        self.every = every
        self._open = ExitStack()
        self._stream: Any = None

    def __enter__(self) -> Trajectory:
        if self.path is not None:
            self._stream = self._open.enter_context(durable(self.path))
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def add(self, step: int, frames: Callable[[], Sequence[Atoms]]) -> None:
        """Write the frames if it is time for it."""
        if self._stream is None or step % self.every:
            return

        for number, frame in enumerate(frames()):
            frame.info["system"] = number
            self._stream.write(text_of(frame).encode())
        self._stream.flush()
