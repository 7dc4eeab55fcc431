"""The compiled kernels; everything else stands in pyproject.toml.

One source, compiled once for each level of the instruction set. Which one is used is decided at run time,
by the CPU (src/anisweep/descriptors/library.py).

With ANISWEEP_KERNELS=none nothing is compiled: an access point plans and reports, and computes nothing.
"""

import os
from pathlib import Path
from runpy import run_path

from setuptools import Extension, setup

FOLDER = "src/anisweep/descriptors/kernels"

SHARED = [str(path) for path in sorted(Path(FOLDER).iterdir()) if path.suffix in (".c", ".h")]

LIBRARY = "src/anisweep/descriptors/library.py"
library = run_path(LIBRARY)

levels = [] if os.environ.get("ANISWEEP_KERNELS") == "none" else library["compiled_levels"]()

setup(
    ext_modules=[
        Extension(
            f"anisweep.descriptors._{level}",
            sources=[f"{FOLDER}/{level}.c"],
            depends=[*SHARED, LIBRARY],
            define_macros=[("ANISWEEP_SOURCE", f'"{library["SOURCE"]}"')],
            extra_compile_args=[*library["COMMON_FLAGS"], *library["LEVEL_FLAGS"][level]],
            py_limited_api=True,
        )
        for level in levels
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
