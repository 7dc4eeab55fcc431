"""Compute shards of frames, each from a file of its own as jobs do, and join what they give.

`in_a_new_process` runs it as ``python -m anisweep.tasks._sharded FILE STARTED``.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from ase import Atoms

from anisweep import describe, fitting
from anisweep.cell import Hypers
from anisweep.datasets.canonical_xyz import to_text
from anisweep.describe import Request, format_npz
from anisweep.describe.content import joined
from anisweep.describe.first_pass import survey
from anisweep.describe.output import new_file
from anisweep.describe.request import Piece
from anisweep.files import write_bytes, write_text
from anisweep.fitting import FitRequest
from anisweep.fitting.merge import added
from anisweep.models.ridge import RidgeModel

#: How often a process computes its shard; the least disturbed time counts.
REPETITIONS = 3


@dataclass(frozen=True)
class FrameShard:
    """Name what a process computes: and of which frame of the whole its frames are the first."""

    request: Request | FitRequest
    first: int

    @property
    def output(self) -> Path:
        """Return the file of what it gives."""
        particles = self.request.particles if isinstance(self.request, FitRequest) else self.request
        return particles.file.with_suffix(".npz")

    def compute(self) -> None:
        """Write the features, or what the labels say of a model."""
        if isinstance(self.request, FitRequest):
            fitting.fit(self.request, self.output, 1, lambda _: None)
        else:
            describe.describe(self.request, self.output, 1, lambda _: None)


def divided(
    frames: Sequence[Atoms], count: int, hypers: Hypers, fits: bool, folder: Path
) -> list[FrameShard]:
    """Write frames as so many files, of about as many frames each."""
    folder.mkdir()
    write_text(folder / "all.xyz", to_text(frames))
    whole = survey(folder / "all.xyz", "xyz")
    species, names = tuple(whole.species.tolist()), tuple(whole.names.tolist())
    starts = [number * len(frames) // count for number in range(count + 1)]

    shards = []
    for number, (first, end) in enumerate(pairwise(starts)):
        file = folder / f"{number}.xyz"
        write_text(file, to_text(frames[first:end]))
        before = (first, int(whole.counts[:first].sum())) if fits else (0, 0)
        request = Request(file, hypers, piece=Piece(file.stem, species, names, *before))
        shards.append(FrameShard(FitRequest(request) if fits else request, first))
    return shards


def merged(shards: Sequence[FrameShard]) -> np.ndarray:
    """Return all features, having written them, or the weights of the model."""
    outputs = [shard.output for shard in shards]
    last = shards[-1].request
    if isinstance(last, FitRequest):
        summed = added(outputs)
        settings = last.settings
        return RidgeModel.solving(summed.equations, summed.projection(), summed.species, settings).weights

    read = [format_npz.read(output) for output in outputs]
    placed = [replace(each, frame=each.frame + shard.first) for each, shard in zip(read, shards, strict=True)]
    features = joined(placed, "{}")
    with new_file(outputs[0].with_name("merged.npz")) as stream:
        format_npz.write(features, stream)
    return np.concatenate(list(features.values()))


def in_a_new_process(shard: FrameShard) -> tuple[float, float]:
    """Return the seconds that a new process takes to get ready, and the least CPU time to compute a shard."""
    file = shard.output.with_suffix(".pickle")
    write_bytes(file, pickle.dumps(shard))

    command = [sys.executable, "-m", __name__, str(file), str(time.time())]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    start_s, compute_s = json.loads(said)
    return start_s, compute_s


def main() -> None:
    """Compute a shard several times, the first of which makes tables and digests, and print the times."""
    file, started = sys.argv[1:]
    shard: FrameShard = pickle.loads(Path(file).read_bytes())
    imports_s, seconds = time.time() - float(started), []

    for _ in range(REPETITIONS):
        shard.output.unlink(missing_ok=True)
        before = time.process_time()
        shard.compute()
        seconds.append(time.process_time() - before)

    least = min(seconds)
    print(json.dumps([imports_s + seconds[0] - least, least]))


if __name__ == "__main__":
    main()
