"""
First features
==============

Particles that are not spheres have a place, a shape and an orientation. A descriptor turns the surroundings
of each into a row of numbers that does not change when everything is rotated together, but does change when
one particle turns beside another. We watch that happen, for a sphere, a disc and a rod.
"""

import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms
from matplotlib.patches import Ellipse

from anisweep.descriptors import EllipsoidalDensityProjection

# %%
# A frame is an :class:`ase.Atoms` with a few arrays more: the three diameters of each particle in Ångström,
# and its orientation, here as a quaternion :math:`(w, x, y, z)`. The first of our two particles stays as it
# is; the second stands 4 Å beside it and turns about the *y* axis.


def pair(diameters, angle):
    """Return two particles of one shape, the second of them turned."""
    frame = Atoms("X2", positions=[[0, 0, 0], [4, 0, 0]])
    frame.arrays["quaternion"] = np.array(
        [[1, 0, 0, 0], [np.cos(angle / 2), 0, np.sin(angle / 2), 0]],
    )
    for axis, diameter in enumerate(diameters, start=1):
        frame.arrays[f"c_diameter[{axis}]"] = np.full(2, diameter)
    return frame


# %%
# The projection holds the hyperparameters. It is made once and describes any number of frames.

projection = EllipsoidalDensityProjection(
    max_angular=6,
    radial_basis_name="gto",
    cutoff_radius=7.0,
    radial_gaussian_width=1.5,
)

shapes = {"sphere": (2, 2, 2), "disc": (3, 3, 1), "rod": (1, 1, 3)}
angles = np.linspace(0, np.pi, 61)

features = {
    name: projection.power_spectrum([pair(diameters, angle) for angle in angles])
    for name, diameters in shapes.items()
}
print(features["disc"].shape)  # frames and features

# %%
# How far have the features moved from where they were at the start? A sphere looks the same however it is
# turned, so nothing moves. Disc and rod move most after a quarter turn, and are back after half a turn:
# then they look as at the start, although their quaternions differ.

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
colours = {"sphere": "#6e7781", "disc": "#0969da", "rod": "#bf3989"}

for name, rows in features.items():
    distance = np.linalg.norm(rows - rows[0], axis=1) / np.linalg.norm(rows[0])
    axes.plot(np.degrees(angles), distance, color=colours[name], linewidth=2.5, label=name)

axes.set_xlabel("angle of the second particle", labelpad=36)
axes.set_ylabel("change of the features")
axes.set_xticks([0, 45, 90, 135, 180], ["0°", "45°", "90°", "135°", "180°"])
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False)

for angle in (0, 45, 90, 135, 180):
    inset = axes.inset_axes((angle - 12, -0.06, 24, 0.035), transform=axes.transData)
    inset.add_patch(Ellipse((0, 0), 3, 1, color=colours["disc"], alpha=0.35))
    inset.add_patch(Ellipse((4, 0), 3, 1, angle=-angle, color=colours["disc"]))
    inset.set(xlim=(-2, 6), ylim=(-2, 2), aspect="equal")
    inset.axis("off")

plt.show()
