"""The store of artifacts: one folder, and an index so that each is opened only once."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from anisweep.artifact import SUFFIX, sha256_of
from anisweep.cell import Cell, Pack
from anisweep.reading import DamagedArtifact, read
from anisweep.row import Row


@dataclass(frozen=True)
class Entry:
    """What is known of one artifact without opening it again.

    ``sha256`` is that of the sound file; ``measured`` is when its last cell was; ``keys`` are those of its
    cells; ``points`` maps what a cell is about to what it was measured with, so that a plan can say why it
    asks for the cell again.
    """

    name: str
    size: int
    mtime_ns: int
    inode: int
    sha256: str = ""
    measured: str = ""
    damage: str = ""
    keys: tuple[str, ...] = ()
    points: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        return not self.damage


class Store:
    """The folder of artifacts and its index.

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
        return self.folder / f"{name}{SUFFIX}"

    def entries(self) -> list[Entry]:
        """Every artifact, sound or damaged; opens only what is new or has changed."""
        if not self.folder.is_dir():
            return []

        with os.scandir(self.folder) as scan:
            files = sorted(
                (f for f in scan if f.name.endswith(SUFFIX) and f.name[0] != "."), key=lambda f: f.name
            )
            return [self._entry(Path(file.path), file.stat()) for file in files]

    def lost(self) -> list[Entry]:
        """Artifacts that the index knows and the folder no longer holds."""
        present = {file.name.removesuffix(SUFFIX) for file in self.folder.glob(f"[!.]*{SUFFIX}")}
        known = (path.stem for path in self.index.glob("*.json") if not path.name.endswith(".details.json"))
        return [entry for name in sorted(known) if name not in present and (entry := self._remembered(name))]

    def rows(self, name: str) -> list[Row]:
        """The rows of a sound artifact, from the index."""
        return [Row.from_plain(plain) for plain in self.details(name)["rows"]]

    def details(self, name: str) -> dict[str, Any]:
        """Pack, rows, host and environment of a sound artifact, as plain values, from the index."""
        file = self.index / f"{name}.details.json"

        try:
            return json.loads(file.read_text())  # type: ignore[no-any-return]
        except (FileNotFoundError, ValueError):
            self._open(self.path(name), self.path(name).stat())
        return json.loads(file.read_text())  # type: ignore[no-any-return]

    def delete(self, name: str) -> None:
        """Remove an artifact for good, and all memory of it."""
        self.path(name).unlink(missing_ok=True)
        (self.index / f"{name}.details.json").unlink(missing_ok=True)
        (self.index / f"{name}.json").unlink(missing_ok=True)

    def verify(self) -> Iterator[Entry]:
        """Read every byte of every artifact, whatever the index says."""
        for file in sorted(self.folder.glob(f"[!.]*{SUFFIX}")):
            yield self._open(file, file.stat())

    def _entry(self, file: Path, stat: os.stat_result) -> Entry:
        known = self._remembered(file.name.removesuffix(SUFFIX))

        if known and (known.size, known.mtime_ns, known.inode) == (
            stat.st_size,
            stat.st_mtime_ns,
            stat.st_ino,
        ):
            return known
        return self._open(file, stat)

    def _remembered(self, name: str) -> Entry | None:
        try:
            plain = json.loads((self.index / f"{name}.json").read_text())
            plain["keys"] = tuple(plain["keys"])
            return Entry(**plain)
        except (OSError, ValueError, TypeError, KeyError):
            return None  # the index is a convenience: what it does not know is read again

    def _open(self, file: Path, stat: os.stat_result) -> Entry:
        self.opened += 1
        name = file.name.removesuffix(SUFFIX)
        known = self._remembered(name)
        seen: dict[str, Any] = {
            "name": name,
            "size": stat.st_size,
            "mtime_ns": stat.st_mtime_ns,
            "inode": stat.st_ino,
        }
        # What a damaged one held is still known: its cells are asked for again, with that as the reason.
        before = replace(known, **seen) if known else Entry(**seen)

        try:
            sha256 = sha256_of(file)
            contents = read(file)
            _check_unchanged(before, sha256)
        except OSError as error:
            # Not remembered: permissions leave no trace in size and time stamp.
            return replace(before, damage=f"{file.name}: cannot be read ({error.strerror})")
        except DamagedArtifact as damage:
            entry = replace(before, damage=str(damage))
            write_json(self.index / f"{name}.json", asdict(entry))
            return entry

        entry = Entry(
            **seen,
            sha256=sha256,
            measured=max((row.started for row in contents.rows), default=""),
            keys=tuple(cell.key for cell in contents.pack.cells),
            points=_points(contents.pack),
        )
        details = {
            "pack": asdict(contents.pack),
            "rows": [row.to_plain() for row in contents.rows],
            "host": contents.host,
            "environment": contents.environment,
        }
        write_json(self.index / f"{name}.details.json", details)
        write_json(self.index / f"{name}.json", asdict(entry))
        return entry


def _check_unchanged(before: Entry, sha256: str) -> None:
    """A flipped bit that no checksum inside covers, or a file put in the place of another one."""
    if before.sha256 not in ("", sha256):
        raise DamagedArtifact(f"{before.name}{SUFFIX}: does not have the bytes that it had when it was sound")


def _points(pack: Pack) -> dict[str, dict[str, str]]:
    return {
        cell.point: {
            "key": cell.key,
            "site": cell.site,
            "environment": cell.environment,
            "code": cell.code,
            "dataset_free": cell.dataset_free,
        }
        for cell in pack.cells
    }


def restore_kept(artifacts: Path) -> list[str]:
    """Give back artifacts whose first name was removed before their job was closed; drop the other links."""
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
    """Remove what killed packs left half written. Only for the controller, before its first pack."""
    for left in artifacts.glob(f".*{SUFFIX}.*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Replace a small file as a whole."""
    write_text(path, json.dumps(value, separators=(",", ":")))


def write_text(path: Path, text: str) -> None:
    """Replace a small file as a whole."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a small file as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")

    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from error


def measured_elsewhere(store: Store, cells: list[Cell]) -> list[str]:
    """Names of the artifacts in which another site has measured what these cells are about."""
    points = {cell.point for cell in cells}
    own = {cell.site for cell in cells}
    return [
        entry.name
        for entry in store.entries()
        if entry.sound and any(seen["site"] not in own and at in points for at, seen in entry.points.items())
    ]


def rows_of(store: Store, cells: list[Cell]) -> list[tuple[Entry, list[Row]]]:
    """The rows that a study's tables rest on, by artifact.

    Of the run's own site these are the wanted cells themselves; of every other site the latest
    measurement of the same points, whatever environment and code it had there. Anchors come along with
    the cells of their pack.
    """
    keys = {cell.key for cell in cells}
    points = {cell.point for cell in cells}
    own = {cell.site for cell in cells}
    here: dict[str, tuple[Entry, str]] = {}
    elsewhere: dict[tuple[str, str], tuple[Entry, str]] = {}

    for entry in sorted(
        (entry for entry in store.entries() if entry.sound), key=lambda entry: entry.measured
    ):
        here |= {key: (entry, key) for key in keys.intersection(entry.keys)}
        for point, seen in entry.points.items():
            if point in points and seen["site"] not in own:
                elsewhere[seen["site"], point] = (entry, seen["key"])

    chosen = [*here.values(), *elsewhere.values()]
    wanted: dict[str, set[str]] = {}
    entries = {entry.name: entry for entry, _ in chosen}
    for entry, key in chosen:
        wanted.setdefault(entry.name, set()).add(key)

    return [
        (entries[name], [row for row in store.rows(name) if row.key in wanted[name] or row.role != "cell"])
        for name in sorted(wanted)
    ]
