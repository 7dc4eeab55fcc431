"""Write a first study for a user's file: ``anisweep new NAME FILE``."""

from __future__ import annotations

import json
import re

from anisweep.datasets.canonical import BARE_DIAMETERS, DIAMETERS
from anisweep.datasets.errors import DataError
from anisweep.datasets.user_files.candidates import DiameterCandidate
from anisweep.datasets.user_files.inspection import Inspection
from anisweep.datasets.user_files.orientations import ASKED

#: A first study is small; its reader raises the number.
FRAMES = 10

TEMPLATE = """\
# A first study of {file}.
# What begins with GUESS was guessed from the file: look at it before you run.

question: How long does AniSOAP take on {name}, and do the modes agree?
replicates: 3

datasets:
  {name}:
    file: {file_text}  # relative to the root of the project, or absolute
{notes}{file_format}    frames: {frames}  # the first of {all_frames}; leave the line out to take all
{reading}

# The first mode is the published package; `anisweep plan study={name}` says how long it will take.
modes: [numpy_only, torch_mixed, torch_full, torch_batched, fused_cpu]
reference: numpy_only  # the others are compared with it, in time and in values
outputs: [coefficients]  # or power_spectrum, for one species

# A list of values makes an axis of the study, for example `max_angular: [4, 6]`. Lengths in Angstrom.
hypers: {{radial_basis_name: gto, max_angular: 6, cutoff_radius: {cutoff:.6}, radial_gaussian_width: 1.5}}
"""


def new_study(name: str, inspection: Inspection) -> str:
    """Return ``config/studies/<name>.yaml`` for a file, with what its arrays seem to be.

    Raises
    ------
    DataError
        When the name cannot be that of a study.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        remedy = "choose another name, for example my_crystals"
        raise DataError("name of the study", f"{name!r} came", "small letters, digits and _", remedy)

    return TEMPLATE.format(
        name=name,
        file=inspection.file,
        file_text=json.dumps(str(inspection.file)),
        notes="".join(f"    # {note}\n" for note in (inspection.granted, inspection.thin) if note),
        file_format=_file_format(inspection),
        frames=min(FRAMES, inspection.frames),
        all_frames=inspection.frames,
        reading=reading_lines(inspection),
        cutoff=float(inspection.cutoff),
    )


def reading_lines(inspection: Inspection) -> str:
    """Return the lines of a data set that say how the arrays of its file are read."""
    return f"{_orientations(inspection)}\n{_diameters(inspection)}"


def _file_format(inspection: Inspection) -> str:
    name = inspection.file_format
    return f"    format: {json.dumps(name)}\n" if name else ""


def _orientations(inspection: Inspection) -> str:
    if not inspection.orientation_candidates:
        return _no_orientations(inspection.missing("orientations"))

    best, *others = inspection.orientation_candidates
    also = f"; {', or '.join(', '.join(other.names) for other in others)} would do too" if others else ""
    given = json.dumps(_one_or_all(best.names))
    line = f"    orientations: {given}  # GUESS by {best.reason}: {best.in_words}{also}"

    if best.order is None or (best.order.sure and best.order.reason != ASKED and not best.doubt):
        return line
    return f"{line}\n    orientation_order: {best.order.components}  # or the other of wxyz and xyzw"


def _no_orientations(missing: str) -> str:
    """Return a comment in place of the orientations."""
    if missing:
        return f"    # orientations: c_q  # PROBLEM: {missing}. As it is, all are the identity: mend the file"
    return "    # orientations: c_q  # GUESS: no array looks so, and all are the identity"


def _one_or_all(names: tuple[str, ...]) -> str | list[str]:
    return names[0] if len(names) == 1 else list(names)


def _diameters(inspection: Inspection) -> str:
    names = inspection.diameters
    if names in (DIAMETERS, BARE_DIAMETERS) and not inspection.diameter_candidates[0].radii:
        return f"    # diameters: in the file ({', '.join(names)}), along the body axes, in Angstrom"

    if names:
        return _from_arrays(inspection.diameter_candidates[0])

    return _guessed_lengths(inspection)


def _from_arrays(best: DiameterCandidate) -> str:
    given = json.dumps(_one_or_all(best.names))
    line = (
        f"    diameters: {given}  # GUESS by {best.reason}: {best.in_words}; along the body axes, in Angstrom"
    )

    if best.radii or best.whose == ASKED:
        return f"{line}\n    radii: {json.dumps(best.radii)}  # true: semi-axes, half as long as diameters"
    return line if best.whose else f"{line}\n    # radii: true  # where they are semi-axes"


def _guessed_lengths(inspection: Inspection) -> str:
    """Return lengths to be corrected, and the arrays that could hold the right ones."""
    lines = [
        f"    # diameters: {json.dumps(_one_or_all(candidate.names))}  # could be: {candidate.reason}"
        for candidate in inspection.diameter_candidates
    ]
    reason = "not taken from the file" if lines else "nothing in the file looks like them"
    words = f"GUESS: {inspection.missing('diameters') or reason}; Angstrom, along the body axes"

    if len(inspection.species) == 1:
        return "\n".join([*lines, f"    diameters: [3.0, 3.0, 1.0]  # {words}"])

    species = [f"      {json.dumps(name)}: [3.0, 3.0, 1.0]" for name in inspection.species]
    return "\n".join([*lines, f"    diameters:  # {words}", *species])
