"""
A model in Torch
================

In Torch the descriptors are a layer: gradients flow through them to positions and orientations. So a
network on top of them can learn from energies and from forces at the same time.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from ase import Atoms

from anisweep.descriptors.torch_backend import TorchProjection

# %%
# Fifty clusters of four discs, in random places and orientations.

rng = np.random.default_rng(3)
torch.manual_seed(0)
torch.set_num_threads(1)  # more would only wait for each other at this size
corners = 3.0 * np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1]])


def cluster():
    """Return four discs around the corners of a tetrahedron."""
    frame = Atoms("X4", corners + rng.normal(0, 0.8, (4, 3)))
    frame.arrays["quaternion"] = rng.normal(size=(4, 4))
    for axis, diameter in enumerate((3.0, 3.0, 1.0), start=1):
        frame.arrays[f"c_diameter[{axis}]"] = np.full(4, diameter)
    return frame


frames = [cluster() for _ in range(50)]

# %%
# The projection takes the same hyperparameters as the one without Torch. A batch holds the frames as
# tensors: what is computed from it can be differentiated by its ``positions`` and ``orientations``, cells
# and diameters.

projection = TorchProjection(
    max_angular=4,
    radial_basis_name="gto",
    cutoff_radius=8.0,
    radial_gaussian_width=1.5,
    cutoff_smoothing=1.0,
)
train, test = projection.batch(frames[:40]), projection.batch(frames[40:])

# %%
# Energies and forces to learn come from your simulations. Here it is a repulsion between the discs that
# depends on how they are turned: the closer two are, and the more face to face, the higher the energy.


def repulsion(batch):
    """Return the energies of the clusters, as a function of positions and orientations."""
    w, x, y, z = (batch.orientations / batch.orientations.norm(dim=1, keepdim=True)).T
    normals = torch.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], dim=1)
    positions, normals = batch.positions.reshape(-1, 4, 3), normals.reshape(-1, 4, 3)
    first, second = torch.triu_indices(4, 4, offset=1)
    away = positions[:, second] - positions[:, first]
    distance = away.norm(dim=2)
    facing = sum((away * normals[:, side]).sum(dim=2) ** 2 for side in (first, second)) / distance**2
    return (torch.exp(-(distance**2) / 8) * (1 + facing)).sum(dim=1)


def with_forces(energies, batch, **options):
    """Return energies and forces of a function of a batch."""
    batch.positions.requires_grad_()
    found = energies(batch)
    return found, -torch.autograd.grad(found.sum(), batch.positions, **options)[0]


known = [with_forces(repulsion, batch) for batch in (train, test)]
known = [(energies.detach(), forces) for energies, forces in known]

# %%
# The model is a small network on standardised power spectra. ``create_graph=True`` records the forces, so
# that the optimiser can follow them too. The parameters are named, so that nothing is derived by positions
# twice.

with torch.no_grad():
    spectra = projection.power_spectrum_of(train)
mean, spread = spectra.mean(dim=0), spectra.std(dim=0) + 1e-8
network = torch.nn.Sequential(
    torch.nn.Linear(spectra.shape[1], 32), torch.nn.Tanh(), torch.nn.Linear(32, 1)
).double()


def model(batch):
    return network((projection.power_spectrum_of(batch) - mean) / spread)[:, 0]


optimiser = torch.optim.Adam(network.parameters(), lr=0.02)

for epoch in range(61):
    energies, forces = with_forces(model, train, create_graph=True)
    loss = ((energies - known[0][0]) ** 2).mean() + ((forces - known[0][1]) ** 2).mean()
    optimiser.zero_grad()
    loss.backward(inputs=list(network.parameters()))
    optimiser.step()
    if epoch % 20 == 0:
        print(f"epoch {epoch:3}: loss {loss.item():.2e}")

# %%
# Forces of ten clusters that the model has not seen:

_, forces = with_forces(model, test)
true, predicted = known[1][1].flatten(), forces.flatten()

figure, axes = plt.subplots(figsize=(4.6, 4.4), layout="constrained")
axes.axline((0, 0), slope=1, color="#8c959f", linewidth=1, zorder=0)
axes.scatter(true, predicted, s=22, color="#0969da", alpha=0.7, linewidth=0)
axes.set_xlabel("force to learn")
axes.set_ylabel("force of the model")
axes.set_aspect("equal")
axes.spines[["top", "right"]].set_visible(False)
plt.show()
