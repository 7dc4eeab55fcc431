"""Files that are cut into pieces of whole frames."""

from __future__ import annotations

import gzip
import lzma
import os
from itertools import accumulate
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from anisweep.datasets import DataError
from anisweep.features import cutting
from anisweep.features.cutting import FilePart, cut, packed, together, write_pieces

#: The number of particles of each frame, and whether its lines end as on Windows.
FRAMES = st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=12)

COMPRESS = {".gz": gzip.compress, ".xz": lzma.compress, ".zst": zstandard.compress}
NAMES = ["a.xyz", *(f"a.xyz{ending}" for ending in COMPRESS)]


def text(frames, begin=0):
    made = []
    for number, (count, windows) in enumerate(frames, start=begin):
        lines = [str(count), f"frame {number}", *(f"C {number} {row} 0.5" for row in range(count))]
        end = "\r\n" if windows else "\n"
        made.append("".join(line + end for line in lines))
    return "".join(made).encode()


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(COMPRESS.get(path.suffix, bytes)(content))
    return path


def pieces_in(folder: Path, file: Path, made) -> list[bytes]:
    places = [folder / f"{number}.xyz" for number in range(len(made.pieces))]
    first = accumulate((each.frames for each in made.pieces), initial=0)
    parts = [
        (FilePart(file.name, begin, 1, piece),) for begin, piece in zip(first, made.pieces, strict=False)
    ]
    write_pieces(folder, zip(parts, places, strict=True))
    return [place.read_bytes() for place in places]


@settings(max_examples=30)
@given(frames=FRAMES, size=st.integers(1, 15), name=st.sampled_from(NAMES), bom=st.booleans())
def test_pieces_joined_are_the_file(tmp_path_factory, frames, size, name, bom):
    folder = tmp_path_factory.mktemp("cut")
    content = text(frames)
    file = write(folder / name, (b"\xef\xbb\xbf" if bom else b"") + content)

    made = cut(file, size, folder / "known.json")

    assert [each.frames for each in made.pieces[:-1]] == [size] * (len(made.pieces) - 1)
    assert sum(each.frames for each in made.pieces) == len(frames)
    assert sum(each.particles for each in made.pieces) == sum(count for count, _ in frames)
    assert b"".join(pieces_in(folder, file, made)) == content


@settings(max_examples=30)
@given(files=st.lists(FRAMES, min_size=1, max_size=5), size=st.integers(1, 15))
def test_packs_of_small_files_are_no_larger_than_a_piece_and_all_of_them(tmp_path_factory, files, size):
    folder = tmp_path_factory.mktemp("packs")
    parts = []
    for number, frames in enumerate(files):
        file, first = write(folder / f"{number}.xyz", b"\xef\xbb\xbf" + text(frames)), 0
        for piece in cut(file, size, folder / "known.json").pieces:
            parts.append(FilePart(file.name, first, 1, piece))
            first += piece.frames

    shards = list(packed(parts, size))
    places = [folder / f"shard {number}.xyz" for number in range(len(shards))]
    write_pieces(folder, zip(shards, places, strict=True))

    assert [part for shard in shards for part in shard] == parts
    sizes = [together(shard).frames for shard in shards]
    assert all(
        here <= size < here + after[0].cut.frames for here, after in zip(sizes, shards[1:], strict=False)
    )
    assert b"".join(place.read_bytes() for place in places) == b"".join(map(text, files))


@settings(max_examples=30)
@given(frames=FRAMES, more=FRAMES, size=st.integers(1, 5))
def test_appended_frames_leave_whole_pieces_as_they_were(tmp_path_factory, frames, more, size):
    folder = tmp_path_factory.mktemp("cut")
    file = write(folder / "a.xyz", text(frames))
    before = cut(file, size, folder / "known.json")
    write(file, text(frames) + text(more, len(frames)))

    after = cut(file, size, folder / "known.json")

    whole = len(frames) // size
    assert after.pieces[:whole] == before.pieces[:whole]
    assert after.pieces[whole:] != before.pieces[whole:]


def test_a_file_is_read_once_and_has_the_same_pieces_when_it_was_touched(tmp_path, monkeypatch):
    file, known = write(tmp_path / "a.xyz", text([(1, False), (2, False)])), tmp_path / "known.json"
    before = cut(file, 1, known)
    os.utime(file, ns=(1, 1))
    after = cut(file, 1, known)
    monkeypatch.delattr(cutting, "survey")

    assert (after.pieces, after.modified_ns) == (before.pieces, 1)
    assert cut(file, 1, known) == after


def test_damaged_notes_are_made_again(tmp_path):
    file, known = write(tmp_path / "a.xyz", text([(1, False), (2, False)])), tmp_path / "known.json"
    before = cut(file, 1, known)
    known.write_text("{")

    assert cut(file, 1, known) == before


def test_a_file_that_changed_since_is_refused_and_leaves_no_piece(tmp_path):
    file = write(tmp_path / "a.xyz", text([(1, False), (2, False)]))
    made = cut(file, 1, tmp_path / "known.json")
    file.write_bytes(file.read_bytes().replace(b"0.5", b"0.6"))

    with pytest.raises(DataError, match="it changed while it was read"):
        pieces_in(tmp_path, file, made)
    assert not list(tmp_path.glob("*0.xyz"))


def test_what_is_no_xyz_file_is_refused_with_what_to_do(tmp_path):
    dump = tmp_path / "a.dump"
    dump.write_text("ITEM: TIMESTEP\n0\n")

    with pytest.raises(DataError, match=r"cannot be cut into shards.*anisweep describe"):
        cut(dump, 1, tmp_path / "known.json")
