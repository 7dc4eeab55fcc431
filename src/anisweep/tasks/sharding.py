"""Describe frames and fit to them in shards, and see whether it is the same and what is lost.

Each shard has a file with its own frames, as each job of `snakemake features` has. What is timed computes one
after the other in this process. For the results each is computed by a new process, as on a node of its own,
and what one process takes is measured beside it. Start-up is apart from computing, of which the CPU time
counts: nodes share nothing, and processes of this machine wait for one another and for other people's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ase import Atoms

from anisweep.cell import Hypers
from anisweep.datasets.canonical import LABELS
from anisweep.modes import Timer, Unavailable, require
from anisweep.tasks._learning import require_labels
from anisweep.tasks._sharded import FrameShard, divided, in_a_new_process, merged
from anisweep.worker.clock import Silent

MODES = {
    "describe_1": "power spectra of all frames by one process",
    "describe_2": "power spectra in two shards",
    "describe_4": "power spectra in four shards",
    "fit_1": "a linear model of all frames by one process",
    "fit_2": "a linear model from two shards",
    "fit_4": "a linear model from four shards",
}
PRECISIONS = ("fp64",)
DEVICES = ("cpu",)
SAME_RESULT = False
RESULTS = {
    "efficiency": "CPU time of one process over that of all shards",
    "balanced_efficiency": "the same over that of the longest shard, times their number",
    "compute_s": "CPU seconds of computing all shards",
    "start_s": "seconds until a process is ready to compute, on average",
    "differing_bytes": "bytes of features that differ from one process's, or of weights computed again",
    "weight_difference": "largest difference of weights from those of one process, over the largest weight",
}
RESULTS_S = 8.0


@dataclass(frozen=True)
class _Sharding:
    """Say what is computed, and in how many shards."""

    fits: bool
    count: int
    hypers: Hypers

    def divided(self, frames: list[Atoms], folder: Path, count: int | None = None) -> list[FrameShard]:
        """Write the frames of each shard."""
        return divided(frames, count or self.count, self.hypers, self.fits, folder)

    def here(self, frames: list[Atoms], clock: Timer) -> np.ndarray:
        """Return what the shards give together, computed one after the other from the last to the first."""
        with TemporaryDirectory() as folder:
            with clock.stage("split"):
                shards = self.divided(frames, Path(folder, "shards"))
            with clock.stage("shards"):
                for shard in reversed(shards):
                    shard.compute()
            with clock.stage("merge"):
                return merged(shards)


def prepare(mode: str, hypers: Hypers, precision: str, device: str, frames: list[Atoms]) -> _Sharding:
    """Refuse frames that are too few, or that a fit has nothing to learn from."""
    require("precision", precision, PRECISIONS)
    require("device", device, DEVICES)
    what, _, count = mode.partition("_")
    if len(frames) < int(count):
        raise Unavailable(f"{len(frames)} frames are too few for {count} shards: take more")
    if what == "fit":
        require_labels(frames, ("energy", *LABELS), "the data set gaussian_overlap")
    return _Sharding(what == "fit", int(count), hypers)


def compute(calculator: _Sharding, frames: list[Atoms], clock: Timer) -> np.ndarray:
    """Return the features, or the weights of the model, of all shards."""
    return calculator.here(frames, clock)


def results(calculator: _Sharding, frames: list[Atoms]) -> dict[str, float]:
    """Compare processes for the shards with one process for all frames."""
    with TemporaryDirectory() as folder:
        shards = calculator.divided(frames, Path(folder, "shards"))
        starts, seconds = zip(*map(in_a_new_process, shards), strict=True)
        found = {"compute_s": sum(seconds), "start_s": sum(starts) / len(starts)}
        if len(shards) == 1:
            return found

        [whole] = calculator.divided(frames, Path(folder, "whole"), 1)
        _, alone_s = in_a_new_process(whole)
        found["efficiency"] = alone_s / sum(seconds)
        found["balanced_efficiency"] = alone_s / (len(shards) * max(seconds))
        return found | _differences(calculator, frames, merged(shards), merged([whole]))


def _differences(
    calculator: _Sharding, frames: list[Atoms], several: np.ndarray, whole: np.ndarray
) -> dict[str, float]:
    """Return how what the shards give differs from what it should be."""
    if not calculator.fits:
        return {"differing_bytes": _differing_bytes(several, whole)}

    difference = float(np.abs(several - whole).max() / np.abs(whole).max())
    again = calculator.here(frames, Silent())
    return {"differing_bytes": _differing_bytes(several, again), "weight_difference": difference}


def _differing_bytes(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.count_nonzero(one.view(np.uint8) != other.view(np.uint8)))
