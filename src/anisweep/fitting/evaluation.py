"""Compare what a model computes with the labels of a file: ``anisweep evaluate``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np
from ase import Atoms

from anisweep.datasets.errors import Place
from anisweep.datasets.user_files.userfile import read_any
from anisweep.describe.particles import frame_of
from anisweep.describe.request import Request
from anisweep.dynamics.free_rotation import matrices_of, unit_quaternions
from anisweep.fitting.file_labels import USUAL, LabelNames, checked
from anisweep.models.calculator import EnergyModel

#: Frames that are computed together.
FRAMES = 100


@dataclass(frozen=True)
class LabelErrors:
    """Hold the labels of one kind, and what a model computes in their place.

    Attributes
    ----------
    kind : energies (of a particle on average), forces, torques or stresses
    given, found : (numbers,)
    """

    kind: str
    given: np.ndarray
    found: np.ndarray

    @property
    def rmse(self) -> float:
        """Return the root mean square error."""
        return float(np.sqrt(np.mean(np.square(self.found - self.given))))

    @property
    def spread(self) -> float:
        """Return the standard deviation of energies, and the root mean square of other labels."""
        centre = self.given.mean() if self.kind == "energies" else 0.0
        return float(np.sqrt(np.mean(np.square(self.given - centre))))


def evaluate(
    model: EnergyModel, request: Request, names: LabelNames, tell: Callable[[int], None]
) -> list[LabelErrors]:
    """Compute every frame of a file, and return the errors for each kind of label that there is.

    Parameters
    ----------
    request : file, and how its arrays are read
    tell : is called with the number of frames that are done

    Raises
    ------
    DataError
        Naming file, frame and particle, also for a species that the model does not know; for a file without
        labels.
    """
    frames = enumerate(read_any(request.file, file_format=request.file_format))
    key, matrices = model.projection.rotation_key, model.projection.rotation_type == "matrix"
    pairs: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {kind: [] for kind in USUAL}
    done = 0
    while some := list(islice(frames, FRAMES)):
        read = [(frame, Place(str(request.file), number)) for number, frame in some]
        particles = [frame_of(request, *each) for each in read]
        for frame, (_, place) in zip(particles, read, strict=True):
            _check_species(frame, model, place)
            turns = frame.arrays["c_q"]
            frame.arrays[key] = matrices_of(unit_quaternions(turns)) if matrices else turns

        arrays = model.projection.gather(particles, done)
        labels = checked(request.file, arrays, [names.read(*each) for each in read])
        energies, derivatives = model.compute(particles)
        _pair(pairs["energies"], labels.energies / arrays.counts, energies / arrays.counts)
        _pair(pairs["forces"], labels.forces, derivatives.forces)
        _pair(pairs["torques"], labels.torques, derivatives.torques)
        _pair(pairs["stresses"], labels.stresses, derivatives.stresses)
        done += len(some)
        tell(done)

    return [
        LabelErrors(kind, *(np.concatenate(each) for each in zip(*parts, strict=True)))
        for kind, parts in pairs.items()
        if any(len(given) for given, _ in parts)
    ]


def _pair(pairs: list[tuple[np.ndarray, np.ndarray]], given: np.ndarray, found: np.ndarray) -> None:
    """Keep the numbers for which there is a label."""
    labelled = np.isfinite(given)
    pairs.append((given[labelled], found[labelled]))


def _check_species(frame: Atoms, model: EnergyModel, place: Place) -> None:
    strange = np.flatnonzero(~np.isin(frame.numbers, model.species))
    if len(strange):
        came = f"particle {strange[0]} is of species {frame.numbers[strange[0]]}"
        allowed = f"those that the model learned: {', '.join(map(str, model.species))}"
        raise place.error("species", came, allowed, "fit a model to frames with this species, too")
