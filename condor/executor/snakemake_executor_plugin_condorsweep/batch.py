"""The batch folder: all that is known of one submission, on disk before it is made.

    <batches>/<id>/
        batch.json      what was asked for: the entries, in the order of their jobs
        jobs.sub        the submit file; `condor_submit jobs.sub` does what the executor did
        jobs.txt        its table, one line a job
        jobs/           the script of each job
        events.log      what HTCondor tells of the jobs
        logs/           what the jobs print
        inbox/          where their outputs arrive
        replaced/       outputs that were there before
        journeys.jsonl  the ledger: one line for each entry that has ended
        cancelled       there when the jobs were taken back
        closed          there when every entry has ended

The standard library is enough here, so that other programs can read and write batches.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """One job of a batch.

    Attributes
    ----------
    name : a safe word, unique in the batch
    output : the file it makes, relative to the project
    inputs : the files it needs, relative to the project
    log : where what it prints is copied to; empty for nowhere
    command : shell text
    again : how often its output has come home damaged before
    """

    name: str
    output: str
    inputs: tuple[str, ...]
    command: str
    log: str = ""
    again: int = 0


@dataclass(frozen=True)
class Batch:
    """One submission, read from or about to be written to its folder.

    Attributes
    ----------
    root : the project, which all paths of entries are relative to
    path : the batch's folder, relative to the project
    """

    root: Path
    path: str
    rule: str
    created: str
    entries: tuple[Entry, ...]

    @property
    def id(self) -> str:
        return Path(self.path).name

    @property
    def folder(self) -> Path:
        return self.root / self.path

    @property
    def events(self) -> Path:
        return self.folder / "events.log"

    @property
    def ledger(self) -> Path:
        return self.folder / "journeys.jsonl"

    @property
    def closed(self) -> bool:
        return (self.folder / "closed").exists()

    @property
    def cancelled(self) -> bool:
        return (self.folder / "cancelled").exists()

    def script(self, entry: Entry) -> str:
        """The script of a job, relative to the project."""
        return f"{self.path}/jobs/{entry.name}.sh"

    def inbox(self, entry: Entry) -> str:
        """Where its output arrives, relative to the project."""
        _, dot, ending = Path(entry.output).name.partition(".")
        return f"{self.path}/inbox/{entry.name}{dot}{ending}"

    def printed(self, entry: Entry) -> Path:
        """What the job printed in its last run."""
        return self.folder / "logs" / f"{entry.name}.log"

    @classmethod
    def new(cls, root: Path, batches: str, rule: str, entries: Sequence[Entry]) -> Batch:
        """A batch that is not on disk yet."""
        now = datetime.now(UTC)
        identity = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        return cls(root, f"{batches}/{identity}", rule, now.isoformat(timespec="seconds"), tuple(entries))

    @classmethod
    def read(cls, root: Path, folder: Path) -> Batch:
        """A batch from its folder.

        Raises
        ------
        ValueError
            when the folder holds no batch
        """
        try:
            plain = json.loads((folder / "batch.json").read_text())
            entries = tuple(
                Entry(**{**entry, "inputs": tuple(entry["inputs"])}) for entry in plain["entries"]
            )
            return cls(root, os.path.relpath(folder, root), plain["rule"], plain["created"], entries)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{folder}: no batch ({error}). Remove the folder.") from error

    @classmethod
    def open_ones(cls, root: Path, batches: str) -> Iterator[Batch]:
        """The batches that have entries which have not ended, oldest first."""
        for file in sorted((root / batches).glob("[!.]*/batch.json")):
            if not (file.parent / "closed").exists():
                yield cls.read(root, file.parent)

    def write(self, files: Mapping[str, str]) -> None:
        """Put the folder on disk as a whole: after this it survives a power cut, before it there is none.

        Parameters
        ----------
        files : texts by their names in the folder, beside ``batch.json``
        """
        whole = self.folder.with_name(f".{self.id}")
        try:
            self._write(whole, files)
        except OSError:
            shutil.rmtree(whole, ignore_errors=True)
            raise
        whole.rename(self.folder)
        sync_folder(self.folder.parent)

    def _write(self, whole: Path, files: Mapping[str, str]) -> None:
        for name in ("jobs", "logs", "inbox"):
            (whole / name).mkdir(parents=True)

        plain = {"rule": self.rule, "created": self.created, "entries": [asdict(e) for e in self.entries]}
        for name, text in {**files, "batch.json": json.dumps(plain, indent=1) + "\n"}.items():
            (whole / name).write_text(text)

        os.sync()  # one call for thousands of small files

    def set_aside(self, entry: Entry) -> None:
        """Move an output that is there already into the folder: what lies in its place later is new."""
        old = self.root / entry.output
        if old.exists():
            (self.folder / "replaced").mkdir(exist_ok=True)
            old.rename(self.folder / "replaced" / old.name)

    def mark(self, name: str) -> None:
        """Leave a marker: ``cancelled`` or ``closed``."""
        (self.folder / name).touch()
        sync_folder(self.folder)

    def discard(self) -> None:
        """Remove the folder of a batch that was never submitted.

        Should a job of it have got into the queue after all, it finds no script and cannot run.
        """
        gone = self.folder.with_name(f".{self.id}.gone")
        with suppress(FileNotFoundError):
            self.folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def names_of(outputs: Sequence[str]) -> list[str]:
    """A safe word for each output: its file name without its endings, numbered where that is not unique."""
    taken: set[str] = set()
    names = []

    for output in outputs:
        word = re.sub(r"[^A-Za-z0-9_-]", "_", Path(output).name.partition(".")[0]) or "job"
        name, number = word, 1
        while name in taken:
            number += 1
            name = f"{word}-{number}"
        taken.add(name)
        names.append(name)
    return names


def remove_leftovers(root: Path, batches: str) -> None:
    """Remove what a killed program left half written or half removed."""
    for left in (root / batches).glob(".[0-9]*"):
        shutil.rmtree(left, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Make names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    with suppress(OSError):  # some network file systems cannot
        os.fsync(descriptor)
    os.close(descriptor)
