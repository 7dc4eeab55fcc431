"""Detect a clone that was moved after its jobs were submitted.

Jobs know the folder that they were submitted from. Once it has gone, HTCondor makes it anew for the outputs
and for the events of the jobs that run just then, and others find no input there.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path

from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.files import write_text
from anisweep.formatting import counted
from anisweep.plan.pending import open_batches
from anisweep.plan.run_lock import holder
from snakemake_executor_plugin_condorsweep.batch import Batch
from snakemake_executor_plugin_condorsweep.events import END, EventLog
from snakemake_executor_plugin_condorsweep.ledger import Ledger

#: Beside a log: how many bytes of those at the old place are in it, a line of inode and bytes for each.
BROUGHT = ".brought"


@dataclass(frozen=True)
class Moved:
    """Describe an open submission whose jobs look for their files in another folder.

    Attributes
    ----------
    old : the project's folder when it was submitted
    """

    batch: Batch
    old: Path

    @property
    def of_a_copy(self) -> bool:
        """Return True if the submission lies there still.

        Then this is its copy, and the jobs are the other's.
        """
        return (self.old / self.batch.path / "batch.json").exists()

    @property
    def open_entries(self) -> int:
        """Return how many of its packs have not ended."""
        return len(self.batch.entries) - len(Ledger(self.batch.ledger).read())

    def bring(self) -> None:
        """Take over what has come to the old place: events, what jobs printed, and outputs that are whole.

        A controller that was running when the clone was moved has put outputs in their places there. Where
        another clone lies there now, such outputs are its own.
        """
        other_clone = (self.old / "Snakefile").exists()
        there = self.old / self.batch.path
        bring_events(there / self.batch.events.name, self.batch.events)

        log = EventLog(self.batch.events, self.batch.since)
        log.read()
        for job in log.jobs.values():
            if job.ended and job.proc < len(self.batch.entries):
                entry = self.batch.entries[job.proc]
                arrived, printed = self.batch.root / self.batch.inbox(entry), self.batch.printed(entry)
                if not other_clone:
                    _bring_file(self.old / entry.output, arrived)
                _bring_file(self.old / self.batch.inbox(entry), arrived)
                _bring_file(there / "logs" / printed.name, printed)


def submitted_from(description: Path) -> Path | None:
    """Return the folder that the jobs of a submit file know; None where the file is lost."""
    if not description.exists():
        return None
    named = re.search(r"^initialdir = (.*)$", description.read_text(errors="replace"), re.MULTILINE)
    return Path(named[1]) if named else None


def is_elsewhere(old: Path, root: Path) -> bool:
    """Return True if a folder is another one than the project's; a link to the project's is not."""
    return not (old.exists() and old.samefile(root))


def moved_batches(project: Project) -> list[Moved]:
    """Return the open submissions that were made at another place."""
    return [Moved(batch, old) for batch, old in _places(project) if is_elsewhere(old, batch.root)]


def set_aside_batches(project: Project) -> list[Moved]:
    """Return the submissions under way whose old place was moved aside when a link was made there.

    What came between the last look and the link lies in the folder that was moved.
    """
    aside = [
        Moved(batch, folder)
        for batch, old in _places(project)
        if not is_elsewhere(old, batch.root)
        for folder in _aside(old)
    ]
    return [each for each in aside if (each.old / each.batch.path).exists() and not each.of_a_copy]


def _places(project: Project) -> Iterator[tuple[Batch, Path]]:
    """Yield the open submissions with the folder that each was made from, where that is known."""
    for batch in open_batches(project):
        old = submitted_from(batch.folder / "jobs.sub")
        if old:
            yield batch, old


def events_elsewhere(batch: Batch) -> list[Path]:
    """Return the logs beside a batch's own that may hold newer events, since it was submitted elsewhere."""
    old = submitted_from(batch.folder / "jobs.sub")
    places = [old, *_aside(old)] if old else []
    logs = [place / batch.path / batch.events.name for place in places]
    own = batch.events
    return [log for log in logs if log.exists() and not (own.exists() and log.samefile(own))]


def _aside(old: Path) -> list[Path]:
    """Return the folders that the remedy has moved out of the way of a link, the first one first."""
    numbered = takewhile(Path.exists, (_numbered_aside(old, number) for number in count(1)))
    return list(numbered)


def _numbered_aside(old: Path, number: int) -> Path:
    return old.with_name(f"{old.name}.left{number if number > 1 else ''}")


def refuse_where_moved(project: Project) -> None:
    """Refuse to submit anything while jobs look for their files where they are not.

    Raises
    ------
    UserError
        with the remedy
    """
    words = in_words(project, moved_batches(project))
    if words:
        raise UserError(words)


def in_words(project: Project, moved: Sequence[Moved]) -> str:
    """Say what is wrong and what to do; empty where nothing has moved."""
    places = {each.old: [one for one in moved if one.old == each.old] for each in moved}
    running = holder(project)
    said = [_place_in_words(project.root, old, batches) for old, batches in places.items()]
    if said and running:
        said.append(f"The run that goes on ({running.who}) knows the old place only: stop it first.")
    return "\n".join(said)


def _place_in_words(root: Path, old: Path, moved: Sequence[Moved]) -> str:
    entries = sum(each.open_entries for each in moved)
    if moved[0].of_a_copy:
        folders = shlex.join(each.batch.path for each in moved)
        return (
            f"This is a copy of {old}, and "
            f"{counted(entries, 'pack under way belongs', 'packs under way belong')} to that one; its "
            "`anisweep status` says how far they are.\n"
            f"Allowed: packs of one's own. Work there, or forget them here: rm -r {folders}"
        )

    free = _numbered_aside(old, len(_aside(old)) + 1)
    aside = f"mv {shlex.quote(str(old))} {shlex.quote(str(free))} && " if old.exists() else ""
    return (
        f"This clone lies at {root} now, and "
        f"{counted(entries, 'pack under way was', 'packs under way were')} submitted at {old}: their jobs "
        "still read and write there. Until that is mended nothing is submitted; what has come there is "
        "taken by `anisweep status`.\n"
        "Allowed: a clone where its jobs look for it. Move it back, or make a link: "
        f"{aside}ln -s {shlex.quote(str(root))} {shlex.quote(str(old))}\n"
        "Then HTCondor tries what is held again within 5 minutes, what was held twice within 10; "
        "`condor_release N`, with the number of the job, does it at once."
    )


def bring_events(there: Path, here: Path) -> None:
    """Add what is new in the log at the old place to the one that is read."""
    if not there.exists():
        return

    mark = here.with_name(here.name + BROUGHT)
    brought = _brought(mark)
    inode = there.stat().st_ino  # it stays the same where the folder is moved aside
    done = brought.get(inode, 0)
    content = there.read_bytes()
    new = content[done if done <= len(content) else 0 :]  # it was begun anew
    whole = new[: new.rfind(END) + len(END)] if END in new else b""

    if whole:
        with here.open("ab") as stream:
            stream.write(whole)
            stream.flush()
            os.fsync(stream.fileno())
        brought[inode] = len(content) - len(new) + len(whole)
        write_text(mark, "".join(f"{one} {bytes_}\n" for one, bytes_ in brought.items()))


def _brought(mark: Path) -> dict[int, int]:
    """Return how many bytes of each log have been taken, by its inode; lines of another form are ignored."""
    noted = mark.read_text(errors="replace").splitlines() if mark.exists() else []
    pairs = [line.split() for line in noted]
    return {int(pair[0]): int(pair[1]) for pair in pairs if len(pair) == 2 and all(map(str.isdecimal, pair))}


def _bring_file(there: Path, here: Path) -> None:
    """Move a file; on another disk it appears here as a whole, too."""
    if there.exists():
        partial = here.with_name(f".{here.name}.{os.getpid()}")
        shutil.move(there, partial)
        partial.rename(here)
