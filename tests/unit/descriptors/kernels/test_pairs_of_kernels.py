"""The list of pairs against ASE's."""

import numpy as np
import pytest
from ase.neighborlist import neighbor_list
from frames_for_tests import projection, random_frame

from anisweep.descriptors import BadInput
from anisweep.descriptors.kernels.pairs import find_pairs


def rows(*columns):
    """Sorted rows of integers."""
    table = np.column_stack(columns)
    return table[np.lexsort(table.T[::-1])]


@pytest.mark.parametrize("particles", [1, 4, 60])
@pytest.mark.parametrize("pbc", [True, False, (True, False, True)])
def test_every_pair_is_found_once_with_its_cells(particles, pbc):
    frame = random_frame(particles, edge=4.0 + particles**0.5)
    frame.pbc = pbc
    arrays = projection().gather([random_frame(2), frame])

    found = find_pairs(arrays, range(1, 2), 5.0, self_pairs=False)
    centre, neighbour, cells = neighbor_list("ijS", frame, 5.0)
    expected = rows(centre + 2, neighbour + 2, cells)
    assert np.array_equal(rows(found.centre, found.neighbour, found.cells), expected)

    with_itself = find_pairs(arrays, range(1, 2), 5.0, self_pairs=True)
    assert len(with_itself.centre) == len(expected) + particles


def test_pairs_of_a_centre_and_a_particle_stand_together():
    arrays = projection().gather([random_frame(60, edge=11.0)])
    found = find_pairs(arrays, range(1), 5.0, self_pairs=True)

    key = found.centre * 60 + found.neighbour
    assert (np.diff(key) >= 0).all()


def test_a_flat_cell_is_named_by_its_number_among_all_frames():
    flat = random_frame()
    flat.set_cell([[5, 0, 0], [10, 0, 0], [0, 0, 5]])
    arrays = projection().gather([random_frame(), flat])

    with pytest.raises(BadInput, match="frame 1: it is periodic, but its cell vectors span no volume"):
        find_pairs(arrays, range(1, 2), 5.0, self_pairs=True)
