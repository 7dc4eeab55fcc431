"""Keep the artifacts in one folder, with an index so that each is opened only once."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from anisweep.artifacts.reading import Contents, DamagedArtifact, read
from anisweep.artifacts.sealed import fields_of, sealed, unsealed
from anisweep.artifacts.writing import SUFFIX
from anisweep.cell import Cell, Pack
from anisweep.files import read_bytes, sha256_of, write_bytes
from anisweep.row import Row

if TYPE_CHECKING:
    from anisweep.artifacts.columns import PackColumns


#: So many new artifacts are worth a process of their own, which takes a second to start.
SHARE = 50


@dataclass(frozen=True, slots=True)
class Point:
    """Record what one point was measured with: digests, and the key of its cell."""

    key: str
    site: str
    environment: str
    code: str
    dataset_free: str


@dataclass(frozen=True)
class Entry:
    """Hold what is known of one artifact without opening it again.

    ``sha256`` is that of the sound file; ``measured`` is when its last cell was; ``keys`` are those of its
    cells, ``unfinished`` those of them whose rows say failed or stalled; ``sites`` are where they were
    measured. `Store.points` says more, of which most plans have no need.
    """

    name: str
    size: int
    mtime_ns: int
    inode: int
    sha256: str = ""
    measured: str = ""
    damage: str = ""
    keys: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Return True if the artifact has no damage."""
        return not self.damage


class Store:
    """Give access to the folder of artifacts and its index.

    A file whose size, time stamp and inode are those of the last full reading is not opened again.

    Parameters
    ----------
    folder : where artifacts lie
    state : where the index lies; it can be deleted at any time and is then made anew
    """

    def __init__(self, folder: Path, state: Path) -> None:
        self.folder = folder
        self.index = state / "index"
        self.opened = 0

    def path(self, name: str) -> Path:
        """Return the path of an artifact, by its name without ending."""
        return self.folder / f"{name}{SUFFIX}"

    def entries(self) -> list[Entry]:
        """Return every artifact, sound or damaged; open only what is new or has changed."""
        if not self.folder.is_dir():
            return []

        with os.scandir(self.folder) as scan:
            found = [Path(file.path) for file in scan if file.name.endswith(SUFFIX) and file.name[0] != "."]
        known = {file: self._known(file) for file in sorted(found)}
        new = [file for file, entry in known.items() if not entry]
        if self._open_many(new):
            known |= {file: self._known(file) for file in new}
        return [entry or self._open(file) for file, entry in known.items()]

    def lost(self) -> list[Entry]:
        """Return the artifacts that the index knows and the folder no longer holds."""
        present = {file.name.removesuffix(SUFFIX) for file in self.folder.glob(f"[!.]*{SUFFIX}")}
        former = ".details.json"  # contents, as an earlier version wrote them
        known = (path.stem for path in self.index.glob("*.json") if not path.name.endswith(former))
        return [entry for name in sorted(known) if name not in present and (entry := self._remembered(name))]

    def rows(self, name: str) -> list[Row]:
        """Return the rows of a sound artifact, from the index."""
        return self.columns(name).row_objects

    def contents(self, name: str) -> Contents:
        """Return pack, rows, host and environment of a sound artifact, from the index."""
        return self.columns(name).contents

    def columns(self, name: str) -> PackColumns:
        """Return what a sound artifact says, its rows as columns, from the index.

        Raises
        ------
        DamagedArtifact
            when the index has lost it, and the artifact is not sound any more
        """
        from anisweep.artifacts.columns import PackColumns

        try:
            return PackColumns.from_bytes(read_bytes(self._details(name)))
        except (OSError, ValueError, TypeError, KeyError):
            self.opened += 1
            return self._remember_contents(name, read(self.path(name)))  # the index is a convenience

    def points(self, name: str) -> dict[str, Point]:
        """Return what the cells of an artifact are about, and what they were measured with.

        A plan says by it why it asks for a cell again. Nothing is known of an artifact that is not sound
        when the index has lost it.
        """
        try:
            plain = json.loads(bytes(unsealed(read_bytes(self._points(name)))))
            return {point: _point(**seen) for point, seen in plain.items()}
        except (OSError, ValueError, TypeError, KeyError):
            with suppress(DamagedArtifact, OSError):
                return self._remember_points(name, self.contents(name).pack)
            return {}

    def keep(self, name: str, contents: Contents) -> None:
        """Index a new artifact of which every byte has just been read, so that nobody reads it again."""
        if self._remembered(name):
            return  # it was there before: the next listing compares its bytes

        file = self.path(name)
        seen = Entry(name, *_state(file))
        with suppress(OSError):  # the index is a convenience
            self._index(seen, sha256_of(file), contents)

    def delete(self, name: str) -> None:
        """Remove an artifact for good, and all memory of it."""
        self.path(name).unlink(missing_ok=True)
        self._details(name).unlink(missing_ok=True)
        self._points(name).unlink(missing_ok=True)
        self._summary(name).unlink(missing_ok=True)

    def verify(self) -> Iterator[Entry]:
        """Read every byte of every artifact, whatever the index says."""
        for file in sorted(self.folder.glob(f"[!.]*{SUFFIX}")):
            yield self._open(file)

    def _known(self, file: Path) -> Entry | None:
        """Return what the index says of an artifact, if that has not changed since."""
        known = self._remembered(file.name.removesuffix(SUFFIX))
        return known if known and _state(file) == (known.size, known.mtime_ns, known.inode) else None

    def _open_many(self, files: list[Path]) -> bool:
        """Open many artifacts in several processes, up to one a core; return False if they are too few.

        Each process is a new interpreter, since this one may have threads.
        """
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        processes = min(cores, len(files) // SHARE)
        if processes < 2:
            return False

        print(
            f"{len(files):,} new artifacts are read, by {processes} processes.", file=sys.stderr, flush=True
        )
        opener = partial(_open_one, self.folder, self.index.parent)
        with suppress(BrokenProcessPool), ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            self.opened += sum(pool.map(opener, files, chunksize=8))
        return True

    def _remembered(self, name: str) -> Entry | None:
        try:
            file = self._summary(name)
            status = file.stat()
            return _entry_in(file, status.st_mtime_ns, status.st_ino)
        except (OSError, ValueError, TypeError, KeyError):
            return None  # the index is a convenience: what it does not know is read again

    def _open(self, file: Path) -> Entry:
        self.opened += 1
        name = file.name.removesuffix(SUFFIX)
        known = self._remembered(name)
        size, mtime_ns, inode = _state(file)
        seen = Entry(name, size, mtime_ns, inode)
        # What a damaged one held is still known: its cells are asked for again, with that as the reason.
        before = replace(known, size=size, mtime_ns=mtime_ns, inode=inode) if known else seen

        try:
            sha256 = sha256_of(file)
            contents = read(file)
            _check_unchanged(before, sha256)
        except OSError as error:
            # Not remembered: permissions leave no trace in size and time stamp.
            return replace(before, damage=f"{file.name}: cannot be read ({error.strerror})")
        except DamagedArtifact as damage:
            entry = replace(before, damage=str(damage))
            self._remember(self._summary(name), _sealed_json(entry))
            return entry

        return self._index(seen, sha256, contents)

    def _index(self, seen: Entry, sha256: str, contents: Contents) -> Entry:
        """Remember what a sound artifact holds."""
        entry = replace(
            seen,
            sha256=sha256,
            measured=max((row.started for row in contents.rows), default=""),
            keys=tuple(cell.key for cell in contents.pack.cells),
            unfinished=tuple(sorted({row.key for row in contents.rows if unfinished(row)})),
            sites=tuple(sorted({cell.site for cell in contents.pack.cells})),
        )
        self._remember_contents(seen.name, contents)
        self._remember_points(seen.name, contents.pack)
        self._remember(self._summary(seen.name), _sealed_json(entry))
        return entry

    def _remember_contents(self, name: str, contents: Contents) -> PackColumns:
        """Write what an artifact holds, so that its values need no further check."""
        from anisweep.artifacts.columns import PackColumns

        columns = PackColumns.of(contents)
        self._remember(self._details(name), columns.to_bytes())
        return columns

    def _remember_points(self, name: str, pack: Pack) -> dict[str, Point]:
        points = {
            cell.point: Point(cell.key, cell.site, cell.environment, cell.code, cell.dataset_free)
            for cell in pack.cells
        }
        self._remember(self._points(name), _sealed_json(points))
        return points

    def _remember(self, file: Path, content: bytes) -> None:
        """Write a file of the index.

        Where a folder has its name, the artifact is opened again next time.
        """
        with suppress(IsADirectoryError, NotADirectoryError, FileExistsError):
            write_bytes(file, content)

    def _summary(self, name: str) -> Path:
        return self.index / f"{name}.json"

    def _points(self, name: str) -> Path:
        return self.index / f"{name}.points"

    def _details(self, name: str) -> Path:
        return self.index / f"{name}.arrow"


def _open_one(folder: Path, state: Path, file: Path) -> int:
    """Open an artifact in a process of its own, and return how many were opened."""
    store = Store(folder, state)
    store._open(file)
    return store.opened


@cache
def _entry_in(file: Path, modified_ns: int, inode: int) -> Entry:
    """Return what a file of the index says: read once for each of its versions, since a run asks often."""
    plain = json.loads(bytes(unsealed(read_bytes(file))))
    texts = {name: tuple(map(sys.intern, plain[name])) for name in ("keys", "unfinished", "sites")}
    return Entry(**plain | texts)


def _point(key: str, site: str, environment: str, code: str, dataset_free: str) -> Point:
    """Return a point whose texts are held once where they come again in each of a hundred thousand points."""
    return Point(*map(sys.intern, (key, site, environment, code, dataset_free)))


def _sealed_json(content: Entry | dict[str, Point]) -> bytes:
    return sealed(json.dumps(content, default=fields_of, separators=(",", ":")).encode())


def _state(file: Path) -> tuple[int, int, int]:
    """Return size, time stamp and inode of a file; zeros where a link leads nowhere."""
    try:
        stat = file.stat()
    except OSError:
        return 0, 0, 0
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def unfinished(row: Row) -> bool:
    """Return True if a row says that its cell was tried and has no measurement.

    One that is wrong, or unavailable on its machine, is an answer.
    """
    return row.role == "cell" and row.status in ("failed", "stalled")


def _check_unchanged(before: Entry, sha256: str) -> None:
    """Refuse a sound artifact whose bytes have changed since it was indexed.

    It has a flipped bit that no checksum inside covers, or was put in the place of another one.
    """
    if before.sha256 not in ("", sha256):
        raise DamagedArtifact(f"{before.name}{SUFFIX}: does not have the bytes that it had when it was sound")


def restore_kept(artifacts: Path) -> list[str]:
    """Restore artifacts whose first name was removed before their job was closed; drop the other links."""
    restored = []

    for link in sorted((artifacts / ".kept").glob(f"*{SUFFIX}")):
        artifact = artifacts / link.name

        with suppress(FileExistsError, FileNotFoundError):  # another command does the same just now
            if not artifact.exists():
                os.link(link, artifact)
                restored.append(artifact.name)
            link.unlink()

    return restored


def remove_leftovers(artifacts: Path) -> None:
    """Remove what killed packs left half written.

    Only the controller may do so, before its first pack.
    """
    for left in artifacts.glob(f".*{SUFFIX}.*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def measured_elsewhere(store: Store, cells: list[Cell]) -> list[str]:
    """Return the names of the artifacts in which another site has measured the points of these cells."""
    own = {cell.site for cell in cells}
    other = [entry for entry in store.entries() if entry.sound and not own.issuperset(entry.sites)]
    points = {cell.point for cell in cells} if other else set()
    return [
        entry.name
        for entry in other
        if any(seen.site not in own and at in points for at, seen in store.points(entry.name).items())
    ]


def rows_of(store: Store, cells: list[Cell]) -> list[tuple[Entry, list[Row]]]:
    """Return the rows that a study's tables rest on, by artifact: `chosen_of` says which.

    Rows of the reference come along with the cells of their pack.
    """
    return [
        (entry, store.columns(entry.name).of_cells(keys).row_objects)
        for entry, keys in chosen_of(store, cells)
    ]


def chosen_of(store: Store, cells: list[Cell]) -> list[tuple[Entry, set[str]]]:
    """Return the artifacts that a study's tables rest on, each with the keys of its cells that count.

    Of the run's own site these are the wanted cells themselves; of every other site the latest
    measurement of the same points, whatever environment and code it had there.
    """
    keys = {cell.key for cell in cells}
    own = {cell.site for cell in cells}
    sound = sorted((entry for entry in store.entries() if entry.sound), key=lambda entry: entry.measured)
    abroad = {entry.name for entry in sound if not own.issuperset(entry.sites)}
    points = {cell.point for cell in cells} if abroad else set()  # as costly as the keys
    here: dict[str, tuple[Entry, str]] = {}
    elsewhere: dict[tuple[str, str], tuple[Entry, str]] = {}

    for entry in sound:
        here |= {key: (entry, key) for key in keys.intersection(entry.keys)}
        for point, seen in store.points(entry.name).items() if entry.name in abroad else ():
            if point in points and seen.site not in own:
                elsewhere[seen.site, point] = (entry, seen.key)

    chosen = [*here.values(), *elsewhere.values()]
    wanted: dict[str, set[str]] = {}
    entries = {entry.name: entry for entry, _ in chosen}
    for entry, key in chosen:
        wanted.setdefault(entry.name, set()).add(key)

    return [(entries[name], wanted[name]) for name in sorted(wanted)]
