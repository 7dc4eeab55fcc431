"""Frames of every shape, and one way to project them."""

import warnings

import numpy as np
from ase import Atoms

from anisweep.descriptors import EllipsoidalDensityProjection

SHAPES = {
    "discs": [[3.0, 3.0, 1.0]],
    "rods along x": [[3.0, 1.0, 1.0]],
    "along y": [[1.0, 2.5, 1.0]],
    "triaxial": [[3.0, 2.0, 1.0]],
    "spheres": [[2.0, 2.0, 2.0]],
    "mixed": [[3.0, 3.0, 1.0], [3.0, 2.0, 1.0], [2.0, 2.0, 2.0], [1.0, 3.0, 3.0], [2.5, 2.5, 2.5]],
}


def shaped(frames, shape):
    """The frames, with the diameters of one kind of shape."""
    for frame in frames:
        rows = np.resize(SHAPES[shape], (len(frame), 3))
        for axis in range(3):
            frame.arrays[f"c_diameter[{axis + 1}]"] = rows[:, axis].copy()
    return frames


def random_frame(particles=5, species=(1,), edge=5.5, seed=0, shape="mixed"):
    """A dense frame in a skew periodic cell."""
    generator = np.random.default_rng(seed)
    cell = np.eye(3) * edge + generator.uniform(-0.6, 0.6, (3, 3))
    scaled = generator.uniform(-0.5, 1.5, (particles, 3))
    atoms = Atoms(np.resize(species, particles), scaled_positions=scaled, cell=cell, pbc=True)
    atoms.set_array("c_q", generator.normal(size=(particles, 4)))
    return shaped([atoms], shape)[0]


def projection(lmax=4, basis="gto", cutoff=5.0, kind=EllipsoidalDensityProjection, **more):
    """A projection that reads `c_q`."""
    settings = {"rotation_key": "c_q", "basis_rcond": 1e-8, "basis_tol": 1e-3, **more}
    if basis == "gto":
        settings.setdefault("radial_gaussian_width", 1.5)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In quaternion mode", UserWarning)
        return kind(lmax, basis, cutoff, **settings)


def relative(result, reference):
    """max |difference| / max |reference|."""
    assert result.shape == reference.shape
    return np.abs(result - reference).max() / np.abs(reference).max()
