"""Define the C structures that the kernels read, field by field as in kernels/*.h."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from anisweep.descriptors import harmonics
from anisweep.descriptors.radial_basis import RadialBasis

#: Of the widest vectors that the kernels have.
BYTES = 64

NOTHING = ctypes.c_char * 0


def _fields(integers: str, numbers: str, pointers: str) -> list[tuple[str, type]]:
    fields: list[tuple[str, type]] = [(name, ctypes.c_int64) for name in integers.split()]
    fields += [(name, ctypes.c_double) for name in numbers.split()]
    return fields + [(name, ctypes.c_void_p) for name in pointers.split()]


class Basis(ctypes.Structure):
    """Mirror the structure of kernels/basis.h."""

    _fields_ = _fields(
        "lmax stride values row",
        "cutoff smoothing width2 ordering",
        "moments kept offset norm mixing blocks shape index entry scaled",
    )


class Particles(ctypes.Structure):
    """Mirror the structure of kernels/particles.h."""

    _fields_ = _fields("", "", "positions rotations diameters cells periodic start species alike") + _fields(
        "alike_count species_count matrices general", "", ""
    )


class Task(ctypes.Structure):
    """Mirror the structure of kernels/work.h."""

    _fields_ = (
        _fields("output self_pairs per_centre segments threads next", "", "frame from_particle")
        + _fields("width", "", "out found cotangent")
        + _fields("cotangent_step failed_frame", "", "")
    )


class Derivatives(ctypes.Structure):
    """Mirror the structure of kernels/gradients.h."""

    _fields_ = _fields("", "", "positions rotations diameters strain")


class Directions(ctypes.Structure):
    """Mirror the structure of kernels/tangent.h."""

    _fields_ = _fields("", "", "displacements turns strains")


class Chosen(ctypes.Structure):
    """Mirror the structure of kernels/rows.h."""

    _fields_ = _fields("", "", "record out")


class _Member(ctypes.Structure):
    """Mirror the structure of kernels/layout.h."""

    _fields_ = [("name", ctypes.c_char_p), *_fields("offset size", "", "")]


def check_layout(library: ctypes.CDLL) -> None:
    """Refuse kernels whose structures lie in memory otherwise than they are mirrored here.

    Raises
    ------
    ImportError
        naming the first member that differs
    """
    members = ctypes.POINTER(_Member)()
    library.anisweep_layout.restype = ctypes.c_int64
    count = library.anisweep_layout(ctypes.byref(members))
    compiled = {each.name.decode(): (each.offset, each.size) for each in members[:count]}
    mirrored = _mirrored()

    for name in compiled | mirrored:
        there, here = (_place(places.get(name)) for places in (compiled, mirrored))
        if there != here:
            raise ImportError(
                f"{library._name}: {name} lies {there} in the compiled kernels, and {here} in structures.py. "
                "Allowed: the same. Install again with `pip install .`; after a change of the structures "
                "write kernels/*.h, kernels/layout.h and structures.py alike."
            )


def _mirrored() -> dict[str, tuple[int, int]]:
    """Return offset and size of each structure of this module, and of each of its members."""
    places = {}

    for structure in (Basis, Particles, Task, Derivatives, Directions, Chosen):
        places[structure.__name__] = (0, ctypes.sizeof(structure))
        for name, _ in structure._fields_:
            member = getattr(structure, name)
            places[f"{structure.__name__}.{name}"] = (member.offset, member.size)
    return places


def _place(place: tuple[int, int] | None) -> str:
    return "nowhere" if place is None else f"at byte {place[0]} with {place[1]} bytes"


def address(array: np.ndarray) -> int:
    """Return the address of a contiguous array, in a quarter of the time of ``array.ctypes.data``."""
    return ctypes.addressof(NOTHING.from_buffer(array.data))


@dataclass(frozen=True)
class BasisTables:
    """Hold all that hyperparameters fix, ready for the kernels.

    Attributes
    ----------
    radial : the basis
    normalize : whether the radial functions are orthonormalised (N_k S^-1/2) or left as r^(l + 2n)
    smoothing : Angstrom below the cutoff over which a neighbour fades; 0 when none does
    single : whether the kernels compute in single precision; what is fixed here is rounded at the end
    """

    radial: RadialBasis
    normalize: bool = True
    smoothing: float = 0.0
    single: bool = False

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields without the pointers, which belong to one process and one copy alone."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def number_type(self) -> type:
        """Return what the kernels' features and cotangents are of."""
        return np.float32 if self.single else np.float64

    @cached_property
    def moments(self) -> np.ndarray:
        """Return the number of radial moments computed for each l: l + 1 needs as many of l."""
        return np.maximum.accumulate(np.array(self.radial.counts)[::-1])[::-1].astype(np.int64)

    @cached_property
    def offset(self) -> np.ndarray:
        """Return the first primitive value (m, n) of each l, and the end."""
        sizes = (2 * np.arange(self.radial.lmax + 1) + 1) * self.moments
        return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    @cached_property
    def mixing(self) -> np.ndarray:
        """Return the orthonormalisation matrices (l, n, k) of the ordered functions, padded with zeros."""
        stride = int(self.moments.max())
        mixing = np.zeros((self.radial.lmax + 1, stride, stride))

        for l, count in enumerate(self.radial.counts):
            plain = self.radial.exact_mixing(l) if self.normalize else np.eye(count).tolist()
            mixing[l, :count, :count] = self.radial.ordered(l, plain)
        return mixing

    @cached_property
    def pointers(self) -> Basis:
        """Return the structure that the kernels read."""
        kept = np.array(self.radial.counts, dtype=np.int64)
        sizes = {"moments": self.moments, "offset": self.offset, "kept": kept}

        numbers = {"mixing": self.mixing, **_constants(self.radial.lmax)}
        rounded = {
            name: array.astype(self.number_type) if array.dtype == np.float64 else array
            for name, array in numbers.items()
        }

        return _basis(
            {**sizes, **rounded},
            self.number_type,
            cutoff=self.radial.cutoff,
            smoothing=self.smoothing,
            width2=self.radial.width**2,
            ordering=self.radial.scale**2 / 2,
        )

    @cached_property
    def wider(self) -> dict[int, Basis]:
        """Return the structures for first and second derivatives, which need moments up to lmax + order."""
        wider, moments = {}, self.moments

        for order in (1, 2):
            moments = widened(moments)
            sizes = (2 * np.arange(len(moments)) + 1) * moments
            arrays = {"moments": moments, "offset": np.concatenate([[0], np.cumsum(sizes)])}
            wider[order] = _basis(arrays, self.number_type)
        return wider


def _basis(arrays: dict[str, np.ndarray], kind: type, **numbers: float) -> Basis:
    """Return a structure that points into these arrays, and keeps them, for numbers of this kind."""
    lanes = BYTES // np.dtype(kind).itemsize
    moments, values = arrays["moments"], int(arrays["offset"][-1])
    basis = Basis(
        lmax=len(moments) - 1,
        stride=int(moments.max()),
        values=values,
        row=-(-values // lanes) * lanes,
        **numbers,
        **{name: array.ctypes.data for name, array in arrays.items()},
    )
    basis.arrays = arrays
    return basis


def widened(moments: np.ndarray) -> np.ndarray:
    """Return how many moments of each l the first derivatives need: n - 1 of l + 1, n of l - 1."""
    padded = np.concatenate([moments, [0]])
    from_below = np.concatenate([[0], moments - 1])
    from_above = np.concatenate([moments[1:], [0, 0]])
    needed = np.maximum.reduce([padded, from_below, from_above])
    return np.maximum.accumulate(needed[::-1])[::-1].astype(np.int64)


@lru_cache(maxsize=64)
def _constants(lmax: int) -> dict[str, np.ndarray]:
    """Return the norms of the harmonics, and the blocks of the matrices that exchange y and z."""
    norms = [[harmonics.norm(l, m) if m <= l else 0.0 for m in range(lmax + 1)] for l in range(lmax + 1)]
    first, shape, index, entry, scaled = [0], [], [], [], []
    places = values = 0

    for l in range(lmax + 1):
        matrix = harmonics.swap(l)
        for rows, columns in harmonics.swap_blocks(l):
            shape.append((len(rows), len(columns), places, values))
            index += [rows, columns]
            block = matrix[np.ix_(rows, columns)]
            entry.append(block.ravel())
            scaled.append((block * [norms[l][abs(column - l)] for column in columns]).ravel())
            places += len(rows) + len(columns)
            values += len(rows) * len(columns)
        first.append(len(shape))

    return {
        "norm": np.array(norms),
        "blocks": np.array(first, dtype=np.int64),
        "shape": np.array(shape, dtype=np.int64),
        "index": np.concatenate(index).astype(np.int64),
        "entry": np.concatenate(entry),
        "scaled": np.concatenate(scaled),
    }
