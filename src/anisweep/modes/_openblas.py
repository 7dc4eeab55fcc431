"""Put OpenBLAS in the place of Torch's MKL, by a library that answers when Torch calls ``dgemm_``.

Torch's builds have MKL inside and call it by its usual names, which the system looks up among the libraries
that were loaded for all first. So a library with a ``dgemm_`` of its own that is loaded before Torch takes
these calls; this one counts them and hands them to the BLAS of SciPy. A C compiler makes it, in a moment.

Importing this module loads it, where the interpreter was started for that. It must come before whatever
imports Torch.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from threadpoolctl import threadpool_info

#: Without this variable nothing is loaded, and Torch keeps its MKL.
_WANTED = os.environ.get("ANISWEEP_TORCH_BLAS") == "openblas"

_SOURCE = """
typedef const void *in;
void (*anisweep_dgemm)(in, in, in, in, in, in, in, in, in, in, in, void *, in);
long anisweep_calls;

void dgemm_(in ta, in tb, in m, in n, in k, in alpha, in a, in lda, in b, in ldb, in beta, void *c, in ldc)
{
    anisweep_calls++;
    anisweep_dgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
"""


def _loaded() -> ctypes.CDLL:
    """Load the library in front of all that are loaded from here on.

    Raises
    ------
    ImportError
        when Torch is there already, SciPy's BLAS is another one, or no compiler is there
    """
    if "torch" in sys.modules:
        raise ImportError("Torch was loaded before, with its MKL")

    library = _compiled()
    ctypes.c_void_p.in_dll(library, "anisweep_dgemm").value = _dgemm_of_scipy()
    return library


def _compiled() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "dgemm.c"), Path(folder, "dgemm.so")
        source.write_text(_SOURCE)

        try:
            command = ["cc", "-O2", "-shared", "-fPIC", str(source), "-o", str(library)]
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", error)
            remedy = "Debian, Ubuntu: apt-get install gcc libc6-dev"
            raise ImportError(f"there is no C compiler that works ({remedy}): {said}") from None

        return ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


def _dgemm_of_scipy() -> int:
    """Return the address of the ``dgemm`` that SciPy offers to other compiled code."""
    from scipy.linalg import cython_blas

    kinds = {info["internal_api"] for info in threadpool_info() if info["user_api"] == "blas"}
    if kinds != {"openblas"}:
        raise ImportError(f"SciPy's BLAS is not OpenBLAS here, but {', '.join(sorted(kinds)) or 'unknown'}")

    capsule = cython_blas.__pyx_capi__["dgemm"]
    name, pointer = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(pointer(capsule, name(capsule)))


#: What was in the way, if something was.
WHY_NOT = ""
_LIBRARY: ctypes.CDLL | None = None

if _WANTED:
    try:
        _LIBRARY = _loaded()
    except ImportError as error:
        WHY_NOT = str(error)


def calls() -> int:
    """Return how often Torch has called ``dgemm_``."""
    return 0 if _LIBRARY is None else ctypes.c_long.in_dll(_LIBRARY, "anisweep_calls").value
