"""Map all-atom trajectories to oriented particles, one a molecule: ``anisweep coarsen``."""

from anisweep.coarsen.mapping import Coarsening, coarse_frames
from anisweep.coarsen.options import CoarseOptions
from anisweep.coarsen.run import coarsen_file
from anisweep.coarsen.summary import summary

__all__ = ["CoarseOptions", "Coarsening", "coarse_frames", "coarsen_file", "summary"]
