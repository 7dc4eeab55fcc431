"""List the names of other projects that this documentation links to, and the pages that document them.

Sphinx reads such names from a project's inventory, which is on its site. Those written here hold what is
needed and no more, so that a build asks no network and is the same everywhere.
"""

from __future__ import annotations

import zlib
from pathlib import Path

SITES = {
    "python": "https://docs.python.org/3/",
    "numpy": "https://numpy.org/doc/stable/",
    "ase": "https://ase-lib.org/",
    "torch": "https://docs.pytorch.org/docs/stable/",
    "metatensor": "https://docs.metatensor.org/latest/",
}

#: Of each project: name, what it is, and the page below the project's site.
NAMES = {
    "python": [
        *((name, "class", "library/functions.html") for name in ("bool", "float", "int")),
        *((name, "class", "library/stdtypes.html") for name in ("dict", "list", "str", "tuple")),
        ("callable", "function", "library/functions.html"),
        ("None", "data", "library/constants.html"),
        ("ValueError", "exception", "library/exceptions.html"),
    ],
    "numpy": [("numpy.ndarray", "class", "reference/generated/numpy.ndarray.html")],
    "ase": [("ase.Atoms", "class", "ase/atoms.html")],
    "torch": [("torch.Tensor", "class", "tensors.html")],
    "metatensor": [("metatensor.TensorMap", "class", "core/reference/python/tensor.html")],
}

HEADER = """\
# Sphinx inventory version 2
# Project: {project}
# Version:
# The remainder of this file is compressed using zlib.
"""


def write_inventories(folder: Path) -> dict[str, tuple[str, str]]:
    """Write an inventory for each project; return the mapping that intersphinx takes."""
    folder.mkdir(parents=True, exist_ok=True)
    mapping = {}

    for project, site in SITES.items():
        file = folder / f"{project}.inv"
        lines = [f"{name} py:{kind} 1 {page}#{name} -\n" for name, kind, page in NAMES[project]]
        file.write_bytes(HEADER.format(project=project).encode() + zlib.compress("".join(lines).encode()))
        mapping[project] = (site, str(file))

    return mapping
