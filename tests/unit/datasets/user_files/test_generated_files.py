"""Generated files, in any order and compression: what is read is what was written, or it is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from random import Random

import ase.io
import numpy as np
import pytest
from ase import Atoms
from written_files import COMPRESSIONS, Frame, Written, data, dump, gsd_file, xyz

from anisweep.datasets import DataError
from anisweep.datasets.species import names_in, number_of
from anisweep.datasets.user_files.userfile import read_any
from anisweep.describe.first_pass import survey

WRITERS = {"xyz": xyz, "lammps-dump": dump, "lammps-data": data}

#: Generated files for each format and property.
FILES = 200


def assert_same(found: list[Atoms], wanted: list[Frame]) -> None:
    assert len(found) == len(wanted)

    for frame, expected in zip(found, wanted, strict=True):
        names = names_in(frame)
        assert [names[number] for number in frame.numbers.tolist()] == expected.species
        assert frame.numbers.tolist() == [number_of(name) for name in expected.species]
        assert tuple(frame.pbc.tolist()) == expected.pbc
        assert_close(frame.positions, expected.positions)
        assert_close(frame.cell.array, expected.cell)
        for name, values in expected.arrays.items():
            assert frame.arrays[name].shape == values.shape
            assert (frame.arrays[name] == values).all(), name


def assert_close(found: np.ndarray, wanted: np.ndarray) -> None:
    """Boxes and scaled positions are computed; a few units in the last place belong to that."""
    assert np.abs(found - wanted).max() <= 1e-13 * np.abs(wanted).max()


def each(check: Callable[[Random], None]) -> None:
    """Check many files, each of a seed of its own, which is named where one fails."""
    for seed in range(FILES):
        try:
            check(Random(seed))
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_read_is_what_was_written(tmp_path, name):
    def check(random):
        written = WRITERS[name](random)
        path = written.write(tmp_path, compression=random.choice(list(COMPRESSIONS)))

        assert_same(list(read_any(path)), written.frames)
        assert_survey(path, written.frames)

    each(check)


def assert_survey(path: Path, frames: list[Frame]) -> None:
    seen = survey(path)
    names = {name for frame in frames for name in frame.species}

    assert seen.counts.tolist() == [len(frame.species) for frame in frames]
    assert seen.species.tolist() == sorted(number_of(name) for name in names)
    assert set(seen.names.tolist()) == names


def test_gsd_files(tmp_path):
    def check(random):
        path, frames = gsd_file(random, tmp_path)

        assert_same(list(read_any(path)), frames)
        assert_survey(path, frames)

    each(check)


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_is_cut_anywhere_is_refused_or_ends_between_frames(tmp_path, name):
    def check(random):
        written = WRITERS[name](random)
        kept = random.randint(0, len(written.content))
        path = written.write(tmp_path, written.content[:kept], random.choice(["", ".zst"]))
        found = read_or_refused(path)

        if found is not None:
            assert sum(len(text.encode()) for text in written.texts[: len(found)]) == kept
            assert_same(found, written.frames[: len(found)])

    each(check)


def read_or_refused(path: Path) -> list[Atoms] | None:
    try:
        return list(read_any(path))
    except DataError:
        return None


def test_a_compressed_file_that_is_cut_is_refused(tmp_path):
    def check(random):
        path = xyz(random).write(tmp_path, compression=random.choice([".gz", ".bz2", ".xz", ".zst"]))
        content = path.read_bytes()
        path.write_bytes(content[: random.randrange(len(content))])

        with pytest.raises(DataError):
            list(read_any(path))

    each(check)


def without_a_row(lines: list[str], row: int) -> list[str]:
    return lines[:row] + lines[row + 1 :]


def with_a_row_twice(lines: list[str], row: int) -> list[str]:
    return lines[: row + 1] + lines[row:]


def without_a_value(lines: list[str], row: int) -> list[str]:
    return [*lines[:row], lines[row].split(None, 1)[1], *lines[row + 1 :]]


def with_one_value_more(lines: list[str], row: int) -> list[str]:
    return [*lines[:row], "1.5 " + lines[row], *lines[row + 1 :]]


def blank(lines: list[str], row: int) -> list[str]:
    return [*lines[:row], "\n", *lines[row + 1 :]]


DAMAGE = [without_a_row, with_a_row_twice, without_a_value, with_one_value_more, blank]


@pytest.mark.parametrize("name", WRITERS)
def test_a_row_that_is_damaged_is_refused(tmp_path, name):
    def check(random):
        written = WRITERS[name](random)
        lines = [f"{line}\n" for text in written.texts for line in text.split("\n")[:-1]]
        damaged = random.choice(DAMAGE)(lines, random.choice(rows_of(written)))

        with pytest.raises(DataError) as caught:
            list(read_any(written.write(tmp_path, "".join(damaged).encode())))
        assert caught.value.remedy

    each(check)


def rows_of(written: Written) -> list[int]:
    """The lines that are rows of particles, counted from 0."""
    rows, start = [], 0

    for text, frame in zip(written.texts, written.frames, strict=True):
        lines = text.split("\n")[:-1]
        particles = len(frame.species)
        begins = [k + 2 for k, line in enumerate(lines) if line.startswith(("Atoms", "Ellipsoids"))]
        for first in begins or [len(lines) - particles]:
            rows += range(start + first, start + first + particles)
        start += len(lines)
    return rows


def test_xyz_is_read_as_ase_reads_it(tmp_path):
    def check(random):
        written = xyz(random, for_ase=True)
        found = list(read_any(written.write(tmp_path)))
        wanted = ase.io.read(io.StringIO(written.content.decode()), ":", format="extxyz")

        for frame, expected in zip(found, wanted, strict=True):
            assert_as_ase(frame, expected)

    each(check)


def assert_as_ase(frame: Atoms, expected: Atoms) -> None:
    assert set(frame.arrays) == set(expected.arrays)
    assert all((frame.arrays[name] == expected.arrays[name]).all() for name in expected.arrays)
    assert (frame.cell.array == expected.cell.array).all()
    assert (frame.pbc == expected.pbc).all()
    assert frame.info.keys() == expected.info.keys()
