"""Time import and first power spectrum in new processes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from statistics import median

from benchmarks import _record

REPETITIONS = 7

SCRIPT = """
from time import perf_counter
started = perf_counter()
import numpy
numpy_s = perf_counter() - started
from anisweep.descriptors import EllipsoidalDensityProjection
imported_s = perf_counter() - started
import ase, json, warnings
warnings.simplefilter("ignore")
frame = ase.Atoms("C2", [[0, 0, 0], [0, 0, 4]], cell=[9, 9, 9], pbc=True)
frame.arrays["quaternion"] = numpy.array([[1.0, 0, 0, 0]] * 2)
for axis in "123":
    frame.arrays[f"c_diameter[{axis}]"] = numpy.ones(2) + int(axis)
started = perf_counter()
projection = EllipsoidalDensityProjection(9, "gto", 7.0, radial_gaussian_width=1.5, max_radial=6,
                                          basis_rcond=1e-8, basis_tol=1e-3)
projection.power_spectrum([frame])
print(json.dumps([numpy_s, imported_s, perf_counter() - started]))
"""


@dataclass(frozen=True)
class Start:
    """Hold the seconds of a fresh process: numpy's import, the whole import, the first power spectrum."""

    numpy_s: float
    import_s: float
    first_s: float


def run(smoke: bool) -> None:
    """Print the medians and keep them."""
    columns = zip(*(measured() for _ in range(1 if smoke else REPETITIONS)), strict=True)
    start = Start(*map(median, columns))
    print(
        f"  import {start.import_s:.3f} s, of which numpy {start.numpy_s:.3f} s; "
        f"first power spectrum {start.first_s:.3f} s"
    )
    _record.keep("cold_start", [start], smoke)


def measured() -> list[float]:
    """Seconds for numpy, for all of the import, and for constructor and first result, in a fresh process."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, check=True)
    return list(json.loads(done.stdout))
