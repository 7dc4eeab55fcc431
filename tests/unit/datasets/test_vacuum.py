"""Slabs and wires have the same neighbours, and the same features, in a vacuum that is wide enough."""

import numpy as np
import pytest
from ase import Atoms

from anisweep.datasets import DIAMETERS, canonical, canonical_xyz, pair_count
from anisweep.datasets.pairs import estimated_pairs
from anisweep.datasets.vacuum import with_vacuum
from anisweep.descriptors import EllipsoidalDensityProjection

CUTOFF = 5.1

CELLS = {
    "slab": ([True, True, False], [[4, 1, 0], [0, 5, 0], [0, 0, 0]]),
    "tilted slab": ([True, False, True], [[4, 1, 2], [9, 9, 9], [0, 1, 3]]),
    "wire": ([False, False, True], [[0, 0, 0], [0, 0, 0], [1, 0, 3]]),
    "short wire": ([True, False, False], [[2, 0, 0], [1, 0, 0], [0, 1, 0]]),
}

kinds = pytest.mark.parametrize(("pbc", "cell"), CELLS.values(), ids=CELLS)


def frame(pbc, cell) -> Atoms:
    rng = np.random.default_rng(3)
    atoms = Atoms("CHCH", positions=rng.uniform(0, 6, (4, 3)), cell=cell, pbc=pbc)
    return canonical(atoms, rng.normal(size=(4, 4)), [3, 2, 1])


def spectrum(atoms: Atoms) -> np.ndarray:
    projection = EllipsoidalDensityProjection(
        3, "gto", CUTOFF, radial_gaussian_width=1.5, rotation_key="c_q", basis_rcond=1e-8, basis_tol=1e-3
    )
    return projection.power_spectrum(atoms)


@kinds
def test_the_features_stay(pbc, cell):
    atoms = frame(pbc, cell)
    surrounded = with_vacuum([atoms], CUTOFF)[0]

    reference = spectrum(atoms)
    assert surrounded.pbc.all()
    assert np.abs(spectrum(surrounded) - reference).max() <= 1e-12 * np.abs(reference).max()


@kinds
def test_the_pairs_stay(pbc, cell):
    atoms = frame(pbc, cell)
    pairs = pair_count(with_vacuum([atoms], CUTOFF), CUTOFF, self_pairs=True)

    assert pairs == estimated_pairs([atoms], CUTOFF).pairs


@kinds
def test_canonical_files_keep_the_directions(tmp_path, pbc, cell):
    atoms = frame(pbc, cell)
    (tmp_path / "file.xyz").write_text(canonical_xyz.to_text([atoms]))
    found = canonical_xyz.read(tmp_path / "file.xyz")[0]

    assert found.pbc.tolist() == pbc
    np.testing.assert_array_equal(found.cell.array, atoms.cell.array)
    assert set(DIAMETERS) <= set(found.arrays)


def test_other_frames_stay_what_they_are():
    frames = [frame([True] * 3, np.eye(3) * 9), frame([False] * 3, np.zeros((3, 3)))]

    assert all(one is other for one, other in zip(with_vacuum(frames, CUTOFF), frames, strict=True))
