"""Make data sets: generate them, or read a user's own files; both give canonical frames."""

from anisweep.datasets.canonical import DIAMETERS, canonical
from anisweep.datasets.canonical_xyz import read
from anisweep.datasets.errors import DataError
from anisweep.datasets.pairs import pair_count
from anisweep.datasets.prepared import Sidecar, canonical_frames, prepare, sidecar_path, verify
from anisweep.datasets.recipes import Recipe, generated
from anisweep.datasets.user_files.inspection import Inspection, inspect
from anisweep.datasets.user_files.study_template import new_study
from anisweep.datasets.user_files.userfile import UserFile, read_user_file

__all__ = [
    "DIAMETERS",
    "DataError",
    "Inspection",
    "Recipe",
    "Sidecar",
    "UserFile",
    "canonical",
    "canonical_frames",
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
