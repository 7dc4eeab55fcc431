"""Refuse the power spectrum of several species, for all modes alike."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from anisweep.modes import Unavailable


def one_species(frames: list[Atoms]) -> None:
    """Raise ``Unavailable`` where the published power spectrum is wrong: at two or more species."""
    species = set(np.concatenate([frame.numbers for frame in frames]).tolist())

    if len(species) > 1:
        raise Unavailable(
            f"power spectrum of {len(species)} species: the published package has it for one species only; "
            "ask for coefficients"
        )
