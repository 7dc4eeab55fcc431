"""A first study for a user's file: ``anisweep new NAME FILE``."""

from __future__ import annotations

import json
import re

from anisweep.datasets.canonical import DIAMETERS
from anisweep.datasets.errors import DataError
from anisweep.datasets.inspection import Inspection

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
    frames: {frames}  # the first of {all_frames}; leave the line out to take all
{orientations}
{diameters}

# The first mode is the published package; `anisweep plan study={name}` says how long it will take.
modes: [numpy_only, torch_mixed, torch_full, torch_batched, fused_cpu]
anchor: numpy_only  # the others are compared with it, in time and in values
outputs: [coefficients]  # or power_spectrum, for one species

# A list of values makes an axis of the study, for example `max_angular: [4, 6]`. Lengths in Angstrom.
hypers: {{radial_basis_name: gto, max_angular: 6, cutoff_radius: {cutoff:.6}, radial_gaussian_width: 1.5}}
"""


def new_study(name: str, inspection: Inspection) -> str:
    """Text of ``config/studies/<name>.yaml`` for a file, with what its arrays seem to be.

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
        frames=min(FRAMES, inspection.frames),
        all_frames=inspection.frames,
        orientations=_orientations(inspection),
        diameters=_diameters(inspection),
        cutoff=float(inspection.cutoff),
    )


def _orientations(inspection: Inspection) -> str:
    if not inspection.orientations:
        return "    # orientations: c_q  # GUESS: no array looks like orientations, so all are the identity"

    best, *others = inspection.orientations
    also = f"; {', '.join(others)} would do too" if others else ""
    return f"    orientations: {json.dumps(best)}  # GUESS, quaternions in the order (w, x, y, z){also}"


def _diameters(inspection: Inspection) -> str:
    names = inspection.diameters
    bare = [name.replace("[", "").replace("]", "") for name in DIAMETERS]

    if names in (DIAMETERS, tuple(bare)):
        return f"    # diameters: in the file ({', '.join(names)}), along the body axes, in Angstrom"

    if names:
        given = names[0] if len(names) == 1 else list(names)
        return f"    diameters: {json.dumps(given)}  # GUESS: along the body axes, in Angstrom, no radii"

    if len(inspection.species) == 1:
        return "    diameters: [3.0, 3.0, 1.0]  # GUESS: nothing in the file; Angstrom, along the body axes"

    species = [f"      {json.dumps(symbol)}: [3.0, 3.0, 1.0]" for symbol in inspection.species]
    head = "    diameters:  # GUESS: nothing in the file; Angstrom, along the body axes"
    return "\n".join([head, *species])
