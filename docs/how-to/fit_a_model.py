"""Fit models of energies, forces and torques to an XYZ file: python fit_a_model.py [FILE.xyz]

Without a file it writes an example first, example_crystals.xyz.
"""

import itertools
import sys

import ase.io
import numpy as np

from anisweep.datasets.generators import ellipsoids
from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.models import RidgeCalculator, RidgeModel

DIAMETERS = (3.0, 3.0, 1.0)  # Angstrom, along the three axes of each particle
ORIENTATIONS = "c_q"  # name of the array of quaternions (w, x, y, z)
ENERGY = "reference_energy"  # its name in the header of each frame
FORCES, TORQUES = "reference_forces", "reference_torques"  # names of their arrays, where a file has them


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
    print(f"{len(errors)} new frames: the error spreads {share:.0%} as much as the energy per particle")

    if all(name in frame.arrays for frame in frames for name in (FORCES, TORQUES)):
        learn_from_few(projection, frames, energies)
    return model, frames[train:], share


def learn_from_few(projection, frames, energies, count=30):
    """Fit to a few frames: to their energies, and to energies, forces and torques."""
    few = frames[:count]
    forces, torques = ([frame.arrays[name] for frame in few] for name in (FORCES, TORQUES))
    plain = RidgeModel.fit(projection, few, energies[:count], alpha=1e-4)
    model = RidgeModel.fit(projection, few, energies[:count], forces=forces, torques=torques, alpha=1e-4)

    counts = np.array([len(frame) for frame in frames])
    shares = [
        np.std(((each.energies(frames) - energies) / counts)[count:]) / np.std((energies / counts)[count:])
        for each in (plain, model)
    ]
    print(f"{count} frames alone: {shares[0]:.0%}, and {shares[1]:.0%} with their forces and torques")
    return shares


def energy_of(frame):
    """Return the energy in the header of a frame. ASE moves one named `energy` to a calculator."""
    return frame.get_potential_energy() if ENERGY == "energy" else frame.info[ENERGY]


def use(model, frame):
    truth = energy_of(frame)
    frame.calc = RidgeCalculator(model)
    energy, forces, stress = frame.get_potential_energy(), frame.get_forces(), frame.get_stress()
    torques = frame.calc.results["torques"]
    print(f"energy {energy:.4f}, true value {truth:.4f}")
    print(f"largest force {np.abs(forces).max():.2e}, torque {np.abs(torques).max():.2e}")
    print(f"pressure {-stress[:3].mean():.2e}")

    frame.positions += 1e-3 * forces / np.abs(forces).max()
    frame.arrays[ORIENTATIONS] = turned(frame.arrays[ORIENTATIONS], 1e-3 * torques / np.abs(torques).max())
    change = frame.get_potential_energy() - energy
    print(f"a small step along forces and torques changes the energy by {change:.1e}")
    return change


def turned(quaternions, angles):
    """Return the orientations after small rotations, given as rotation vectors in the lab frame."""
    scalar, vector = quaternions[:, :1], quaternions[:, 1:]
    real = scalar - np.sum(angles * vector, axis=1, keepdims=True) / 2
    return np.hstack([real, vector + (angles * scalar + np.cross(angles, vector)) / 2])


def write_example(path):
    """Write a file as your own program may write it: orientations, energies, forces and torques."""
    frames = list(ellipsoids.generate(frames=300, seed=1))
    for frame in frames:
        frame.info[ENERGY], frame.arrays[FORCES], frame.arrays[TORQUES] = overlap(frame)
        frame.arrays[ORIENTATIONS] = frame.arrays["c_q"]
    columns = ["symbols", "positions", ORIENTATIONS, FORCES, TORQUES]
    ase.io.write(path, frames, columns=columns, format="extxyz")
    return path


def overlap(frame):
    """Return an overlap of Gaussian ellipsoids, which stands in for an energy, with forces and torques."""
    axes = np.array([ellipsoids.axes(quaternion) for quaternion in frame.arrays["c_q"]])
    shapes = np.einsum("pka,k,pkb->pab", axes, (np.array(DIAMETERS) / 2) ** 2, axes)
    images = np.array(list(itertools.product(range(-5, 6), repeat=3))) @ frame.cell.array
    energy, forces, torques = 0.0, np.zeros((len(frame), 3)), np.zeros((len(frame), 3))

    for i, j in itertools.product(range(len(frame)), repeat=2):
        away = frame.positions[j] - frame.positions[i] + images
        away = away[np.sum(away**2, axis=1) > 1e-6]  # no particle overlaps with itself
        both = shapes[i] + shapes[j]
        inverse = np.linalg.inv(both)
        scaled = away @ inverse
        terms = np.exp(-np.sum(scaled * away, axis=1) / 2) / np.sqrt(np.linalg.det(both))
        energy += terms.sum()

        push = terms @ scaled  # minus the derivative by `away`
        forces[j] += push
        forces[i] -= push
        by_shape = (np.einsum("n,na,nb->ab", terms, scaled, scaled) - terms.sum() * inverse) / 2
        for k in (i, j):
            product = shapes[k] @ by_shape
            turning = product - product.T
            torques[k] -= 2 * np.array([turning[1, 2], turning[2, 0], turning[0, 1]])
    return energy, forces, torques


if __name__ == "__main__":
    file = sys.argv[1] if len(sys.argv) > 1 else write_example("example_crystals.xyz")
    model, new, _ = fit(file)
    use(model, new[0])
