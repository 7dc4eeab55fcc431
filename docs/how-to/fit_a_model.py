"""From an XYZ file to a model with energies, forces and torques: python fit_a_model.py [FILE.xyz]

Without a file it writes one first, as an example: example_crystals.xyz.
"""

import itertools
import sys

import ase.io
import numpy as np

from anisweep.datasets.generators import ellipsoids
from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.descriptors.calculator import RidgeCalculator, RidgeModel

DIAMETERS = (3.0, 3.0, 1.0)  # Angstrom, along the three axes of each particle
ORIENTATIONS = "c_q"  # name of the array of quaternions (w, x, y, z)
ENERGY = "reference_energy"  # its name in the header of each frame


def fit(path):
    frames = ase.io.read(path, ":", format="extxyz")
    energies = np.array([energy_of(frame) for frame in frames])
    for frame in frames:
        for axis, diameter in enumerate(DIAMETERS, start=1):
            frame.arrays[f"c_diameter[{axis}]"] = np.full(len(frame), diameter)

    projection = EllipsoidalDensityProjection(
        max_angular=6,
        radial_basis_name="gto",
        cutoff_radius=7.0,
        radial_gaussian_width=1.5,
        max_radial=3,
        rotation_key=ORIENTATIONS,
        basis_rcond=1e-8,
        basis_tol=1e-3,
    )
    features = projection.power_spectrum(frames)
    print(f"{len(features)} frames, {features.shape[1]} features")

    train = len(frames) * 2 // 3
    model = RidgeModel.fit(projection, frames[:train], energies[:train], alpha=1e-6)

    counts = np.array([len(frame) for frame in frames])
    errors = (model.energies(frames) - energies)[train:] / counts[train:]
    share = np.std(errors) / np.std((energies / counts)[train:])
    print(f"energies of {len(errors)} new frames: wrong by {share:.0%} of their spread")
    return model, frames[train:], share


def energy_of(frame):
    """What the header says. ASE keeps what is called `energy` in a calculator."""
    return frame.get_potential_energy() if ENERGY == "energy" else frame.info[ENERGY]


def use(model, frame):
    truth = energy_of(frame)
    frame.calc = RidgeCalculator(model)
    energy, forces, stress = frame.get_potential_energy(), frame.get_forces(), frame.get_stress()
    torques = frame.calc.results["torques"]
    print(f"energy {energy:.4f}, and in truth {truth:.4f}")
    print(f"largest force {np.abs(forces).max():.2e}, torque {np.abs(torques).max():.2e}")
    print(f"pressure {-stress[:3].mean():.2e}")

    frame.positions += 1e-3 * forces / np.abs(forces).max()
    frame.arrays[ORIENTATIONS] = turned(frame.arrays[ORIENTATIONS], 1e-3 * torques / np.abs(torques).max())
    change = frame.get_potential_energy() - energy
    print(f"a small step along forces and torques changes the energy by {change:.1e}")
    return change


def turned(quaternions, angles):
    """Orientations after small turns by rotation vectors in space."""
    scalar, vector = quaternions[:, :1], quaternions[:, 1:]
    real = scalar - np.sum(angles * vector, axis=1, keepdims=True) / 2
    return np.hstack([real, vector + (angles * scalar + np.cross(angles, vector)) / 2])


def write_example(path):
    """A file as your own program may write it: orientations, and an energy to learn for each frame."""
    frames = list(ellipsoids.generate(frames=300, seed=1))
    for frame in frames:
        frame.info[ENERGY] = overlap(frame)
        frame.arrays[ORIENTATIONS] = frame.arrays["c_q"]
    ase.io.write(path, frames, columns=["symbols", "positions", ORIENTATIONS], format="extxyz")
    return path


def overlap(frame):
    """For want of real energies: how much the ellipsoids, as Gaussians, overlap."""
    axes = np.array([ellipsoids.axes(quaternion) for quaternion in frame.arrays["c_q"]])
    shapes = np.einsum("pka,k,pkb->pab", axes, (np.array(DIAMETERS) / 2) ** 2, axes)
    images = np.array(list(itertools.product(range(-5, 6), repeat=3))) @ frame.cell.array
    total = 0.0

    for i, j in itertools.product(range(len(frame)), repeat=2):
        away = frame.positions[j] - frame.positions[i] + images
        away = away[np.sum(away**2, axis=1) > 1e-6]  # no particle overlaps with itself
        both = shapes[i] + shapes[j]
        distances = np.einsum("na,ab,nb->n", away, np.linalg.inv(both), away)
        total += np.sum(np.exp(-distances / 2)) / np.sqrt(np.linalg.det(both))
    return total


if __name__ == "__main__":
    file = sys.argv[1] if len(sys.argv) > 1 else write_example("example_crystals.xyz")
    model, new, _ = fit(file)
    use(model, new[0])
