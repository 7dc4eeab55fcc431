"""A fast wrong answer is a wrong row: what counts as different, and by how much."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import examples
from anisweep.cell import Hypers
from anisweep.worker.fidelity import KEPT, Flat, bound_of, fidelity_of, flatten

RNG = np.random.default_rng(3)
VALUES = RNG.normal(size=(4, 3, 5))


@dataclass
class Labels:
    """Stands in for metatensor's, whose import takes seconds. The real ones: tests/conformance."""

    names: list[str]
    values: np.ndarray


@dataclass
class Block:
    values: np.ndarray
    samples: Labels
    components: list[str]
    properties: Labels


@dataclass
class Tensor:
    keys: Labels
    blocks: list[Block]

    def block(self, index: int) -> Any:
        return self.blocks[index]


def column(numbers):
    return np.array(numbers)[:, None]


def tensor(values=VALUES, samples=(0, 1, 2, 3), properties=(0, 1, 2, 3, 4), keys=(0, 1), name="n"):
    """Two blocks, the second one twice the first, with the labels in the order that is asked for."""
    blocks = [
        Block(
            values=(1 + key) * values[list(samples)][:, :, list(properties)],
            samples=Labels(["system", "atom"], np.array([[s // 2, s % 2] for s in samples])),
            components=["m"],
            properties=Labels([name], column(properties)),
        )
        for key in keys
    ]
    return Tensor(Labels(["l"], column(keys)), blocks)


def difference(change, precision="fp64", lmax=2):
    """The comparison of changed values with the right ones."""
    reference = flatten(tensor())
    changed = Flat(change(reference.values), reference.frame, reference.labels, "")
    return fidelity_of(
        changed, reference, examples.cell(precision=precision, hypers=Hypers(max_angular=lmax))
    )


@pytest.mark.parametrize(
    "order",
    [
        {"samples": (3, 1, 0, 2)},
        {"properties": (4, 3, 0, 1, 2)},
        {"keys": (1, 0)},
        {"samples": (2, 3, 0, 1), "properties": (1, 0, 2, 4, 3), "keys": (1, 0)},
    ],
    ids=str,
)
def test_the_order_in_which_a_mode_gives_its_result_does_not_matter(order):
    comparison = fidelity_of(flatten(tensor(**order)), flatten(tensor()), examples.CELL)

    assert comparison.max_relative_error == 0
    assert comparison.complaint == ""


def mislabelled(axis):
    """The right numbers with the labels of two of them exchanged."""
    order = [1, 0, *range(2, VALUES.shape[axis])]
    return tensor(np.take(VALUES, order, axis))


@pytest.mark.parametrize("axis", [0, 2], ids=["samples", "properties"])
def test_permuted_labels_are_wrong(axis):
    comparison = fidelity_of(flatten(mislabelled(axis)), flatten(tensor()), examples.CELL)

    assert comparison.complaint.startswith("differs from the reference by")


@pytest.mark.parametrize(
    "other",
    [
        {"samples": (0, 1, 2)},
        {"properties": (0, 1, 2, 3)},
        {"keys": (0,)},
    ],
    ids=str,
)
def test_a_missing_part_is_wrong(other):
    comparison = fidelity_of(flatten(tensor(**other)), flatten(tensor()), examples.CELL)

    assert comparison.max_relative_error is None
    assert comparison.complaint.startswith("labels or shape differ")


def test_other_labels_on_the_same_numbers_are_wrong():
    comparison = fidelity_of(flatten(tensor(name="k")), flatten(tensor()), examples.CELL)

    assert comparison.complaint.startswith("labels or shape differ")


def test_an_error_of_one_in_a_million_is_wrong():
    comparison = difference(lambda values: values * (1 + 1e-6))

    assert comparison.max_relative_error == pytest.approx(1e-6)
    assert (
        comparison.complaint == "differs from the reference by 1e-06 of the largest value; 1e-10 is allowed"
    )


def test_the_error_is_relative_to_the_largest_value():
    largest = np.abs(flatten(tensor()).values).max()

    def shift_the_smallest(values):
        changed = values.copy()
        changed[np.abs(values).argmin()] += 2e-10 * largest
        return changed

    assert difference(shift_the_smallest).max_relative_error == pytest.approx(2e-10)
    assert difference(shift_the_smallest).complaint.startswith("differs")


@pytest.mark.parametrize(
    ("precision", "lmax", "error", "right"),
    [
        ("fp64", 2, 0.9e-10, True),
        ("fp64", 2, 1.1e-10, False),
        ("fp32", 6, 4.9e-6, True),
        ("fp32", 6, 5.1e-6, False),
        ("fp32", 7, 0.9e-3, True),
        ("fp32", 7, 1.1e-3, False),
        ("fp16", 2, 0.5, True),
    ],
)
def test_the_bound_belongs_to_the_precision(precision, lmax, error, right):
    comparison = difference(lambda values: values * (1 + error), precision, lmax)

    assert (comparison.complaint == "") == right
    assert comparison.bound == bound_of(precision, lmax)
    assert comparison.max_relative_error == pytest.approx(error, rel=1e-4)


@pytest.mark.parametrize("precision", ["fp64", "fp32", "bf16"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_is_wrong_in_every_precision(precision, bad):
    def spoil(values):
        spoiled = values.copy()
        spoiled[7] = bad
        return spoiled

    assert difference(spoil, precision).complaint == "the result holds NaN or infinity"


@pytest.mark.parametrize("precision", ["fp64", "fp32", "bf16"])
def test_nothing_is_right_beside_a_reference_that_holds_nan(precision):
    reference = flatten(tensor())
    spoiled = Flat(np.full_like(reference.values, np.nan), reference.frame, reference.labels, "")
    comparison = fidelity_of(reference, spoiled, examples.cell(precision=precision))

    assert comparison.complaint == "the reference's result holds NaN or infinity"


def test_elements_must_agree_one_by_one_in_fp64():
    """A tiny element may be wrong by much of itself while the largest value hides it."""
    reference = Flat(np.array([1e4, 1e-3]), np.zeros(2, int), "", "")
    changed = Flat(np.array([1e4, 1e-3 + 2e-7]), np.zeros(2, int), "", "")
    comparison = fidelity_of(changed, reference, examples.CELL)

    assert comparison.max_relative_error < 1e-10
    assert comparison.elementwise is False
    assert comparison.complaint.startswith("elements differ")


def test_a_spectrum_is_compared_as_it_is():
    spectrum = RNG.normal(size=(3, 44))

    assert fidelity_of(flatten(spectrum), flatten(spectrum), examples.CELL).complaint == ""
    assert fidelity_of(flatten(spectrum[:2]), flatten(spectrum), examples.CELL).complaint.startswith("labels")
    assert fidelity_of(flatten(spectrum[::-1]), flatten(spectrum), examples.CELL).complaint.startswith(
        "differs"
    )


def test_an_artifact_keeps_whole_frames():
    spectrum = RNG.normal(size=(3, KEPT // 2 - 1))

    assert len(flatten(spectrum).first_frames()) == 2 * spectrum.shape[1]
    assert len(flatten(spectrum[:1]).first_frames()) == spectrum.shape[1]
    assert len(flatten(RNG.normal(size=(2, KEPT + 1))).first_frames()) == KEPT + 1
