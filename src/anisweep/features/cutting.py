"""Cut files into pieces of the same number of frames each, counted from their beginnings.

Appended frames therefore leave all pieces of their file but the last as they were. Smaller pieces, as those
of small files are, share a shard with the next ones.
"""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import asdict, dataclass
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import IO

from anisweep.cell import digest
from anisweep.datasets.errors import DataError
from anisweep.datasets.user_files.formats import format_of
from anisweep.datasets.user_files.text_lines import open_bytes
from anisweep.describe.first_pass import survey
from anisweep.errors import UserError
from anisweep.files import open_plain, read_bytes, whole, write_json
from anisweep.parsing.json_text import read_json
from anisweep.parsing.schema import build

#: Bytes that are copied at a time.
AT_A_TIME = 2**22


@dataclass(frozen=True)
class Cut:
    """Describe a piece of a file; ``sha256`` is that of its bytes, neither compressed nor marked as UTF-8."""

    frames: int
    particles: int
    bytes: int
    sha256: str

    @property
    def lines(self) -> int:
        """Return how many lines it has: two for each frame, and one for each particle."""
        return 2 * self.frames + self.particles


@dataclass(frozen=True)
class FilePart:
    """Name the frames of a file from ``first`` on that a shard has; they begin with ``line``, from 1."""

    file: str
    first: int
    line: int
    cut: Cut


@dataclass(frozen=True)
class CutFile:
    """Describe a file as it was cut: its pieces of so many ``frames``, and its species, names by number."""

    modified_ns: int
    size: int
    frames: int
    species: dict[str, str]
    pieces: tuple[Cut, ...]


def cut(path: Path, frames: int, known: Path) -> CutFile:
    """Find the pieces of a file, or read them from ``known`` where size and time are the same."""
    check_can_be_cut(path)
    status = path.stat()
    seen = status.st_mtime_ns, status.st_size, frames
    with suppress(OSError, ValueError):
        before = build(CutFile, read_json(read_bytes(known)))
        if (before.modified_ns, before.size, before.frames) == seen:
            return before

    found = survey(path, "xyz")
    species = dict(zip(map(str, found.species.tolist()), found.names.tolist(), strict=True))
    made = CutFile(*seen, species, tuple(_pieces(path, found.counts.tolist(), frames)))
    write_json(known, asdict(made))
    return made


def check_can_be_cut(path: Path) -> None:
    """Refuse all but XYZ files."""
    if not path.is_file() or format_of(path) != "xyz":
        remedy = (
            "write the frames as extended XYZ, compressed or not; `anisweep describe` reads other formats"
        )
        raise DataError(str(path), "it cannot be cut into shards", "an XYZ file that is there", remedy)


def _pieces(path: Path, counts: Sequence[int], frames: int) -> Iterator[Cut]:
    """Yield the pieces of a file whose numbers of particles are known; a frame has two lines more."""
    with open_bytes(path) as stream:
        _pass_mark(stream)
        for first in range(0, len(counts), frames):
            mine = counts[first : first + frames]
            found, size = hashlib.sha256(), 0
            for line in islice(stream, sum(mine) + 2 * len(mine)):
                found.update(line)
                size += len(line)
            yield Cut(len(mine), sum(mine), size, found.hexdigest())


def packed(parts: Iterable[FilePart], frames: int) -> Iterator[tuple[FilePart, ...]]:
    """Yield the parts of each shard: one after the other while they have no more than so many frames."""
    pack: list[FilePart] = []
    held = 0
    for part in parts:
        if pack and held + part.cut.frames > frames:
            yield tuple(pack)
            pack, held = [], 0
        pack.append(part)
        held += part.cut.frames
    if pack:
        yield tuple(pack)


def together(parts: Sequence[FilePart]) -> Cut:
    """Describe parts of files as the one piece that they are in a shard."""
    cuts = [part.cut for part in parts]
    found = cuts[0].sha256 if len(cuts) == 1 else digest([each.sha256 for each in cuts])
    frames, particles = sum(each.frames for each in cuts), sum(each.particles for each in cuts)
    return Cut(frames, particles, sum(each.bytes for each in cuts), found)


def write_pieces(root: Path, shards: Iterable[tuple[Sequence[FilePart], Path | None]]) -> None:
    """Write the frames of the shards that have a place, of all that there are in their order.

    Raises
    ------
    DataError
        When a file is another by now.
    """
    with ExitStack() as opened:
        for parts, place in shards:
            with whole(place) if place else nullcontext() as written:
                for part in parts:
                    if not part.first:
                        opened.close()
                        stream = opened.enter_context(open_bytes(root / part.file))
                        _pass_mark(stream)
                    if not _copied(part, stream, written):
                        came, remedy = "it changed while it was read", "take a copy of it, and run again"
                        raise DataError(part.file, came, "a file that stays as it is", remedy)


def check_piece(piece: Path, parts: Sequence[FilePart]) -> None:
    """Refuse frames of a shard that are not those which were cut: bytes of them broke on their way.

    Raises
    ------
    UserError
        Not `DataError`, for the file they are from may be sound.
    """
    with open_plain(piece) as stream:
        sound = all(_copied(part, stream) for part in parts) and not stream.read(1)

    if not sound:
        raise UserError(
            f"{piece}: it is not the frames that were cut for this shard: it broke on its way or on a disk. "
            "Allowed: the bytes that were cut. A cluster sends it again; if the shard fails for good, remove "
            "this file and run the same command again, which cuts it anew."
        )


def _pass_mark(stream: BufferedReader) -> None:
    """Pass the mark with which some files begin; not all that decompress can go back."""
    if stream.peek(len(BOM_UTF8)).startswith(BOM_UTF8):
        stream.read(len(BOM_UTF8))


def _copied(part: FilePart, stream: IO[bytes], written: IO[bytes] | None = None) -> bool:
    """Copy a part from where a file is read, and return whether it is the one that was cut."""
    found = hashlib.sha256()
    for chunk in _chunks(stream, part.cut.bytes):
        found.update(chunk)
        if written:
            written.write(chunk)
    return found.hexdigest() == part.cut.sha256


def _chunks(stream: IO[bytes], size: int) -> Iterator[bytes]:
    left = size
    while left and (chunk := stream.read(min(left, AT_A_TIME))):
        left -= len(chunk)
        yield chunk
