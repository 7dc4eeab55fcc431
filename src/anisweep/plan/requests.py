"""Compute what a pack requests from a cluster: the maximum over its cells, with a margin."""

from __future__ import annotations

import math
from dataclasses import dataclass

from anisweep.cell import Pack
from anisweep.plan.cost import CostModel, memory_mb

#: Estimates are right within a factor of two; HTCondor asks for more after a hold all the same.
ROOM = 2.0

#: Memory is asked for in steps, so that packs of one kind have one shape and share a submission.
STEP_MB = 512

#: Besides image and data: the artifact, logs, and what libraries cache.
SCRATCH_MB = 1024

SHORTEST_MINUTES = 60
LONGEST_MINUTES = 72 * 60


@dataclass(frozen=True)
class ResourceRequest:
    """Say what a job of a pack needs.

    Attributes
    ----------
    cpus : one for a pack that is not pinned, as who does not think of threads asks for
    minutes : after which a job that still runs is stuck
    """

    cpus: int
    memory_mb: int
    disk_mb: int
    minutes: int
    gpus: int


def request_of(pack: Pack, model: CostModel, image_mb: float = 0) -> ResourceRequest:
    """Return the request of a pack whose job fetches an image of this size."""
    needed = max(memory_mb(cell.mode, model.cell_pairs(cell), cell.hypers) for cell in pack.cells)
    minutes = max(SHORTEST_MINUTES, math.ceil(4 * pack.estimated_s / 60))

    return ResourceRequest(
        cpus=max(1, *(cell.threads for cell in pack.cells)),
        memory_mb=up_to_step(ROOM * needed),
        disk_mb=up_to_step(image_mb + SCRATCH_MB),
        minutes=min(minutes, LONGEST_MINUTES),
        gpus=int(any(cell.device == "cuda" for cell in pack.cells)),
    )


def up_to_step(megabytes: float) -> int:
    """Return so many megabytes or a little more, as they are asked for."""
    return STEP_MB * math.ceil(megabytes / STEP_MB)
