"""Modes that need an interpreter of their own: right in it, and refused in any other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cases import random_frames, run

from anisweep import modes
from anisweep.modes import Unavailable

pytest.importorskip("anisoap", reason="no anisoap")
pytest.importorskip("torch", reason="no torch")

OF_THEIR_OWN = [name for name in modes.names() if modes.environment(name)]

SCRIPT = """
import json, sys
from anisweep import modes

mode = sys.argv[1]
modes.load(mode)  # before whatever else imports Torch

from cases import random_frames, relative_error, run
frames = {output: random_frames(species) for output, species in (("coefficients", 2), ("power_spectrum", 1))}
errors = {
    output: relative_error(run(mode, frames[output], output), run("numpy_only", frames[output], output))
    for output in frames
}
print(json.dumps(errors))
"""


def alone(script, *arguments, **environment):
    """What a script prints in a fresh interpreter of this environment."""
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("mode", OF_THEIR_OWN)
def test_a_mode_in_its_own_interpreter_agrees(mode):
    done = alone(SCRIPT, mode, **modes.environment(mode))
    assert done.returncode == 0, done.stderr

    errors = json.loads(done.stdout)
    assert max(errors.values()) <= 1e-12


@pytest.mark.parametrize("mode", OF_THEIR_OWN)
def test_a_mode_in_another_interpreter_is_unavailable(mode):
    with pytest.raises(Unavailable, match="this interpreter was started without"):
        run(mode, random_frames(frames=1))


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ATEN_CPU_CAPABILITY": "avx2"}, "Torch's kernels run on AVX2"),
        ({"MKL_CBWR": "AUTO"}, "MKL runs on its branch"),
    ],
)
def test_vector_units_that_are_still_on_fail_the_cell(variables, words):
    """The variables are there when the mode looks at them, and were others when Torch started."""
    script = """
import os
import torch
from anisweep import modes
torch.ones(3, 3).double() @ torch.ones(3, 3).double()
os.environ.update(modes.environment("torch_without_avx"))
modes.load("torch_without_avx").prepare(None, "coefficients", "fp64", "cpu")
"""
    done = alone(script, **{**modes.environment("torch_without_avx"), **variables})

    assert done.returncode != 0
    assert f"RuntimeError: {words}" in done.stderr


def test_torch_calls_openblas_once_for_each_contraction():
    script = """
from anisweep import modes
mode = modes.load("torch_openblas")

from cases import random_frames, run, traced
counts = traced("torch_openblas", random_frames(), max_angular=6).counts
before = mode._openblas.calls()
run("torch_openblas", random_frames(), max_angular=6)
print(counts["contraction"], counts["moments"], mode._openblas.calls() - before)
"""
    done = alone(script, **modes.environment("torch_openblas"))
    assert done.returncode == 0, done.stderr

    contractions, pairs, calls = map(int, done.stdout.split())
    assert 7 * pairs <= calls <= contractions


def test_torch_that_was_there_before_keeps_its_mkl_and_the_mode_says_so():
    script = """
import torch
from anisweep import modes
modes.load("torch_openblas").prepare(None, "coefficients", "fp64", "cpu")
"""
    done = alone(script, **modes.environment("torch_openblas"))

    assert "Unavailable: Torch was loaded before, with its MKL" in done.stderr
