"""Frames are computed a run at a time: not a bit, a label or a message depends on where runs end."""

import numpy as np
import pytest
from frames_for_tests import projection, random_frame

from anisweep.descriptors import BadInput
from anisweep.descriptors import projection as module

SPECIES = [(1,), (8, 1), (6, 8)]
FRAMES = [random_frame(particles=n % 6 + 1, species=SPECIES[n % 3], seed=n) for n in range(40)]


def described(frames=FRAMES, **options):
    return projection(max_radial=2).describe(frames, **options)


@pytest.mark.parametrize("output", ["coefficients", "power_spectrum"])
@pytest.mark.parametrize("per_centre", [True, False])
@pytest.mark.parametrize("particles", [1, 7, 30])
def test_runs_leave_no_trace(output, per_centre, particles, monkeypatch):
    at_once = described(output=output, per_centre=per_centre)
    monkeypatch.setattr(module, "AT_A_TIME", particles)
    in_runs = described(output=output, per_centre=per_centre)

    for name in ("values", "frame", "centre", "species", "neighbours", "found"):
        assert np.array_equal(getattr(at_once, name), getattr(in_runs, name)), name


def test_parts_of_a_data_set_have_the_columns_and_bits_of_the_whole():
    whole = described(per_centre=True)
    parts = [
        described(FRAMES[begin:end], per_centre=True, species=[8, 6, 1], first=begin)
        for begin, end in ((0, 3), (3, 4), (4, 40))
    ]

    for part in parts:
        assert np.array_equal(part.columns, whole.columns)
    for name in ("values", "frame", "centre", "species"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(joined, getattr(whole, name)), name


def test_a_species_that_is_not_among_the_given_ones_is_refused():
    with pytest.raises(BadInput, match=r"species 8 is not among those given: \[1, 6\]"):
        described(species=[6, 1])


def spoiled(name, value):
    frame = FRAMES[0].copy()
    frame.arrays[name] = value
    return frame


def flat():
    frame = FRAMES[0].copy()
    frame.set_cell([[5, 0, 0], [10, 0, 0], [0, 0, 5]])
    return frame


WRONG = [
    (spoiled("c_q", np.zeros((1, 4))), "frame 110, particle 0: c_q is a quaternion of length zero"),
    (spoiled("c_q", np.ones((1, 3))), "frame 110: array c_q has shape"),
    (spoiled("c_q", np.array([["a"] * 4])), "frame 110: array c_q does not hold numbers"),
    (flat(), "frame 110: it is periodic, but its cell vectors span no volume"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_errors_name_the_frame_of_the_whole(wrong, message, monkeypatch):
    monkeypatch.setattr(module, "AT_A_TIME", 4)

    with pytest.raises(BadInput, match=message):
        described([*FRAMES[:10], wrong, *FRAMES[10:]], species=[1, 6, 8], first=100)
