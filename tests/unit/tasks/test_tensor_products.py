"""Products of coefficients: each way gives the same, turns as its inputs do, and counts its paths."""

import numpy as np
import pytest

from anisweep.cell import Hypers
from anisweep.datasets.generators import ellipsoids, species
from anisweep.tasks import _coupling, _products, tensor_products
from anisweep.worker.clock import Silent

HYPERS = Hypers(max_angular=2, max_radial=1)
FRAMES = list(ellipsoids.generate(4, seed=3))


def prepared(mode, hypers=HYPERS, frames=FRAMES):
    return tensor_products.prepare(mode, hypers, "fp64", "cpu", frames)


@pytest.mark.parametrize("mode", tensor_products.MODES)
def test_every_way_gives_what_its_kind_gives_and_turns_with_its_inputs(mode):
    calculator = prepared(mode)
    values = tensor_products.compute(calculator, FRAMES, Silent())
    found = tensor_products.results(calculator, FRAMES)

    assert set(found) <= set(tensor_products.RESULTS)
    assert values.shape == (len(calculator.items.left), found["outputs"])
    assert np.abs(values).max() > 1e-4
    assert found["error"] <= 1e-12
    assert found["equivariance_error"] <= 1e-12
    assert found["bytes"] >= 8 * found["outputs"]
    assert found["multiply_adds"] >= 1


def test_a_product_that_does_not_turn_is_noticed():
    calculator = prepared("gaunt_grid")
    calculator.items.left[:, 1] += 0.1 * np.abs(calculator.items.left).max()
    assert tensor_products.results(calculator, FRAMES)["error"] > 1e-3

    values = np.ones((3, 9))
    assert np.abs(_coupling.turn(values, [0, 1, 2]) - values).max() > 0.1


@pytest.mark.parametrize(("highest", "count"), [(2, 19), (3, 44), (4, 85), (5, 146), (6, 231)])
def test_paths_and_freedoms_are_those_of_the_paper(highest, count):
    """Lets the number of paths be (L + 1)(2 L^2 + 4 L + 3) / 3, and that of Gaunt's weights 4 L + 1."""
    assert len(_coupling.paths(highest)) == count

    even = _products._gaunt(np.copy, highest, 0)
    assert (even.paths, even.freedoms) == (
        sum(map(_coupling.is_even, _coupling.paths(highest))),
        4 * highest + 1,
    )


def test_integrals_of_odd_sum_are_zero_and_couplings_are_not():
    found = tensor_products.results(prepared("gaunt_grid"), FRAMES)

    assert found["odd_paths"] == 0
    assert found["odd_entry"] <= 1e-14
    assert np.abs(_coupling.coupling((1, 1, 1))).max() == pytest.approx(np.sqrt(1 / 2), rel=1e-12)


def test_couplings_are_orthonormal():
    """Holds the real coefficients to what Clebsch-Gordan's fulfil: those of l1 and l2 are a rotation."""
    matrix = np.concatenate([_coupling.coupling((2, 3, l)).reshape(35, -1) for l in range(1, 6)], axis=1)

    assert np.abs(matrix.T @ matrix - np.eye(35)).max() < 1e-13


def test_several_species_are_channels():
    frames = list(species.generate(1, seed=2, species=["C", "H"]))
    calculator = prepared("gemm_l0", frames=frames)
    found = tensor_products.results(calculator, frames)

    assert calculator.items.channels[0].shape[2] == 4
    assert found["error"] <= 1e-12
    assert found["outputs"] == 3 * 16
