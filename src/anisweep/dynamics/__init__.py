"""Move oriented particles, which are rigid, by the forces and torques of a model."""

from anisweep.dynamics.bodies import solid_ellipsoid
from anisweep.dynamics.correlations import pair_correlations
from anisweep.dynamics.lammps_bodies import LammpsBodies, start_lammps
from anisweep.dynamics.rigid_bodies import Langevin, RigidBodies

__all__ = ["LammpsBodies", "Langevin", "RigidBodies", "pair_correlations", "solid_ellipsoid", "start_lammps"]
