"""Give tasks what they share: projections, and labels and errors of those that learn."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.cell import Hypers
from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.models.projections import projection_of
from anisweep.modes import Unavailable


def projection_for(hypers: Hypers, smoothing: float | None = None) -> EllipsoidalDensityProjection:
    """Return a projection that keeps isolated particles, with the threads that the environment pins."""
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    more = {"rotation_key": "c_q", "cutoff_smoothing": smoothing}
    return projection_of(hypers.arguments | more, threads)


def require_labels(frames: Sequence[Atoms], names: Sequence[str], remedy: str) -> None:
    """Raise ``Unavailable`` unless all frames have labels of these names."""
    for number, frame in enumerate(frames):
        lacking = [name for name in names if name not in frame.info and name not in frame.arrays]
        if lacking:
            raise Unavailable(f"frame {number} has no {', '.join(lacking)}: take {remedy}")


def labels_of(frames: Sequence[Atoms]) -> dict[str, Any]:
    """Return the labels that frames have, by the names under which a fit takes them."""
    labels: dict[str, Any] = {
        name: [frame.arrays[name] for frame in frames] for name in ("forces", "torques")
    }
    if all("energy" in frame.info for frame in frames):
        labels["energies"] = [frame.info["energy"] for frame in frames]
    return labels


def rms(values: Any) -> float:
    """Return the root mean square of all numbers."""
    return float(np.sqrt(np.mean(np.square(values))))


def errors_of(model: Any, frames: Sequence[Atoms], energy: float | None = None) -> dict[str, float]:
    """Return the RMSE of each kind of label over how much it spreads.

    That is the root mean square of forces and torques, and the standard deviation of energies per particle
    where no ``energy`` is given in its place.
    """
    labels = labels_of(frames)
    energies, derivatives = model.compute(list(frames))
    forces, torques = np.vstack(labels["forces"]), np.vstack(labels["torques"])
    counts = np.array([len(frame) for frame in frames])
    wanted = np.array(labels["energies"]) / counts
    return {
        "energy_error": rms(energies / counts - wanted) / (energy or float(np.std(wanted))),
        "force_error": rms(derivatives.forces - forces) / rms(forces),
        "torque_error": rms(derivatives.torques - torques) / rms(torques),
    }
