"""Files of atoms that become files of particles, as the command makes them."""

from __future__ import annotations

import tracemalloc

import ase.io
import known_molecules as known
import numpy as np
import pytest
from click.testing import CliRunner
from known_molecules import apart, axes_of, dump, placed, spread
from scipy.spatial.transform import Rotation

from anisweep import datasets
from anisweep.cli import main
from anisweep.cli.coarsen import STYLES
from anisweep.coarsen import coarsen_file
from anisweep.coarsen.options import UNITS
from anisweep.datasets.user_files.userfile import read_any


def said(*command: object, status: int = 0) -> str:
    result = CliRunner().invoke(main, ["coarsen", *map(str, command)])
    assert result.exit_code == status, result.output
    return result.output


def benzenes(seed: int) -> ase.Atoms:
    generator = np.random.default_rng(seed)
    frame = placed([known.BENZENE] * 4, spread(4), Rotation.random(4, generator))
    frame.arrays["forces"] = generator.normal(size=(48, 3))
    return frame


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Two frames of four benzenes, without species."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "atoms.dump"
    path.write_text(dump(benzenes(1)) + dump(benzenes(2)))
    return path


def test_a_dump_without_species_is_coarsened_and_never_described(file):
    output = said(file, "-o", "cg.xyz", "--units", "real")
    assert "M1: 4 molecules of 12 atoms, a disc, its normal along z. Mass 78.114" in output
    assert "Wrote cg.xyz" in output

    described = CliRunner().invoke(main, ["describe", str(file), "-o", "out.npz"])
    assert described.exit_code == 1
    assert "a mass is no species" in described.output
    assert "anisweep coarsen" in described.output


def test_the_output_says_what_it_is_and_inspect_knows_it(file, tmp_path):
    said(file, "-o", "cg.xyz", "--units", "real", "--names", "BNZ")
    found = datasets.inspect(tmp_path / "cg.xyz")

    assert found.species == {"BNZ": 8}
    assert found.orientation_candidates[0].in_words.startswith("quaternions w, x, y, z (LAMMPS's")
    assert [candidate.names for candidate in found.diameter_candidates] == [datasets.DIAMETERS]
    assert found.problems == ()

    (frame, _) = read_any(tmp_path / "cg.xyz")
    assert frame.info["units"] == "real (g/mol, Angstrom, kcal/mol)"
    assert frame.info["timestep"] == 7


def test_ase_reads_the_output(file):
    said(file, "-o", "cg.xyz")
    frame = ase.io.read("cg.xyz", index=1, format="extxyz")

    assert frame.arrays["torques"].shape == frame.get_forces().shape == (4, 3)
    assert frame.arrays["type"].tolist() == ["M1"] * 4


def test_the_order_of_rows_does_not_matter(file, tmp_path):
    order = np.random.default_rng(3).permutation(48)
    (tmp_path / "other.dump").write_text(dump(benzenes(1)) + dump(benzenes(2), order))
    said(file, "-o", "one.xyz")
    said("other.dump", "-o", "two.xyz")

    assert (tmp_path / "one.xyz").read_text() == (tmp_path / "two.xyz").read_text()


def test_atoms_that_are_numbered_anew_in_their_molecules_change_axes_by_signs_alone(file, tmp_path):
    """As where each frame is written by itself; the moments here are all different."""
    long = known.molecule(" ".join(known.BENZENE.species), known.BENZENE.places * [1.1, 1, 1])
    frame = placed([long] * 4, spread(4), Rotation.random(4, 1))
    generator = np.random.default_rng(1)
    order = np.concatenate([12 * each + generator.permutation(12) for each in range(4)])
    (tmp_path / "both.dump").write_text(dump(frame) + dump(frame[order]))
    said("both.dump", "-o", "cg.xyz")

    first, second = read_any(tmp_path / "cg.xyz")
    assert apart(first.positions, second.positions, first) < 1e-8
    overlaps = np.abs(np.einsum("mik,mik->mk", axes_of(first), axes_of(second)))
    np.testing.assert_allclose(overlaps, 1, atol=1e-8)


def test_an_output_that_is_there_stays_as_it_is(file, tmp_path):
    (tmp_path / "cg.xyz").write_text("mine")
    assert "it is there already" in said(file, "-o", "cg.xyz", status=1)
    assert (tmp_path / "cg.xyz").read_text() == "mine"


def test_a_file_that_is_wrong_in_the_end_leaves_nothing(file, tmp_path):
    file.write_text(file.read_text() + "ITEM: TIMESTEP\n")
    said(file, "-o", "cg.xyz", status=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["atoms.dump"]


def test_memory_does_not_grow_with_the_frames(file, tmp_path):
    def peak(frames: int) -> int:
        (tmp_path / f"{frames}.dump").write_text(dump(benzenes(1)) * frames)
        tracemalloc.start()
        coarsen_file(tmp_path / f"{frames}.dump", tmp_path / f"{frames}.xyz")
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(2)  # what is imported on the way does not count
    assert peak(300) < 2 * peak(30)  # the frames themselves would be ten times as much


def test_molecules_are_listed_a_line_each(file, tmp_path):
    (tmp_path / "lists").write_text("\n".join(" ".join(map(str, range(a, a + 12))) for a in (36, 0)) + "\n")
    output = said(file, "-o", "cg.xyz", "--indices", "lists")

    assert "M1: 2 molecules of 12 atoms" in output
    assert "Left out, as in no molecule: 24 atoms a frame." in output


#: As LAMMPS has written it: two atoms that push each other away, in a general triclinic box.
GENERAL = """ITEM: TIMESTEP
0
ITEM: NUMBER OF ATOMS
2
ITEM: BOX BOUNDS abc origin pp pp pp
8 2 1 0
-1 9 3 0
2 1 10 0
ITEM: ATOMS id mol mass x y z fx fy fz
1 1 12 2.7 3.6 4.2 -1.09918877513275 -0.699762124598317 -1.01300880062619
2 1 12 4.85795642686022 4.97379147987381 6.18876562537062 1.09918877513275 0.699762124598317 1.01300880062619
"""

#: The force on the second atom in LAMMPS's own axes.
OWN = (1.34904907647379, 0.651043830305843, 0.693021171994184)


def test_forces_and_positions_have_the_same_axes_in_a_general_triclinic_box(tmp_path):
    (tmp_path / "general.dump").write_text(GENERAL)
    (frame,) = read_any(tmp_path / "general.dump", nameless=True)
    assert [frame.arrays[name][1] for name in ("fx", "fy", "fz")] == pytest.approx(OWN, rel=1e-9)

    coarsen_file(tmp_path / "general.dump", tmp_path / "cg.xyz")
    (particle,) = read_any(tmp_path / "cg.xyz")
    assert np.abs(particle.arrays["torques"]).max() < 1e-9


def test_every_style_of_units_can_be_asked_for():
    assert set(STYLES) == set(UNITS)
