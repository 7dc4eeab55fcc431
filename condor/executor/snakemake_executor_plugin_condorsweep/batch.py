"""Read and write the folder of a batch, which holds all that is known of one submission.

    <batches>/<id>/
        batch.json      what was asked for: the entries, in the order of their jobs
        jobs.sub        the submit file; `condor_submit jobs.sub` does what the executor did
        jobs.txt        its table, one line a job
        jobs/           the script of each job
        variables.sh    variables of this machine that jobs get
        events.log      what HTCondor tells of the jobs
        logs/           what the jobs print
        inbox/          where their outputs arrive
        inputs/         links to inputs that HTCondor cannot carry under their own names
        accepted/       outputs of one job that are being put in their places together
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

from snakemake_executor_plugin_condorsweep.carrying import copy_by_links, is_url, sent_as
from snakemake_executor_plugin_condorsweep.ledger import ledger_in
from snakemake_executor_plugin_condorsweep.parcel import Parcel, is_there, sync_folder

#: A line behind what a job prints; what follows is what its command wrote to its log itself. Further logs
#: follow behind lines with their numbers, from 2 on.
OWN_LOG = "--- the command's own log:"
FURTHER_LOG = "--- the command's own log {}:"


#: A file for the eyes of its owner alone.
VARIABLES = "variables.sh"


@dataclass(frozen=True)
class Entry:
    """Describe one job of a batch.

    Attributes
    ----------
    name : a safe word, unique in the batch
    output : the file it makes, or the first of several, relative to the project
    inputs : the files it needs, relative to the project or absolute
    log : where what it prints is copied to; empty for nowhere
    command : shell text
    again : how often it was made again before, after an output that did not count
    image : what it runs in; None for nothing, empty where nobody wrote it down
    contents : a digest for each input as it was submitted; empty where nobody looked
    parcel : what it makes where that is more than one plain file
    in_place : whether the job works in the project's folder, where its outputs are when it ends
    """

    name: str
    output: str
    inputs: tuple[str, ...]
    command: str
    log: str = ""
    again: int = 0
    image: str | None = ""
    contents: tuple[str, ...] = ()
    parcel: Parcel | None = None
    in_place: bool = False

    @property
    def outputs(self) -> tuple[str, ...]:
        """Return all that the job brings home."""
        return self.parcel.outputs if self.parcel else (self.output,)

    @property
    def logs(self) -> tuple[str, ...]:
        """Return all files that are written as logs of the job."""
        return tuple(filter(None, (self.log, *(self.parcel.logs if self.parcel else ()))))


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

    def inbox(self, entry: Entry) -> str:
        """Return the file, or the folder of a parcel, that arrives from a job, relative to the project."""
        return f"{self.path}/inbox/{entry.name}{'' if entry.parcel else _ending(entry.output)}"

    def accepted(self, entry: Entry) -> str:
        """Return the folder of a parcel whose contents are on the way to their places."""
        return f"{self.path}/accepted/{entry.name}"

    def sent_inputs(self) -> dict[str, str]:
        """Return the paths under which inputs are sent, by their own."""
        sent = (entry for entry in self.entries if not entry.in_place)
        return sent_as(
            self.root, self.path, (file for entry in sent for file in entry.inputs if not is_url(file))
        )

    def printed(self, entry: Entry) -> Path:
        """Return the file with what the job printed in its last run, and behind it the command's own log."""
        return self.folder / "logs" / f"{entry.name}.log"

    def said(self, entry: Entry) -> bytes:
        """Return what the job has to say of its last run.

        That is the command's own log, then what it printed beside.
        """
        printed, own, *_ = self.logs_of(entry)
        if set(own.splitlines()) <= set(printed.splitlines()):
            return printed  # a command that pipes into `tee`
        return own + printed

    def logs_of(self, entry: Entry) -> list[bytes]:
        """Return what the job printed, and what its command wrote to each of its logs."""
        printed, _, own = self.printed(entry).read_bytes().partition(f"\n{OWN_LOG}\n".encode())
        texts = [printed]
        for number in range(2, len(entry.logs) + 1):
            text, _, own = own.partition(f"\n{FURTHER_LOG.format(number)}\n".encode())
            texts.append(text)
        return [*texts, own]

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
            if name == VARIABLES:
                (whole / name).touch(mode=0o600)
            (whole / name).write_text(text)
        for file, sent in self.sent_inputs().items():
            if sent != file:
                copy_by_links((self.root / file).absolute(), whole / Path(sent).relative_to(self.path))

        os.sync()  # one call for thousands of small files

    def set_aside(self, entry: Entry) -> None:
        """Move outputs that are there already into the folder: what lies in their places later is new."""
        for output in entry.outputs:
            self.make_room(self.root / output)

    def make_room(self, old: Path) -> None:
        """Move what lies in the place of an output into the folder."""
        if is_there(old):
            kept = self.folder / "replaced" / old.relative_to(self.root)
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
        return not any(is_there(file) for file in kept)


def _free(path: Path) -> Path:
    """Return this path, or one with a number behind it where something is already."""
    numbers = itertools.count(2)
    free = path
    while is_there(free):
        free = path.with_name(f"{path.name}.{next(numbers)}")
    return free


def _entry(
    inputs: Sequence[str], contents: Sequence[str] = (), parcel: dict[str, Any] | None = None, **plain: Any
) -> Entry:
    """Build an entry from JSON, which knows no tuples."""
    return Entry(
        inputs=tuple(inputs), contents=tuple(contents), parcel=_parcel(**parcel) if parcel else None, **plain
    )


def _parcel(
    outputs: Sequence[str], touched: Sequence[str] = (), logs: Sequence[str] = (), **plain: Any
) -> Parcel:
    return Parcel(tuple(outputs), touched=tuple(touched), logs=tuple(logs), **plain)


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
