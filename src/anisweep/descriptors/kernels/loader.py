"""Load the compiled kernels: shared libraries for each level of the instruction set, chosen at run time.

setup.py compiles kernels.c twice for each level, in double and in single precision. They are C behind
ctypes, and what they call of Python is of its stable ABI, so one build serves every version. The GIL is
released while they compute. Where the package travels as source, as it does to a cluster, `compile_kernels`
puts them into the user's cache, by the digest of their source.
"""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

#: From the one that every CPU has to the fastest.
LEVELS = ("portable", "avx2", "avx512")

#: After a level's name: its library in double, and the one in single precision.
PRECISIONS = ("", "_single")

#: Set this variable to one of LEVELS to use it rather than the best that the CPU has.
VARIABLE = "ANISWEEP_LEVEL"

#: What the compiler is told: for every level, and for each. Python's own flags, which come first, may hold
#: -fwrapv: indices that may wrap cost up to a tenth.
COMMON_FLAGS = (
    "-O3",
    "-std=gnu11",
    "-pthread",
    "-fno-math-errno",
    "-ffp-contract=fast",
    "-fno-wrapv",
    "-Wno-psabi",
)
LEVEL_FLAGS = {
    "portable": (),
    "avx2": ("-mavx2", "-mfma"),
    "avx512": ("-mavx512f", "-mavx512dq", "-mavx512vl", "-mfma", "-mprefer-vector-width=512"),
}

#: Python's functions, which the reader of frames calls, are found when the library is loaded.
LINK_FLAGS = ("-undefined", "dynamic_lookup") if sys.platform == "darwin" else ()

#: An image names its compiled kernels by this variable.
KERNELS = "ANISWEEP_KERNELS"

FOLDER = Path(__file__).parent

#: Of the C files in this folder, without comments and layout. It stands here so that measurements with other
#: kernels count as made with other code; a test says what to write when the files change.
SOURCE = "47e1988738ca"

NO_KERNELS = (
    "{} has no compiled kernels ({}), perhaps because an installation was interrupted: give `make env` "
    "again in a clone, or `pip install .`. Either needs a C compiler "
    "(Debian, Ubuntu: apt-get install gcc libc6-dev; macOS: xcode-select --install)"
)


def compiled_levels(machine: str | None = None) -> tuple[str, ...]:
    """Return the levels that are compiled for a kind of processor, by default for this machine's."""
    return LEVELS if (machine or platform.machine()).lower() in ("x86_64", "amd64") else LEVELS[:1]


def compile_kernels(wanted: Sequence[str] = ()) -> bool:
    """Compile what is not there into the user's cache, all or these; return True if any was compiled.

    Parameters
    ----------
    wanted : libraries by name, as ``avx2`` and ``avx2_single``; each takes a compiler ten seconds

    Raises
    ------
    ImportError
        when there is no compiler, or when it fails, with what it said; when there is no place for the result
    """
    names = [level + precision for level in compiled_levels() for precision in PRECISIONS]
    missing = [name for name in wanted or names if _path(name) is None]

    for name in missing:
        target = _cached(name)
        if target is None:
            raise ImportError("this user has no home directory to compile into: set XDG_CACHE_HOME")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ImportError(
                f"no kernels can be compiled into the cache ({error}): set XDG_CACHE_HOME"
            ) from None
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        source = FOLDER / f"{name}.c"
        flags = [
            *COMMON_FLAGS,
            *LEVEL_FLAGS[name.partition("_")[0]],
            f'-DANISWEEP_SOURCE="{SOURCE}"',
            "-shared",
            "-fPIC",
            *LINK_FLAGS,
        ]

        try:
            subprocess.run(
                ["cc", *flags, str(source), "-o", str(partial), "-lm"],
                check=True,
                capture_output=True,
                text=True,
            )
        except FileNotFoundError:
            raise ImportError(NO_KERNELS.format(FOLDER, name)) from None
        except subprocess.CalledProcessError as failed:
            raise ImportError(f"{source} could not be compiled:\n{failed.stderr}") from None
        partial.replace(target)
        _path.cache_clear()

    return bool(missing)


def levels() -> tuple[str, ...]:
    """Return the levels that are compiled here and that this CPU can run, the fastest last.

    Any of them can be asked what the CPU has, also one that this cannot run.
    """
    there = [level for level in LEVELS if _path(level) is not None]
    lowest = there[0] if there else LEVELS[0]
    supported = LEVELS[: _library(lowest).anisweep_cpu_level() + 1]
    return tuple(level for level in there if level in supported)


def level() -> str:
    """Return the level in use.

    Raises
    ------
    RuntimeError
        when the environment variable asks for one that is not compiled or that this CPU lacks
    """
    wanted = os.environ.get(VARIABLE)
    there = levels()

    if wanted is None and there:
        return there[-1]
    if wanted not in there:
        has = ", ".join(there) or "none of those that are compiled"
        raise RuntimeError(f"{VARIABLE}={wanted}: this machine has {has}; unset it or choose one")
    return wanted


def kernels(single: bool = False) -> ctypes.CDLL:
    """Return the library of the level in use, in double or in single precision."""
    return _library(level() + PRECISIONS[single])


@lru_cache(maxsize=1)
def reader() -> ctypes.PyDLL:
    """Return the functions of kernels/reader.h, the same for each level; a call holds the GIL."""
    library = ctypes.PyDLL(kernels()._name)
    frames, pointer, number = ctypes.py_object, ctypes.c_void_p, ctypes.c_int64
    library.anisweep_survey.argtypes = [frames, pointer, number, pointer, number, pointer, number]
    library.anisweep_read.argtypes = [frames, pointer, pointer, number, pointer, number]
    return library


@lru_cache(maxsize=len(LEVELS) * len(PRECISIONS))
def _library(name: str) -> ctypes.CDLL:
    path = _path(name)
    if path is None:
        raise ImportError(NO_KERNELS.format(FOLDER, name))

    library = ctypes.CDLL(str(path))
    library.anisweep_source.restype = ctypes.c_char_p
    compiled = library.anisweep_source().decode()

    if compiled != SOURCE:
        raise ImportError(
            f"{path.name} was compiled from other sources ({compiled}) than are here ({SOURCE}): "
            "install again with `pip install .`"
        )

    from anisweep.descriptors.kernels.structures import check_layout  # setup.py runs this file by itself

    check_layout(library)
    return library


@lru_cache(maxsize=len(LEVELS) * len(PRECISIONS))
def _path(name: str) -> Path | None:
    candidates = [FOLDER / f"_{name}{suffix}" for suffix in EXTENSION_SUFFIXES]
    if KERNELS in os.environ:
        candidates.append(Path(os.environ[KERNELS]) / SOURCE / f"{name}.so")
    if cached := _cached(name):
        candidates.append(cached)
    return next((path for path in candidates if path.exists()), None)


def _cached(name: str) -> Path | None:
    """Return the kernels' place in the user's cache; None without a home folder, as in containers."""
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    return cache / "anisweep" / "kernels" / SOURCE / f"{name}.so"
