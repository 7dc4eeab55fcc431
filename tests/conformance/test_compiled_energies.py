"""Models compiled by Torch, ahead of time and when they are called: right for other sizes, and for views."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from anisweep.cell import Hypers
from anisweep.datasets.generators import ellipsoids
from anisweep.descriptors import BadInput
from anisweep.dynamics import RigidBodies
from anisweep.models import AniSOAPCalculator, export, load_exported
from anisweep.modes import load
from anisweep.tasks._linear_energy import linear_energy

torch = pytest.importorskip("torch", reason="no torch")

if shutil.which("g++") is None and shutil.which("clang++") is None:
    pytest.skip("no C++ compiler", allow_module_level=True)

HYPERS = Hypers(max_angular=1, max_radial=0)
FRAMES = list(ellipsoids.generate(5, seed=4))
MODEL = linear_energy(HYPERS, FRAMES)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "model.pt2"
    export(MODEL, path, device="cpu")
    return path


def largest_error(found, frames):
    energies, derivatives = MODEL.compute(frames)
    pairs = [
        (found[0], energies),
        (found[1].forces, derivatives.forces),
        (found[1].torques, derivatives.torques),
        (found[1].strain, derivatives.strain),
    ]
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in pairs)


@pytest.mark.parametrize("count", [1, 3, 5])
def test_an_exported_model_computes_frames_of_any_number(file, count):
    assert largest_error(load_exported(file).compute(FRAMES[:count]), FRAMES[:count]) <= 1e-12


def test_an_exported_model_computes_frames_of_other_sizes(file):
    frames = [frame.repeat((2, 2, 1)) for frame in FRAMES[:3]]
    assert largest_error(load_exported(file).compute(frames), frames) <= 1e-12


def test_a_fresh_process_computes_the_same_bits(file):
    code = (
        "import sys, numpy as np\n"
        "from anisweep.models import load_exported\n"
        "from anisweep.datasets.generators import ellipsoids\n"
        "energies, found = load_exported(sys.argv[1]).compute(list(ellipsoids.generate(5, seed=4)))\n"
        "print(energies.tobytes().hex(), found.forces.tobytes().hex())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    energies, found = load_exported(file).compute(FRAMES)

    assert done.stdout.split() == [energies.tobytes().hex(), found.forces.tobytes().hex()]


def test_no_bit_depends_on_which_thread_comes_first(file):
    """Sums by several threads in whatever order differed in a run of two hundred."""
    exported = load_exported(file)
    found = {exported.compute(FRAMES)[1].forces.tobytes() for _ in range(1000)}
    assert len(found) == 1


def test_an_exported_model_moves_particles_and_stands_behind_ase(file):
    exported = load_exported(file)
    moved = []
    for model in (exported, MODEL):
        bodies = RigidBodies(model, FRAMES, masses=78.0, inertia=[100.0, 100.0, 180.0])
        bodies.run(3, 1.0)
        moved.append(bodies.frames()[1].positions)
    assert np.abs(moved[0] - moved[1]).max() <= 1e-10

    frame = FRAMES[1].copy()
    frame.calc = AniSOAPCalculator(exported)
    assert frame.get_potential_energy() == pytest.approx(MODEL.energies([frame])[0], rel=1e-12)


def test_a_torn_file_is_refused(file, tmp_path):
    torn = tmp_path / "torn.pt2"
    torn.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(BadInput, match=r"torn\.pt2: it is no model, or not whole"):
        load_exported(torn)


@pytest.mark.parametrize("mode", ["compiled", "compiled_forces", "exported_forces"])
def test_the_task_measures_what_compiling_takes(mode):
    task = load(f"compiling.{mode}")
    found = task.results(task.prepare(mode, HYPERS, "fp64", "cpu", FRAMES), FRAMES)

    assert set(found) <= set(task.RESULTS)
    assert found["error"] <= 1e-12
    assert found["compile_s"] > 0
    if mode == "exported_forces":
        assert found["strided_error"] <= 1e-12
        assert found["strided_error_unguarded"] > 1e-6  # once it is right, `flat` need not be contiguous
        assert found["cold_start_share"] == found["cold_start_s"] / found["compile_s"]
    else:
        assert found["recompiles"] <= 1
