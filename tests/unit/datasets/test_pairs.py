"""Exact pair counts, by lattices that one can count by hand and by published numbers."""

import pytest
from ase import Atoms

from anisweep import datasets


@pytest.mark.parametrize(("cutoff", "shells"), [(0.9, 0), (1.1, 6), (1.5, 18), (1.8, 26), (2.1, 32)])
def test_a_cubic_lattice(cutoff, shells):
    cube = Atoms("C", cell=[1, 1, 1], pbc=True)

    assert datasets.pair_count([cube], cutoff, self_pairs=False) == shells
    assert datasets.pair_count([cube], cutoff, self_pairs=True) == shells + 1


def test_the_same_lattice_in_a_larger_cell():
    cube = Atoms("C", cell=[1, 1, 1], pbc=True).repeat((2, 1, 3))

    assert datasets.pair_count([cube, cube], 1.5, self_pairs=False) == 2 * 6 * 18


def test_a_cluster_has_no_images():
    pair = Atoms("CO", positions=[[0, 0, 0], [0, 0, 1]])

    assert datasets.pair_count([pair], 7.0, self_pairs=False) == 2
    assert datasets.pair_count([pair], 7.0, self_pairs=True) == 4


@pytest.mark.parametrize(("frames", "with_self", "without"), [(50, 668, 586), (200, 2_527, 2_206)])
def test_the_real_ellipsoids(real_ellipsoids, frames, with_self, without):
    first = real_ellipsoids[:frames]

    assert datasets.pair_count(first, 7.0, self_pairs=True) == with_self
    assert datasets.pair_count(first, 7.0, self_pairs=False) == without
