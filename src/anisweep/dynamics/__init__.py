"""Move oriented particles by the forces and torques of a model.

`RigidBodies` moves many systems at a time, `LammpsBodies` lets LAMMPS move one. What they move is rigid, with
masses and moments of inertia from `anisweep.coarsen`.
"""

from anisweep.dynamics.bodies import solid_ellipsoid
from anisweep.dynamics.lammps_bodies import LammpsBodies
from anisweep.dynamics.rigid_bodies import Langevin, RigidBodies

__all__ = ["LammpsBodies", "Langevin", "RigidBodies", "solid_ellipsoid"]
