"""The compiled kernels; everything else stands in pyproject.toml.

One source, compiled once for each level of the instruction set. Which one is used is decided at run time,
by the CPU (src/anisweep/descriptors/library.py).
"""

import platform
from pathlib import Path
from runpy import run_path

from setuptools import Extension, setup

FOLDER = "src/anisweep/descriptors/kernels"

COMMON = ["-O3", "-std=gnu11", "-fno-math-errno", "-ffp-contract=fast", "-Wno-psabi"]
LEVELS = {"portable": []}

if platform.machine() in ("x86_64", "AMD64"):
    LEVELS["avx2"] = ["-mavx2", "-mfma"]
    LEVELS["avx512"] = ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mfma", "-mprefer-vector-width=512"]

SHARED = [str(path) for path in sorted(Path(FOLDER).iterdir()) if path.suffix in (".c", ".h")]

LIBRARY = "src/anisweep/descriptors/library.py"
SOURCE = run_path(LIBRARY)["SOURCE"]

setup(
    ext_modules=[
        Extension(
            f"anisweep.descriptors._{level}",
            sources=[f"{FOLDER}/{level}.c"],
            depends=[*SHARED, LIBRARY],
            define_macros=[("ANISWEEP_SOURCE", f'"{SOURCE}"')],
            extra_compile_args=COMMON + flags,
            py_limited_api=True,
        )
        for level, flags in LEVELS.items()
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
