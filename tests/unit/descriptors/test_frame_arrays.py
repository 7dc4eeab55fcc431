"""Plain arrays stand in for frames, and wrong ones are named."""

import numpy as np
import pytest
from frames_for_tests import projection, random_frame, relative

from anisweep.descriptors import BadInput, FrameArrays, gradients

DIAMETERS = [f"c_diameter[{axis}]" for axis in (1, 2, 3)]


def frames():
    return [random_frame(count, (1, 6), seed=count) for count in (3, 0, 5)]


def plain(several):
    """The arguments of `FrameArrays.of` that say what frames say."""
    return {
        "positions": np.concatenate([frame.positions for frame in several]),
        "orientations": np.concatenate([frame.arrays["c_q"] for frame in several]),
        "diameters": np.concatenate([np.stack([f.arrays[d] for d in DIAMETERS], axis=1) for f in several]),
        "species": np.concatenate([frame.numbers for frame in several]),
        "cells": np.stack([frame.cell.array for frame in several]),
        "counts": [len(frame) for frame in several],
    }


def test_arrays_are_described_as_frames_are():
    arrays, calculator = FrameArrays.of(**plain(frames())), projection()
    for per_centre in (True, False):
        ours = calculator.describe(arrays, per_centre=per_centre)
        theirs = calculator.describe(frames(), per_centre=per_centre)
        assert np.array_equal(ours.values, theirs.values)
        assert np.array_equal(ours.frame, theirs.frame)

    ours, theirs = (gradients(calculator, each, 1.0)[1] for each in (arrays, frames()))
    assert np.array_equal(ours.forces, theirs.forces)
    assert np.array_equal(ours.stresses[[0, 2]], theirs.stresses[[0, 2]])


def test_one_open_frame_of_matrices_needs_no_counts_and_one_shape():
    frame = random_frame(4, shape="discs")
    frame.set_cell(None)
    frame.pbc = False
    axes = np.broadcast_to(np.eye(3), (4, 3, 3))
    frame.arrays["axes"] = axes.copy()
    calculator = projection(rotation_key="axes", rotation_type="matrix")

    arrays = FrameArrays.of(frame.positions, axes, [3, 3, 1], 1)
    assert relative(calculator.power_spectrum(arrays), calculator.power_spectrum([frame])) == 0


def test_chosen_frames_are_those_in_their_order():
    several = frames()
    chosen = FrameArrays.of(**plain(several)).chosen(np.array([2, 0, 2, 1]))
    expected = FrameArrays.of(**plain([several[i] for i in (2, 0, 2, 1)]))
    for name, values in vars(expected).items():
        assert np.array_equal(getattr(chosen, name), values), name


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"positions": np.zeros(3)}, r"positions must have the shape \(particles, 3\), not \(3,\)"),
        ({"orientations": np.ones((8, 3))}, r"orientations must have the shape \(8, 4\), or \(4,\)"),
        ({"diameters": np.ones((7, 3))}, r"diameters must have the shape \(8, 3\), or \(3,\), not \(7, 3\)"),
        ({"species": np.ones(8)}, "species must be whole numbers"),
        ({"species": np.full(8, 2**64 - 1, dtype=np.uint64)}, "species must be whole numbers"),
        ({"cells": np.eye(3)[:2]}, r"cells must have the shape \(3, 3, 3\), or \(3, 3\), not \(2, 3\)"),
        ({"counts": [3, 4]}, "counts must be from 0 on, and 8 together"),
        ({"counts": [9, -1]}, "counts must be from 0 on, and 8 together"),
        ({"positions": np.ma.masked_equal(np.zeros((8, 3)), 0)}, "positions is masked"),
        ({"diameters": "large"}, "diameters must be an array of real numbers"),
    ],
)
def test_what_is_wrong_is_named(wrong, message):
    with pytest.raises(BadInput, match=message):
        FrameArrays.of(**plain(frames()) | wrong)


def test_impossible_numbers_are_named_by_frame_and_particle():
    given = plain(frames())
    given["positions"][4, 1] = np.nan
    with pytest.raises(BadInput, match="frame 2, particle 1: positions is not finite"):
        projection().power_spectrum(FrameArrays.of(**given))


def test_arrays_say_themselves_how_orientations_are_written():
    arrays = FrameArrays.of(**plain(frames()))
    of_matrices = projection(rotation_type="matrix").power_spectrum(arrays)
    assert np.array_equal(of_matrices, projection().power_spectrum(arrays))
