"""The compiled kernels: one shared library for each level of the instruction set, chosen at run time.

setup.py compiles kernels/kernels.c once for each level. They are plain C behind ctypes, which releases the
GIL during a call, so one build serves every version of Python.
"""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

#: From the one that every CPU has to the fastest.
LEVELS = ("portable", "avx2", "avx512")

#: Set this variable to one of LEVELS to use it rather than the best that the CPU has.
VARIABLE = "ANISWEEP_LEVEL"

FOLDER = Path(__file__).parent

#: Of the files in kernels/, without comments and layout. It stands here so that measurements with other
#: kernels count as made with other code; a test says what to write when the files change.
SOURCE = "84588b6f6066"


def levels() -> tuple[str, ...]:
    """The levels that are compiled here and that this CPU can run, the fastest last."""
    supported = LEVELS[: _library("portable").anisweep_cpu_level() + 1]
    return tuple(level for level in supported if _path(level) is not None)


def level() -> str:
    """The level in use.

    Raises
    ------
    RuntimeError
        when the environment variable asks for one that is not compiled or that this CPU lacks
    """
    wanted = os.environ.get(VARIABLE)
    there = levels()

    if wanted is None:
        return there[-1]
    if wanted not in there:
        raise RuntimeError(
            f"{VARIABLE}={wanted}: this machine has {', '.join(there)}; unset it or choose one"
        )
    return wanted


def kernels() -> ctypes.CDLL:
    """The library of the level in use."""
    return _library(level())


@lru_cache(maxsize=len(LEVELS))
def _library(name: str) -> ctypes.CDLL:
    path = _path(name)
    if path is None:
        raise ImportError(
            f"{FOLDER} has no compiled kernels ({name}): install with `pip install .`, which needs "
            "a C compiler (Debian, Ubuntu: apt-get install gcc; macOS: xcode-select --install)"
        )

    library = ctypes.CDLL(str(path))
    library.anisweep_source.restype = ctypes.c_char_p
    compiled = library.anisweep_source().decode()

    if compiled != SOURCE:
        raise ImportError(
            f"{path.name} was compiled from other sources ({compiled}) than are here ({SOURCE}): "
            "install again with `pip install .`"
        )
    return library


@lru_cache(maxsize=len(LEVELS))
def _path(name: str) -> Path | None:
    candidates = (FOLDER / f"_{name}{suffix}" for suffix in EXTENSION_SUFFIXES)
    return next((path for path in candidates if path.exists()), None)
