"""Read and write the folder of a batch, which holds all that is known of one submission.

    <batches>/<id>/
        batch.json      what was asked for: the entries, in the order of their jobs
        jobs.sub        the submit file; `condor_submit jobs.sub` does what the executor did
        jobs.txt        its table, one line a job
        jobs/           the script of each job
        events.log      what HTCondor tells of the jobs
        logs/           what the jobs print
        inbox/          where their outputs arrive
        replaced/       outputs that were there before, by their paths
        job_records.jsonl  the ledger: one line, a job record, for each entry that has ended
        cancelled       there when the jobs were taken back
        closed          there when every entry has ended

The standard library is enough here, so that other programs can read and write batches.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snakemake_executor_plugin_condorsweep.ledger import ledger_in

#: A line behind what a job prints; what follows is what its command wrote to its log itself.
OWN_LOG = "--- the command's own log:"


@dataclass(frozen=True)
class Entry:
    """Describe one job of a batch.

    Attributes
    ----------
    name : a safe word, unique in the batch
    output : the file it makes, relative to the project
    inputs : the files it needs, relative to the project
    log : where what it prints is copied to; empty for nowhere
    command : shell text
    again : how often it was made again before, after an output that did not count
    image : what it runs in
    contents : a digest for each input as it was submitted; empty where nobody looked
    """

    name: str
    output: str
    inputs: tuple[str, ...]
    command: str
    log: str = ""
    again: int = 0
    image: str = ""
    contents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Describe one submission, read from or about to be written to its folder.

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
        """Return the name of the batch, by which its jobs are known in the queue."""
        return Path(self.path).name

    @property
    def folder(self) -> Path:
        """Return the folder of the batch."""
        return self.root / self.path

    @property
    def events(self) -> Path:
        """Return the file of HTCondor's event log."""
        return self.folder / "events.log"

    @property
    def ledger(self) -> Path:
        """Return the file of the ledger."""
        return ledger_in(self.folder)

    @property
    def closed(self) -> bool:
        """Return True if every entry has ended."""
        return (self.folder / "closed").exists()

    @property
    def cancelled(self) -> bool:
        """Return True if the jobs were cancelled."""
        return (self.folder / "cancelled").exists()

    @property
    def since(self) -> float:
        """Return when it was created, in seconds since 1970; 0 where that is not known."""
        with suppress(ValueError):
            return datetime.fromisoformat(self.created).timestamp()
        return 0.0

    @property
    def is_there(self) -> bool:
        """Return True if its folder is where it was written.

        Of a folder that was moved, HTCondor makes a part anew.
        """
        return (self.folder / "batch.json").is_file()

    def script(self, entry: Entry) -> str:
        """Return the script of a job, relative to the project."""
        return f"{self.path}/jobs/{entry.name}.sh"

    def inbox(self, entry: Entry) -> str:
        """Return the file that the output of a job arrives at, relative to the project."""
        return f"{self.path}/inbox/{entry.name}{_ending(entry.output)}"

    def printed(self, entry: Entry) -> Path:
        """Return the file with what the job printed in its last run, and behind it the command's own log."""
        return self.folder / "logs" / f"{entry.name}.log"

    def said(self, entry: Entry) -> bytes:
        """Return what the job has to say of its last run.

        That is the command's own log, then what it printed beside.
        """
        printed, _, own = self.printed(entry).read_bytes().partition(f"\n{OWN_LOG}\n".encode())
        if set(own.splitlines()) <= set(printed.splitlines()):
            return printed  # a command that pipes into `tee`
        return own + printed

    @classmethod
    def new(cls, root: Path, batches: str, rule: str, entries: Sequence[Entry]) -> Batch:
        """Make a batch that is not on disk yet."""
        now = datetime.now(UTC)
        identity = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        return cls(root, f"{batches}/{identity}", rule, now.isoformat(timespec="seconds"), tuple(entries))

    @classmethod
    def read(cls, root: Path, folder: Path) -> Batch:
        """Read a batch from its folder.

        Raises
        ------
        ValueError
            when the folder holds no batch
        """
        file = folder / "batch.json"
        try:
            if not file.is_file():
                raise ValueError("batch.json is no file")  # reading a pipe would never end
            plain = json.loads(file.read_text())
            entries = tuple(_entry(**entry) for entry in plain["entries"])
            return cls(root, os.path.relpath(folder, root), plain["rule"], plain["created"], entries)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{folder}: no batch ({error}). Remove the folder.") from error

    @classmethod
    def open_ones(cls, root: Path, batches: str) -> Iterator[Batch]:
        """Yield the batches that have entries which have not ended, oldest first."""
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
        if not old.exists() and not old.is_symlink():
            return

        kept = self.folder / "replaced" / entry.output
        kept.parent.mkdir(parents=True, exist_ok=True)
        old.rename(_free(kept))

    def mark(self, name: str) -> None:
        """Leave a marker: ``cancelled`` or ``closed``."""
        (self.folder / name).touch()
        sync_folder(self.folder)

    def discard(self) -> None:
        """Remove the folder of a batch that was never submitted; what it had set aside goes back.

        Should a job of it have got into the queue after all, it finds no script and cannot run.
        """
        if not self._put_back():
            shutil.rmtree(self.folder / "jobs", ignore_errors=True)
            self.mark("closed")  # and stays, with old outputs whose places are taken
            return

        gone = self.folder.with_name(f".{self.id}.gone")
        with suppress(FileNotFoundError):
            self.folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def _put_back(self) -> bool:
        """Put old outputs where they were, and return whether none is left."""
        aside = self.folder / "replaced"
        kept = [file for file in aside.rglob("*") if not file.is_dir() or file.is_symlink()]
        for file in kept:
            place = self.root / file.relative_to(aside)
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                file.rename(place)
        return not any(file.exists() or file.is_symlink() for file in kept)


def _free(path: Path) -> Path:
    """Return this path, or one with a number behind it where something is already."""
    numbers = itertools.count(2)
    free = path
    while free.exists() or free.is_symlink():
        free = path.with_name(f"{path.name}.{next(numbers)}")
    return free


def _entry(inputs: Sequence[str], contents: Sequence[str] = (), **plain: Any) -> Entry:
    """Build an entry from JSON, which knows no tuples."""
    return Entry(inputs=tuple(inputs), contents=tuple(contents), **plain)


def names_of(outputs: Sequence[str]) -> list[str]:
    """Return a safe word for each output, unique among them, and as short as tells them apart.

    That is the file name without its endings (`x.tar.gz` is x), without its last ending (`sample.1.txt` is
    sample_1), or with its folders (`a/x.txt` is a_x); what is still alike is numbered.
    """
    lengths = [[length(output) for output in outputs] for length in LENGTHS]
    counts = [Counter(words) for words in lengths]
    chosen = [
        next((word for word, count in zip(words, counts, strict=True) if count[word] == 1), words[0])
        for words in zip(*lengths, strict=True)
    ]
    return _numbered(chosen)


def _numbered(words: Sequence[str]) -> list[str]:
    """Return the words, with a number behind each that was there before."""
    names: dict[str, None] = {}
    next_number: Counter[str] = Counter()

    for word in words:
        name = word
        while name in names:
            next_number[word] += 1
            name = f"{word}-{next_number[word] + 1}"
        names[name] = None
    return list(names)


def _word(text: str) -> str:
    """Return a text as a part of file names and of HTCondor's lists; of a long one the telling end."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)[-LONGEST_NAME:] or "job"


#: The names that an output may have, from the shortest on.
LENGTHS: tuple[Callable[[str], str], ...] = (
    lambda output: _word(Path(output).name.partition(".")[0]),
    lambda output: _word(Path(output).stem),
    lambda output: _word(str(Path(output).with_suffix(""))),
)

#: File systems allow 255 bytes, of which an ending takes some.
LONGEST_NAME = 200
LONGEST_ENDING = 40


def _ending(output: str) -> str:
    """Return the ending by which programs know what is in a file, `.tar.gz` for example."""
    endings = Path(output).suffixes
    kept = endings[-2:] if endings[-2:-1] == [".tar"] else endings[-1:]
    return "".join(kept)[-LONGEST_ENDING:]


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
