"""Make a particle of each molecule, frame after frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.coarsen import axes
from anisweep.coarsen.atoms import AtomTable, table_of
from anisweep.coarsen.options import UNITS, CoarseOptions
from anisweep.coarsen.shapes import Shape, shape_of
from anisweep.coarsen.topology import MoleculeKind, Topology, topology_of
from anisweep.coarsen.unwrapping import Unwrapped, longest_certain, unwrap
from anisweep.datasets.canonical import DIAMETERS
from anisweep.datasets.errors import Place
from anisweep.datasets.species import remember
from anisweep.datasets.user_files.frame_checks import check_frame
from anisweep.datasets.user_files.labels import Labels
from anisweep.datasets.user_files.orientations import from_matrices

Array = np.ndarray[Any, Any]

#: Frames follow one another if half of the molecules of a kind have turned by less than this, in radians.
FOLLOWING = np.pi / 4

#: Bonds are at most so many times as long as the median of all bonds; contacts of molecules are longer.
LONGEST = 2.2

#: What a frame says of itself that holds for its particles as well.
KEPT = ("timestep", "time")


@dataclass
class Pose:
    """Hold where the molecules of a kind were turned in the last frame.

    Attributes
    ----------
    points : (M, atoms, 3) of the atoms from the centres of mass
    axes : (M, 3, 3) principal axes in columns
    """

    points: Array
    axes: Array


class Coarsening:
    """Map the frames of one trajectory; only the last frame is remembered, to turn axes continuously.

    Attributes
    ----------
    topology : the molecules of the first frame; None before it
    shapes : of each kind
    followed : how many frames followed the one before, as their molecules had turned little
    """

    def __init__(self, options: CoarseOptions, source: str = "frames") -> None:
        self.options = options
        self.source = source
        self.topology: Topology | None = None
        self.shapes: list[Shape] = []
        self.frames = self.followed = 0
        self.units = ""
        self._poses: list[Pose] = []
        self._atoms: Array = np.empty(0)

    def particles(self, frame: Atoms) -> Atoms:
        """Return the next frame's particles.

        Raises
        ------
        DataError
            Naming frame, molecule and atom.
        """
        place = Place(self.source, self.frames)
        table = table_of(frame, self.options, place)
        check_frame(frame, place)
        if self.topology is None:
            self.topology = topology_of(table, self.options.names)
            self.units = _units(frame, self.options, place)
        self.topology.check(table)

        kinds = self.topology.kinds
        whole = [unwrap(table.positions[kind.rows], frame) for kind in kinds]
        bond = _checked_bond(table, kinds, whole, self.options.longest_bond)
        particles = self._reduced(table, [each.positions for each in whole], bond)
        self.frames += 1
        self._atoms = table.atoms
        return particles

    def _reduced(self, table: AtomTable, positions: list[Array], bond: float) -> Atoms:
        """Return the particles of molecules that are in one piece."""
        assert self.topology is not None
        particles = _empty_frame(self.topology, table, self.units)
        known = bool(self.frames) and np.array_equal(table.atoms, self._atoms)
        follows = []

        for number, (kind, each) in enumerate(zip(self.topology.kinds, positions, strict=True)):
            centres = np.einsum("a,mai->mi", kind.masses, each) / kind.masses.sum()
            offsets = each - centres[:, None]
            tensors = axes.inertia(offsets, kind.masses)
            values, vectors = np.linalg.eigh(tensors)
            if not self.frames:
                self.shapes.append(shape_of(np.maximum(values, 0.0), kind.masses, bond))
                self._poses.append(_first_pose(kind, vectors, offsets))

            shape = self.shapes[number]
            points = axes.on_a_line(offsets, vectors) if shape.linear else offsets
            turned, following = _next_axes(self._poses[number], kind, shape, vectors, points, known)
            self._poses[number] = Pose(points, turned)
            follows.append(following)

            moments = np.einsum("mik,mij,mjk->mk", turned, tensors, turned)
            _fill(particles, kind, shape, centres, turned, moments)
            if table.forces is not None:
                _fill_forces(particles, kind, offsets, table.forces[kind.rows])

        self.followed += all(follows)
        return particles


def coarse_frames(
    frames: Iterable[Atoms], options: CoarseOptions | None = None, source: str = "frames"
) -> Iterator[Atoms]:
    """Yield for each frame of atoms one of particles, one particle a molecule.

    Parameters
    ----------
    frames : of one trajectory
    options : what the frames do not say themselves
    source : what messages call the frames

    Yields
    ------
    Atoms
        With arrays ``c_q`` (quaternions w, x, y, z from the body to the lab frame; x is the axis of the
        smallest moment of inertia, z that of the largest), ``mass``, ``moments``, ``mol``, diameters
        ``c_diameter[1]`` to ``[3]``, and where atoms have forces ``forces`` and ``torques`` about the centres
        of mass, in the lab frame.

    Raises
    ------
    DataError
        Naming frame, molecule and atom.
    """
    coarsening = Coarsening(options or CoarseOptions(), source)
    yield from map(coarsening.particles, frames)


def _units(frame: Atoms, options: CoarseOptions, place: Place) -> str:
    """Return the units of the trajectory in words; empty where nobody says them."""
    said = str(frame.info.get("units", ""))
    if said in UNITS and options.units not in (None, said):
        came = f"{options.units} is asked for, and the file says {said}"
        raise place.error("units", came, said, "leave --units out")

    style = options.units or said
    return f"{style} ({UNITS[style]})" if style in UNITS else style


def _checked_bond(
    table: AtomTable, kinds: tuple[MoleculeKind, ...], whole: list[Unwrapped], given: float | None
) -> float:
    """Return the median length of a bond, and refuse molecules that do not hold together."""
    lengths = np.concatenate([each.bonds.ravel() for each in whole])
    if not len(lengths):
        return 0.0

    median, certain = float(np.median(lengths)), longest_certain(table.frame)
    longest = min(given or LONGEST * median, certain)
    for kind, each in zip(kinds, whole, strict=True):
        far = np.argwhere(each.bonds > longest)
        if len(far):
            molecule, bond = far[0]
            row = kind.rows[molecule, each.held[molecule, bond]]
            came = f"it is {each.bonds[molecule, bond]:.4g} from all other atoms of its molecule"
            allowed = f"at most {longest:.4g}, as the median bond is {median:.4g}"
            allowed = f"less than {certain:.4g}, half of the cell" if longest == certain else allowed
            remedy = "correct which atoms the molecule has; if they are right give --longest-bond"
            raise table.error(row, "position", came, allowed, remedy)
    return median


def _first_pose(kind: MoleculeKind, vectors: Array, offsets: Array) -> Pose:
    """Return axes that lie alike in all molecules of a kind: those of the first one, turned as they are."""
    turns = axes.turns(np.broadcast_to(offsets[:1], offsets.shape), offsets, kind.masses)
    return Pose(offsets, turns @ axes.first_axes(vectors[:1], offsets[:1]))


def _next_axes(
    pose: Pose, kind: MoleculeKind, shape: Shape, vectors: Array, points: Array, known: bool
) -> tuple[Array, bool]:
    """Return the principal axes of a kind's molecules, and whether the frame follows the one before.

    If it does, axes of nearly equal moments turn with the atoms; else each frame's own tell them apart.

    Parameters
    ----------
    known : whether there is a frame before, in which atoms are numbered alike
    """
    if not known:
        return axes.along(pose.axes, vectors, shape.exact), False

    turns = axes.turns(pose.points, points, kind.masses)
    carried = turns @ pose.axes
    if np.median(axes.angles(turns)) > FOLLOWING:
        return axes.along(carried, vectors, shape.exact), False
    return axes.along(carried, axes.in_order_of(carried, vectors), shape.near), True


def _empty_frame(topology: Topology, table: AtomTable, units: str) -> Atoms:
    """Return a frame with a place for each molecule."""
    count = len(topology.labels)
    names = np.empty(count, dtype=object)
    for kind in topology.kinds:
        names[kind.molecules] = kind.name

    labels, source = Labels(), table.frame
    frame = Atoms(
        labels.numbers(names.tolist(), table.place),
        positions=np.zeros((count, 3)),
        cell=source.cell,
        pbc=source.pbc,
    )
    remember(frame, labels.unusual(names.tolist()))
    frame.info |= {key: source.info[key] for key in KEPT if key in source.info}
    frame.info |= {"units": units} if units else {}

    frame.arrays |= {name: np.zeros(count) for name in ("mass", *DIAMETERS)}
    frame.arrays |= {"c_q": np.zeros((count, 4)), "moments": np.zeros((count, 3)), "mol": topology.labels}
    if table.forces is not None:
        frame.arrays |= {"forces": np.zeros((count, 3)), "torques": np.zeros((count, 3))}
    return frame


def _fill(
    frame: Atoms, kind: MoleculeKind, shape: Shape, centres: Array, turned: Array, moments: Array
) -> None:
    which = kind.molecules
    frame.positions[which] = centres
    frame.arrays["c_q"][which] = from_matrices(turned)
    frame.arrays["moments"][which] = np.maximum(moments, 0.0)
    frame.arrays["mass"][which] = kind.masses.sum()
    for name, diameter in zip(DIAMETERS, shape.diameters.tolist(), strict=True):
        frame.arrays[name][which] = diameter


def _fill_forces(frame: Atoms, kind: MoleculeKind, offsets: Array, forces: Array) -> None:
    frame.arrays["forces"][kind.molecules] = forces.sum(axis=1)
    frame.arrays["torques"][kind.molecules] = np.cross(offsets, forces).sum(axis=1)
