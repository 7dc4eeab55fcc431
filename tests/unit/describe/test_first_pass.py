"""The first pass sees what ASE sees, whatever the header looks like."""

from __future__ import annotations

import lzma

import ase.io
import numpy as np
import pytest

from anisweep.describe.first_pass import survey

HEADERS = {
    "plain": ("", "c 0 0 0", "O 1 1 1"),
    "extended": ("Properties=species:S:1:pos:R:3", "C 0 0 0", "O 1 1 1"),
    "quoted": ('note="a b" Properties="species:S:1:pos:R:3:w:R:1" pbc="F F F"', "C 0 0 0 7", "O 1 1 1 7"),
    "species later": ("Properties=pos:R:3:w:R:2:species:S:1", "0 0 0 6 7 C", "1 1 1 6 7 O"),
    "numbers": ("Properties=Z:I:1:pos:R:3", "6 0 0 0", "8 1 1 1"),
    "both": ("Properties=species:S:1:pos:R:3:Z:I:1", "N 0 0 0 6", "N 1 1 1 8"),
}


@pytest.mark.parametrize("header", HEADERS)
def test_counts_and_species_are_ase_s(tmp_path, header):
    first, one, two = HEADERS[header]
    text = f"1\n{first}\n{one}\n2\n{first}\n{two}\n{two}\n"
    path = tmp_path / "some.xyz.xz"
    path.write_bytes(lzma.compress(text.encode()))

    seen = survey(path)
    frames = ase.io.read(path, ":", format="extxyz")
    assert seen.counts.tolist() == [len(frame) for frame in frames] == [1, 2]
    assert seen.species.tolist() == sorted({int(n) for frame in frames for n in frame.numbers}) == [6, 8]


def test_other_formats_are_left_to_ase(tmp_path):
    frames = [ase.Atoms("OC", np.eye(3)[:2]), ase.Atoms("H")]
    ase.io.write(tmp_path / "some.traj", frames)

    seen = survey(tmp_path / "some.traj")
    assert (seen.counts.tolist(), seen.species.tolist()) == ([2, 1], [1, 6, 8])
