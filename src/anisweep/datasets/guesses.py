"""Which arrays of a user's file look like orientations and diameters, by shape, name and values."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from anisweep.datasets.canonical import DIAMETERS

Array = np.ndarray[Any, Any]

#: Names that are taken for quaternions first, whatever their norm.
QUATERNIONS = ("c_q", "quaternion", "quaternions")

ENDINGS = ("xyz", "123", "abc")


def orientation_arrays(arrays: Mapping[str, Array]) -> list[str]:
    """Names of the arrays that could be orientations, the likeliest first."""
    likely = [name for name in QUATERNIONS if name in arrays and arrays[name].shape[1:] == (4,)]
    others = [name for name in sorted(arrays) if name not in likely and _turns(arrays[name])]
    return likely + others


def _turns(values: Array) -> bool:
    """Whether all are unit quaternions or rotation matrices."""
    if values.dtype.kind != "f" or not np.isfinite(values).all():
        return False

    if values.shape[1:] == (4,):
        return bool(np.allclose(np.linalg.norm(values, axis=1), 1.0, atol=1e-3))

    if values.shape[1:] in ((9,), (3, 3)):
        matrices = values.reshape(-1, 3, 3)
        return bool(np.allclose(matrices @ matrices.transpose(0, 2, 1), np.eye(3), atol=1e-3))

    return False


def diameter_arrays(arrays: Mapping[str, Array]) -> list[str]:
    """Names of one (N, 3) array, or of three (N,) arrays, that could be diameters; empty: none found."""
    positive = {name: values for name, values in arrays.items() if _is_positive(values)}

    for names in (DIAMETERS, [name.replace("[", "").replace("]", "") for name in DIAMETERS]):
        if all(name in positive for name in names):
            return list(names)

    for name, values in sorted(positive.items()):
        if values.shape[1:] == (3,) and "diam" in name.lower():
            return [name]

    return _triple([name for name, values in positive.items() if values.ndim == 1])


def _is_positive(values: Array) -> bool:
    return values.dtype.kind in "fiu" and bool((values > 0).all())


def _triple(names: list[str]) -> list[str]:
    """Three names that differ in their last letter only, like dx, dy, dz or diameter_1, _2, _3."""
    families: dict[str, dict[str, str]] = defaultdict(dict)

    for name in names:
        match = re.fullmatch(r"(d|.*diam.*?)[_\[]?([xyz123abc])\]?", name, flags=re.IGNORECASE)
        if match:
            families[match[1]][match[2].lower()] = name

    for family in families.values():
        for ending in ENDINGS:
            if set(ending) <= set(family):
                return [family[letter] for letter in ending]

    return []
