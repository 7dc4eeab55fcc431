"""Features of one frame, by the published package or by ours, which has the same constructor, as JSON.

    python features_of_a_frame.py anisweep.descriptors

Some of them are compared with numbers of the published package, so that it also tells where that is missing.
"""

from __future__ import annotations

import json
import sys
import warnings
from importlib import import_module

import ase
import numpy as np

#: Every seventieth feature, as anisoap 0.1.1 computes it.
PUBLISHED = [
    0.009817118045895802,
    -0.0003281029433187548,
    -0.0002474622116320852,
    0.00010707460844862941,
    -3.2876507344597284e-05,
    -1.7490649379669036e-05,
    5.908419847691397e-06,
]


def main() -> None:
    features = compute(sys.argv[1])

    error = np.abs(features[::70] - PUBLISHED).max() / np.abs(PUBLISHED).max()
    if error > 1e-10:
        sys.exit(f"These are not the published package's numbers: relative error {error:.1e}.")

    print(json.dumps(features.tolist()))


def compute(package: str) -> np.ndarray:
    warnings.simplefilter("ignore")
    projection = import_module(package).EllipsoidalDensityProjection(
        9,
        "gto",
        7.0,
        radial_gaussian_width=1.5,
        max_radial=6,
        basis_rcond=1e-8,
        basis_tol=1e-3,
        rotation_key="c_q",
    )
    return np.ravel(projection.power_spectrum([frame()]))


def frame() -> ase.Atoms:
    """Three ellipsoids."""
    atoms = ase.Atoms("C3", [[0, 0, 0], [0, 1, 4], [2, 2, 2]], cell=[7, 8, 9], pbc=True)
    atoms.arrays["c_q"] = np.array([[1.0, 2, 3, 4], [4, 3, 2, 1], [1, 0, 0, 1]])

    for axis in (1, 2, 3):
        atoms.arrays[f"c_diameter[{axis}]"] = np.ones(3) + axis
    return atoms


if __name__ == "__main__":
    main()
