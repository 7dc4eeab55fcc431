"""Tell whether a job in the queue still makes what is wanted: same command, image and inputs."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from snakemake_executor_plugin_condorsweep.batch import Entry
from snakemake_executor_plugin_condorsweep.gathering import Task

#: Of a larger file size and date stand for the content.
LARGEST_READ = 2**30


class Contents:
    """Compute digests of files, each of which is read once as long as its size and date stay."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[tuple[str, int, int, int], str] = {}

    def of(self, task: Task) -> tuple[str, ...]:
        """Return a digest for each input; empty for one that is not there or whose content does not count."""
        return tuple("" if file in task.ancient else self._of_path(self._root / file) for file in task.inputs)

    def _of_path(self, path: Path) -> str:
        with suppress(OSError):
            if not path.is_dir():
                return self._of_file(path)

            whole = hashlib.blake2b(digest_size=16)
            for file in sorted(file for file in path.rglob("*") if file.is_file()):
                whole.update(f"{file.relative_to(path)!a} {self._of_file(file)}\n".encode())
            return whole.hexdigest()
        return ""

    def _of_file(self, path: Path) -> str:
        status = path.stat()
        key = str(path), status.st_size, status.st_mtime_ns, status.st_ino
        if status.st_size > LARGEST_READ:
            return f"{status.st_size}-{status.st_mtime_ns}"

        if key not in self._known:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16))
            self._known[key] = digest.hexdigest()
        return self._known[key]


def difference(entry: Entry, task: Task, contents: Contents) -> str:
    """Say what has changed since an entry was submitted; empty when nothing has.

    Of entries that other programs wrote, only what these wrote down is compared.
    """
    if entry.command != task.command:
        return "its command has changed"
    if entry.image != "" and entry.image != task.shape.image:
        return f"its image has changed from {entry.image or 'none'}"
    if entry.parcel != task.parcel:
        return "other outputs, logs or a benchmark are declared"
    if not entry.contents:
        return ""

    if set(entry.inputs) != set(task.inputs):
        return "other inputs are declared"
    before = dict(zip(entry.inputs, entry.contents, strict=False))
    now = dict(zip(task.inputs, contents.of(task), strict=True))
    changed = [file for file in task.inputs if before[file] and now[file] and before[file] != now[file]]
    return f"its input {', '.join(changed)} has changed" if changed else ""
