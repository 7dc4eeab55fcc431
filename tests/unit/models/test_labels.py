"""Labels that make no sense are refused, with the frame and the particle that they belong to."""

import numpy as np
import pytest

from anisweep.descriptors import BadInput
from anisweep.models import LabelWeights, RidgeModel
from tests.unit.descriptors.frames_for_tests import projection, random_frame

COUNTS = (3, 0, 2)
GOOD = [np.ones((3, 3)), np.ones((0, 3)), np.ones((2, 3))]
NAN, INF = float("nan"), float("inf")


def bad(shape, place, value=NAN):
    """An array of ones, but for one place."""
    array = np.ones(shape)
    array[place] = value
    return array


ENERGIES = [
    ([NAN, None, 1.0], "one for each frame, or None where it has none: frame 0 has nan"),
    ([1.0, None, -INF], "frame 2 has -inf"),
    ([1.0, None], r"energies must be 3 finite numbers, .*: got \[1.0, None\]"),
    (["a", None, 1.0], "frame 0 has a"),
    ([1.0, None, [1.0]], r"frame 2 has \[1.0\]"),
    ([1.0, None, 1 + 2j], r"frame 2 has \(1\+2j\)"),
    ([1.0, 2.0, 3.0], "frame 1 has no particles, so no energy per particle"),
    (1.0, "energies must be 3 finite numbers, .*: got 1.0"),
    ("abc", "energies must be 3 finite numbers, .*: got 'abc'"),
    (np.ma.masked_equal([1.0, 2.0, 3.0], 3.0), r"energies is masked at \[2\]"),
    ([np.ma.masked, None, 1.0], "the energy of frame 0 is masked"),
]

VECTORS = [
    (GOOD[:2], r"NAME must be an array for each of the 3 frames, .* of shape \(5, 3\) .*: got 2 arrays"),
    (3.0, "NAME must be an array for each of the 3 frames, .*: got 3.0"),
    ("north", "NAME must be an array for each of the 3 frames, .*: got 'north'"),
    ([GOOD[1], None, GOOD[2]], r"NAME of frame 0 have shape \(0, 3\): they must be \(3, 3\)"),
    ([GOOD[0], None, np.ones((2, 4))], r"NAME of frame 2 have shape \(2, 4\): they must be \(2, 3\)"),
    ([GOOD[0], GOOD[2], None], r"NAME of frame 1 have shape \(2, 3\): they must be \(0, 3\)"),
    ([GOOD[0], None, bad((2, 3), (1, 0))], "frame 2, particle 1: its vector in NAME is not finite"),
    ([bad((3, 3), (2, 2), INF), None, None], "frame 0, particle 2: its vector in NAME is not finite"),
    (bad((5, 3), (4, 1)), "frame 2, particle 1: its vector in NAME is not finite"),
    (np.ones((4, 3)), r"NAME of all frames have shape \(4, 3\): they must be \(5, 3\)"),
    (np.ones(15), r"NAME of all frames have shape \(15,\)"),
    (np.ones((5, 3)).tolist()[:4], r"NAME of all frames have shape \(4, 3\)"),
    (np.ones((5, 3)) * 1j, "NAME of all frames must be an array of real numbers"),
    ([[[1, 2, 3], [1, 2]], None, None], "NAME of frame 0 must be an array of real numbers"),
    ([None, None, [["a"] * 3] * 2], "NAME of frame 2 must be an array of real numbers"),
    ([None, None, np.ma.masked_equal(bad((2, 3), (1, 1), 7), 7)], r"NAME of frame 2 is masked at \[1, 1\]"),
    (np.ma.masked_equal(bad((5, 3), (4, 1), 7), 7), r"NAME of all frames is masked at \[4, 1\]"),
]

STRESSES = [
    ([np.eye(3), None], "stresses must be 3, one for each frame, or None where it has none: got 2"),
    (1.0, "stresses must be 3, one for each frame, .*: got 1.0"),
    ([None, None, np.ones(5)], r"the stress of frame 2 has shape \(5,\): it must be \(3, 3\), or \(6,\)"),
    ([bad((3, 3), (0, 0)), None, None], "the stress of frame 0 is not finite"),
    ([None, None, bad((3, 3), (0, 1), 2)], "the stress of frame 2 is not symmetric"),
    ([None, np.eye(3), None], "frame 1: it has a stress, but no volume: it must be periodic"),
    ([["a"] * 6, None, None], "the stress of frame 0 must be an array of real numbers"),
]

CASES = [
    *[({"energies": given}, message) for given, message in ENERGIES],
    *[
        ({name: given}, message.replace("NAME", name))
        for name in ("forces", "torques")
        for given, message in VECTORS
    ],
    *[({"stresses": given}, message) for given, message in STRESSES],
    ({}, "there is nothing to learn from: give energies, forces, torques or stresses of at least one frame"),
    ({"energies": [None] * 3, "forces": [None] * 3}, "there is nothing to learn from"),
    ({"energies": [1.0, None, 1.0], "weights": LabelWeights(energies=0)}, "and a weight above 0"),
    ({"forces": GOOD, "weights": {"forces": 2}}, r"weights must be LabelWeights, .*, not {'forces': 2}"),
    ({"forces": GOOD, "force_fraction": 0}, "force_fraction must be a number above 0, and at most 1, not 0"),
    ({"forces": GOOD, "force_fraction": 1.5}, "force_fraction must be .*, not 1.5"),
    ({"forces": GOOD, "force_fraction": NAN}, "force_fraction must be .*, not nan"),
    ({"forces": GOOD, "seed": -1}, "seed must be a whole number from 0 on, not -1"),
    ({"forces": GOOD, "seed": 0.5}, "seed must be a whole number from 0 on, not 0.5"),
    ({"forces": GOOD, "alpha": NAN}, "alpha must be a number from 0 on, not nan"),
]


@pytest.mark.parametrize(("given", "message"), CASES)
def test_what_makes_no_sense_is_refused(given, message):
    frames = [random_frame(count, seed=count) for count in COUNTS]
    frames[1].pbc = False
    with pytest.raises(BadInput, match=message):
        RidgeModel.fit(projection(1), frames, **given)


@pytest.mark.parametrize("kind", ["energies", "forces", "torques", "stresses"])
@pytest.mark.parametrize("weight", [-1, NAN, INF, "1", None, True])
def test_a_weight_is_a_finite_number_from_0_on(kind, weight):
    with pytest.raises(BadInput, match=f"the weight of {kind} must be a finite number from 0 on, not "):
        LabelWeights(**{kind: weight})


def test_frames_are_named_by_their_place_among_all(monkeypatch):
    """Also when they are read again, block by block."""
    monkeypatch.setattr("anisweep.models.rows.AT_A_TIME", 1)
    frames = [random_frame(2, seed=n) for n in range(4)]
    frames[3].arrays["c_q"][1] = 0
    with pytest.raises(BadInput, match="frame 3, particle 1: c_q is a quaternion of length zero"):
        RidgeModel.fit(projection(1), frames, forces=np.ones((8, 3)))

    frames[3].arrays["c_q"][1] = 1
    frames[3].cell[2] = frames[3].cell[1]
    with pytest.raises(BadInput, match="frame 3: it is periodic, but its cell vectors span no volume"):
        RidgeModel.fit(projection(1), frames, forces=np.ones((8, 3)))


def test_frames_without_orientations_are_named_once(monkeypatch, recwarn):
    monkeypatch.setattr("anisweep.models.rows.AT_A_TIME", 1)
    frames = [random_frame(2, seed=n) for n in range(4)]
    for frame in frames[1:]:
        del frame.arrays["c_q"]

    RidgeModel.fit(projection(1), frames, np.arange(4.0), forces=np.ones((8, 3)))
    said = [str(each.message) for each in recwarn if "does not have rotations" in str(each.message)]
    assert len(said) == 1
    assert said[0].startswith("Frame 1 does not have rotations stored")


@pytest.mark.parametrize("ask", ["energies", "compute"])
def test_a_species_that_was_not_learned_is_named_with_its_particle(ask):
    frames = [random_frame(3, (1, 6), seed=n) for n in range(3)]
    model = RidgeModel.fit(projection(1), frames, np.arange(3.0))
    frames[1].numbers[2] = 8
    with pytest.raises(BadInput, match=r"frame 1, particle 2: species 8 is not among those given: \[1, 6\]"):
        getattr(model, ask)(frames)
