"""
Several species, and what each number means
===========================================

Mixtures need no special treatment: every pair of species has columns of its own. Here discs and small
spheres are kept apart by layers of large spheres, and we ask which pairs of neighbours each kind of
particle sees.
"""

import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms

from anisweep.descriptors import EllipsoidalDensityProjection

# %%
# The atomic number says what kind a particle is. Any numbers will do: we borrow carbon, neon and argon.

rng = np.random.default_rng(7)
names = {6: "disc", 10: "small sphere", 18: "large sphere"}
diameters = {6: (4.0, 4.0, 1.2), 10: (1.5, 1.5, 1.5), 18: (3.0, 3.0, 3.0)}


def layers():
    """Return a periodic box of six layers: discs twice, large spheres, small ones twice, large ones."""
    across, up = np.arange(4), np.arange(6)
    sites = np.stack(np.meshgrid(across, across, up, indexing="ij"), axis=-1).reshape(-1, 3)
    frame = Atoms(
        numbers=np.array([6, 6, 18, 10, 10, 18])[sites[:, 2]],
        positions=4.0 * sites + rng.normal(0, 0.3, sites.shape),
        cell=[16.0, 16.0, 24.0],
        pbc=True,
    )
    frame.arrays["quaternion"] = rng.normal(size=(len(frame), 4))  # of any length
    for axis in range(3):
        lengths = [diameters[number][axis] for number in frame.numbers]
        frame.arrays[f"c_diameter[{axis + 1}]"] = np.array(lengths)
    return frame


frames = [layers() for _ in range(10)]

# %%
# ``describe`` gives a plain array with its labels. With ``per_centre=True`` each particle has a row, and
# the labels say to which frame and particle it belongs, and of what kind that is.

projection = EllipsoidalDensityProjection(
    max_angular=6,
    radial_basis_name="gto",
    cutoff_radius=7.0,
    radial_gaussian_width=1.5,
    subtract_center_contribution=True,
)
features = projection.describe(frames, per_centre=True)

print(features.values.shape, "rows and columns")
print("row 100: frame", features.frame[100], "particle", features.centre[100])
print("column 300: l, m, species, n, species, n =", features.columns[300])

# %%
# The same numbers come as a :class:`metatensor.TensorMap`, for the libraries that work with those: a block
# for each kind of centre.

print(projection.power_spectrum(frames, mean_over_samples=False))

# %%
# The power spectrum :math:`p^l_{ab}` couples two channels, and each channel belongs to a species. The sum
# of the squares over the columns of a pair says how strongly a particle sees it. Small spheres see no
# discs: they are further away than the cutoff of 7 Å, and the columns are zero.

kinds = list(names)
pairs = [(a, b) for a in kinds for b in kinds if a <= b]


def strength(kind, pair):
    """Return the mean strength of a pair of neighbour species around centres of one kind."""
    return np.mean(features.of_pairs([pair])[features.species == kind] ** 2)


strengths = np.array([[strength(kind, pair) for pair in pairs] for kind in kinds])
share = strengths / strengths.sum(axis=1, keepdims=True)

figure, axes = plt.subplots(figsize=(7.5, 3.4), layout="constrained")
axes.imshow(share, cmap="Blues", vmin=0, aspect="auto")
axes.set_yticks(range(3), [f"{name}s see" for name in names.values()])
axes.set_xticks(range(len(pairs)), [f"{names[a]}\n{names[b]}" for a, b in pairs], fontsize=9)
axes.tick_params(length=0)
axes.spines[:].set_visible(False)

for (row, column), value in np.ndenumerate(share):
    colour = "white" if value > 0.6 * share.max() else "black"
    axes.text(column, row, f"{value:.0%}", ha="center", va="center", color=colour)

plt.show()
