"""What NumPy's two ways to contract a pair ask of BLAS, counted by a library in front of NumPy's own."""

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("anisoap", reason="no anisoap")

COUNTING = """
typedef const void *in;
long counted;
void (*gemv)(int, int, long, long, double, in, long, in, long, double, void *, long);
void (*gemm)(int, int, int, long, long, long, double, in, long, in, long, double, void *, long);
double (*dot)(long, in, long, in, long);

void scipy_cblas_dgemv64_(int order, int trans, long m, long n, double alpha, in a, long lda, in x, long incx,
                          double beta, void *y, long incy)
{
    counted++;
    gemv(order, trans, m, n, alpha, a, lda, x, incx, beta, y, incy);
}

void scipy_cblas_dgemm64_(int order, int ta, int tb, long m, long n, long k, double alpha, in a, long lda,
                          in b, long ldb, double beta, void *c, long ldc)
{
    counted++;
    gemm(order, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

double scipy_cblas_ddot64_(long n, in x, long incx, in y, long incy)
{
    counted++;
    return dot(n, x, incx, y, incy);
}
"""

SCRIPT = """
import ctypes, json, sys
library = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)

import numpy as np
from threadpoolctl import threadpool_info

blas = [ctypes.CDLL(info["filepath"]) for info in threadpool_info() if info["user_api"] == "blas"]
for name in ("gemv", "gemm", "dot"):
    own = [getattr(each, f"scipy_cblas_d{name}64_", None) for each in blas]
    if not any(own):
        sys.exit(77)
    address = ctypes.cast(next(filter(None, own)), ctypes.c_void_p).value
    ctypes.c_void_p.in_dll(library, name).value = address

from anisweep.modes import numpy_blas
solid, moments = np.random.rand(3, 4, 6, 6, 6), np.random.rand(9, 9, 9)[:6, :6, :6]
counted = ctypes.c_long.in_dll(library, "counted")

calls = []
for contract in (lambda: np.einsum("mnpqr, pqr->mn", solid, moments),
                 lambda: numpy_blas._matrix_times_vector(solid, moments)):
    before = counted.value
    contract()
    calls.append(counted.value - before)
print(json.dumps(calls))
"""


def test_the_published_einsum_calls_no_blas_and_numpy_blas_calls_it_once(tmp_path):
    source, library = tmp_path / "counting.c", tmp_path / "counting.so"
    source.write_text(COUNTING)
    subprocess.run(["cc", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(library)],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode == 77:
        pytest.skip("this NumPy brings no OpenBLAS of its own")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [0, 1]
