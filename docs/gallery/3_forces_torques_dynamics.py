"""
Forces, torques and dynamics
============================

A model of energies is a model of forces and torques as well, because the descriptors can be differentiated.
We fit a ridge model to the energies of small boxes of discs, and let it move the discs of one box.
"""

import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms

from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.dynamics import RigidBodies
from anisweep.models import RidgeCalculator, RidgeModel

# %%
# Energies come from your simulations. Here discs repel each other by the overlap of their Gaussians, so
# that the example needs no file.

rng = np.random.default_rng(1)
edge, diameters = 9.0, np.array([3.0, 3.0, 1.0])


def box():
    """Return eight discs in a periodic box."""
    sites = edge / 2 * (np.indices((2, 2, 2)).reshape(3, -1).T + 0.5)
    frame = Atoms("X8", sites + rng.normal(0, 0.5, (8, 3)), cell=[edge] * 3, pbc=True)
    frame.arrays["quaternion"] = unit(rng.normal(size=(8, 4)))
    for axis in range(3):
        frame.arrays[f"c_diameter[{axis + 1}]"] = np.full(8, diameters[axis])
    return frame


def unit(quaternions):
    return quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)


def overlap(frame):
    """Return the energy of a frame: how much its discs overlap with their nearest images."""
    turned = rotations(frame.arrays["quaternion"])
    shapes = np.einsum("pik,k,pjk->pij", turned, (diameters / 2) ** 2, turned)
    first, second = np.triu_indices(len(frame), k=1)
    away = frame.positions[second] - frame.positions[first]
    away -= edge * np.round(away / edge)
    distance = np.einsum("pi,pij,pj->p", away, np.linalg.inv(shapes[first] + shapes[second]), away)
    return np.exp(-distance).sum()


def rotations(quaternions):
    """Return the matrices that take body axes to space."""
    w, x, y, z = quaternions.T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


frames = [box() for _ in range(600)]
energies = np.array([overlap(frame) for frame in frames])

# %%
# The cutoff is smooth here: without ``cutoff_smoothing`` the energy would jump whenever a neighbour crosses
# it.

projection = EllipsoidalDensityProjection(
    max_angular=6,
    radial_basis_name="gto",
    cutoff_radius=6.0,
    radial_gaussian_width=1.2,
    max_radial=3,
    cutoff_smoothing=1.0,
)
model = RidgeModel.fit(projection, frames[:500], energies[:500], alpha=1e-8)

errors = model.energies(frames[500:]) - energies[500:]
print(
    f"in 100 new frames, errors are {np.std(errors) / np.std(energies[500:]):.0%} of the spread of energies"
)

# %%
# The calculator puts the model behind ASE's interface. Torques have no method there; they are among its
# results.

frame = frames[-1].copy()
frame.calc = RidgeCalculator(model)

print("largest force  ", np.abs(frame.get_forces()).max())
print("largest torque ", np.abs(frame.calc.results["torques"]).max())

# %%
# Now the discs move, in steps of velocity Verlet. Their masses and moments of inertia are one.

bodies = RigidBodies(model, [frames[-1]], masses=1.0, inertia=[1.0, 1.0, 1.0], unit="reduced", seed=1)
bodies.draw_velocities(0.003)

step, history = 0.05, []
for _ in range(600):
    bodies.run(1, step)
    history.append((bodies.energies[0], bodies.kinetic_energies[0]))

# %%
# Energy flows between the potential and the motion, and the sum stays what it was: forces and torques are
# the derivatives of the energy.

potential, motion = np.array(history).T
time = step * np.arange(1, len(history) + 1)

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.plot(time, potential + motion, color="black", linewidth=2, label="sum")
axes.plot(time, potential, color="#0969da", linewidth=2, label="potential")
axes.plot(time, motion, color="#bf3989", linewidth=2, label="motion and rotation")
axes.set_xlabel("time")
axes.set_ylabel("energy")
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.12))
plt.show()
