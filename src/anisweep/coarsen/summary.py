"""Say in words what a trajectory was mapped to."""

from __future__ import annotations

from anisweep.coarsen.mapping import Coarsening
from anisweep.coarsen.shapes import Shape
from anisweep.coarsen.topology import MoleculeKind
from anisweep.formatting import counted


def summary(coarsening: Coarsening) -> list[str]:
    """Return the kinds of molecules, with their shapes, and what was taken for granted, a line each."""
    topology = coarsening.topology
    if topology is None:
        return []

    lines = [_kind(*each) for each in zip(topology.kinds, coarsening.shapes, strict=True)]
    return [*lines, *_notes(coarsening)]


def _kind(kind: MoleculeKind, shape: Shape) -> str:
    molecules = counted(len(kind.molecules), "molecule")
    diameters = ", ".join(f"{diameter:.3g}" for diameter in shape.diameters)
    moments = ", ".join(f"{moment:.4g}" for moment in shape.moments)
    return (
        f"{kind.name}: {molecules} of {counted(shape.atoms, 'atom')}, {shape.in_words}. Mass "
        f"{kind.masses.sum():.5g}, moments {moments}, proposed diameters {diameters}."
    )


def _notes(coarsening: Coarsening) -> list[str]:
    assert coarsening.topology is not None
    first = coarsening.topology.first
    notes = []

    if first.left_out:
        notes.append(f"Left out, as in no molecule: {counted(first.left_out, 'atom')} a frame.")
    if first.elements:
        notes.append("The file has no masses: they are the standard masses of the elements.")
    if first.forces is None:
        notes.append("The file has no forces on atoms, so there are no forces and torques.")
    if all(shape.atoms == 1 for shape in coarsening.shapes):
        notes.append("Single atoms have no extent: the diameters are 1, and no proposal.")
    if not coarsening.units:
        notes.append("Units are those of the file, which does not say them; --units real names them.")
    if coarsening.frames > 1:
        notes.append(_following(coarsening.followed, coarsening.frames - 1))
    return notes


def _following(followed: int, steps: int) -> str:
    if followed == steps:
        return "Frames follow one another: axes turn continuously."
    return (
        f"{counted(steps - followed, 'frame does', 'frames do')} not follow the one before (molecules turn "
        "by over 45 degrees, or atoms are numbered otherwise): axes of nearly equal moments are its own."
    )
