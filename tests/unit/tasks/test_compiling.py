"""Ways to compute that need no compiler; `tests/conformance` has those that do."""

from dataclasses import replace

import pytest

from anisweep.cell import Hypers
from anisweep.datasets.generators import ellipsoids
from anisweep.modes import Unavailable
from anisweep.tasks import _cold_start, compiling
from anisweep.worker.clock import Silent

torch = pytest.importorskip("torch", reason="no torch")

HYPERS = Hypers(max_angular=1, max_radial=0)
FRAMES = list(ellipsoids.generate(3, seed=4))


@pytest.fixture(autouse=True)
def no_fresh_interpreter(monkeypatch):
    monkeypatch.setattr(_cold_start, "seconds", lambda how, model, frames: float(model.exists()))


def prepared(mode, precision="fp64", hypers=HYPERS):
    return compiling.prepare(mode, hypers, precision, "cpu", FRAMES)


@pytest.mark.parametrize("mode", ["eager", "eager_forces", "c_kernels", "c_kernels_forces"])
def test_what_is_not_compiled_is_right(mode):
    calculator = prepared(mode)
    found = compiling.results(calculator, FRAMES)

    assert compiling.compute(calculator, FRAMES, Silent()).shape == (3, 1)
    assert set(found) <= set(compiling.RESULTS)
    assert found["error"] <= 1e-12
    assert "compile_s" not in found
    assert found.get("cold_start_s", 1.0) == 1.0
    assert ("cold_start_s" in found) == mode.endswith("forces")


def test_errors_are_those_of_all_that_is_computed():
    calculator = prepared("c_kernels_forces")
    energies, forces, torques = calculator.compute(FRAMES, Silent())

    assert compiling._error(calculator, (energies, forces, torques), FRAMES) == 0
    for wrong in (
        (2 * energies, forces, torques),
        (energies, 2 * forces, torques),
        (energies, forces, -torques),
    ):
        assert compiling._error(calculator, wrong, FRAMES) >= 0.5


def test_half_precision_of_the_numbers_is_that_much_worse():
    for mode, bound in (("eager_forces", 5e-5), ("c_kernels_forces", 1e-5)):
        calculator = prepared(mode, "fp32")
        assert 1e-9 < compiling._error(calculator, calculator.compute(FRAMES, Silent()), FRAMES) <= bound


def test_what_cannot_be_done_is_unavailable(monkeypatch):
    monkeypatch.setattr(compiling.shutil, "which", lambda name: None)
    with pytest.raises(Unavailable, match="needs a C\\+\\+ compiler"):
        prepared("compiled_forces")
    assert prepared("eager").compile_s is None


def test_the_published_contraction_is_counted_as_its_tables_are():
    """Counts at lmax 6: entries of the package's tables, and those of monomials of each function's degree."""
    calculator = replace(prepared("c_kernels"), hypers=Hypers(max_angular=6))
    found = compiling._multiply_adds(calculator, FRAMES)

    assert found == {"dense_multiply_adds": 24494, "monomial_multiply_adds": 1596}
    assert 0 < compiling._multiply_adds(prepared("eager"), FRAMES)["multiply_adds"] < 24494
