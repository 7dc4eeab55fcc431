"""The compiled kernels; everything else stands in pyproject.toml.

One source, compiled for each level of the instruction set in double and in single precision. Which level is
used is decided at run time, by the CPU (src/anisweep/descriptors/kernels/loader.py).

With ANISWEEP_KERNELS=none nothing is compiled: an access point plans and reports, and computes nothing.

There is no stable ABI for a free-threaded CPython yet, so what is built for one serves that version alone.
"""

import os
from pathlib import Path
from runpy import run_path
from sysconfig import get_config_var, get_platform

from setuptools import Extension, setup

FOLDER = "src/anisweep/descriptors/kernels"

SHARED = [str(path) for path in sorted(Path(FOLDER).iterdir()) if path.suffix in (".c", ".h")]

LOADER = f"{FOLDER}/loader.py"
loader = run_path(LOADER)

#: Not this machine's own where another one is built for.
MACHINE = get_platform().rpartition("-")[2]

STABLE_ABI = not get_config_var("Py_GIL_DISABLED")

levels = [] if os.environ.get("ANISWEEP_KERNELS") == "none" else loader["compiled_levels"](MACHINE)

setup(
    ext_modules=[
        Extension(
            f"anisweep.descriptors.kernels._{level}{precision}",
            sources=[f"{FOLDER}/{level}{precision}.c"],
            depends=[*SHARED, LOADER],
            define_macros=[("ANISWEEP_SOURCE", f'"{loader["SOURCE"]}"')],
            extra_compile_args=[*loader["COMMON_FLAGS"], *loader["LEVEL_FLAGS"][level]],
            py_limited_api=STABLE_ABI,
        )
        for level in levels
        for precision in loader["PRECISIONS"]
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE_ABI else {},
)
