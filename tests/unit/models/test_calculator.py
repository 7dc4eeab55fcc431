"""Many frames at a time, behind the names that ASE gives."""

import numpy as np
import pytest

from anisweep.descriptors import BadInput
from anisweep.models import AniSOAPCalculator, RidgeCalculator, RidgeModel
from tests.unit.descriptors.frames_for_tests import projection, random_frame, relative

EVERY = ("energy", "free_energy", "forces", "torques", "stress")


@pytest.fixture
def frames():
    return [random_frame(2 + n % 5, (1, 6), edge=6.0, seed=n, shape="triaxial") for n in range(12)]


@pytest.fixture(params=["power_spectrum", "pair_features"])
def model(frames, request):
    calculator = projection(3, cutoff=4.0, cutoff_smoothing=1.0)
    width = calculator.describe(frames, request.param).values.shape[1]
    weights = np.random.default_rng(0).normal(size=width)
    return RidgeModel(calculator, weights, np.array([2.0, -3.0]), (1, 6), features=request.param)


@pytest.mark.parametrize("memory", [0, 10**4, 2**26])
def test_a_batch_is_its_frames_one_by_one(model, frames, memory, monkeypatch):
    calls = []
    really = RidgeModel.compute
    monkeypatch.setattr(RidgeModel, "compute", lambda *given: calls.append(given) or really(*given))

    calculator = AniSOAPCalculator(model)
    batch = calculator.calculate_batch(frames, EVERY, memory)
    assert len(calls) == {0: 12, 2**26: 1}.get(memory, len(calls))
    alone = []
    for frame in frames:
        calculator.calculate(frame)
        alone.append(calculator.results)

    assert all(list(results) == list(EVERY) for results in batch)
    for name in EVERY:
        found, expected = (np.concatenate([np.ravel(each[name]) for each in some]) for some in (batch, alone))
        assert relative(found, expected) <= 1e-12


def test_what_is_not_asked_for_is_not_there(model, frames):
    assert [list(each) for each in AniSOAPCalculator(model).calculate_batch(frames[:2], ["forces"])] == [
        ["forces"]
    ] * 2


def test_a_ridge_model_has_its_former_calculator(model, frames):
    frames[0].calc = RidgeCalculator(model)
    assert frames[0].get_forces().shape == (2, 3)


@pytest.mark.parametrize(
    ("change", "properties", "message"),
    [
        (lambda frame: frame.set_pbc(False), EVERY, "frame 7: it has no stress, as it is not periodic"),
        (lambda frame: None, ["force"], "properties: there is no 'force'. Allowed: energy, "),
        (lambda frame: frame.numbers.__setitem__(1, 8), ["energy"], "frame 7, particle 1: species 8"),
        (lambda frame: frame.positions.__setitem__(1, np.nan), ["energy"], "frame 7, particle 1: positions"),
    ],
)
def test_the_frame_is_named_by_its_place_among_all(model, frames, change, properties, message):
    change(frames[7])
    with pytest.raises(BadInput, match=message):
        AniSOAPCalculator(model).calculate_batch(frames, properties, memory=0)
