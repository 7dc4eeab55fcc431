"""The published package computes slabs and wires when these stand in a vacuum, as the worker gives them."""

import numpy as np
import pytest
from ase import Atoms
from cases import canonical, run

from anisweep.datasets.vacuum import with_vacuum
from anisweep.descriptors import EllipsoidalDensityProjection

HYPERS = {"max_angular": 3, "cutoff_radius": 5.0}


@pytest.mark.parametrize("pbc", [(True, True, False), (False, True, False)])
@pytest.mark.parametrize("numbers", [[150] * 4, [2**30 + 7] * 4])
def test_a_frame_that_is_periodic_in_some_directions(pbc, numbers):
    generator = np.random.default_rng(2)
    atoms = Atoms(numbers, positions=generator.uniform(0, 6, (4, 3)), cell=[4, 5, 6], pbc=pbc)
    frame = canonical(atoms, generator.normal(size=(4, 4)))

    reference = run("numpy_only", with_vacuum([frame], HYPERS["cutoff_radius"]), "power_spectrum", **HYPERS)
    projection = EllipsoidalDensityProjection(
        3, "gto", 5.0, radial_gaussian_width=1.5, rotation_key="c_q", basis_rcond=1e-8, basis_tol=1e-3
    )
    own = projection.power_spectrum([frame])

    assert np.abs(own - reference).max() <= 1e-12 * np.abs(reference).max()
