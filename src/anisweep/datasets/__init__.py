"""Data sets: generated ones by recipe, and a user's own files. Everything leaves here as canonical frames."""

from anisweep.datasets.canonical import DIAMETERS, canonical
from anisweep.datasets.canonical_xyz import read
from anisweep.datasets.errors import DataError
from anisweep.datasets.inspection import Inspection, inspect
from anisweep.datasets.pairs import pair_count
from anisweep.datasets.prepared import Sidecar, first_frames, prepare, sidecar_path, verify
from anisweep.datasets.recipes import Recipe, generated
from anisweep.datasets.study_text import new_study
from anisweep.datasets.userfile import UserFile, read_user_file

__all__ = [
    "DIAMETERS",
    "DataError",
    "Inspection",
    "Recipe",
    "Sidecar",
    "UserFile",
    "canonical",
    "first_frames",
    "generated",
    "inspect",
    "new_study",
    "pair_count",
    "prepare",
    "read",
    "read_user_file",
    "sidecar_path",
    "verify",
]
