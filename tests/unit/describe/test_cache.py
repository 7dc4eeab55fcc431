"""Features that are read again in place of being computed."""

import numpy as np
import pytest

from anisweep.describe import cache, describe_cached
from anisweep.descriptors import EllipsoidalDensityProjection
from tests.unit.descriptors.frames_for_tests import projection, random_frame


@pytest.fixture
def frames():
    return [random_frame(3, (1, 6), seed=n) for n in range(4)]


@pytest.fixture
def computed(monkeypatch):
    """What was computed, and not read."""
    calls = []
    really = EllipsoidalDensityProjection.describe
    monkeypatch.setattr(
        EllipsoidalDensityProjection, "describe", lambda *given: calls.append(given) or really(*given)
    )
    return calls


@pytest.mark.parametrize("output", ["power_spectrum", "coefficients", "pair_features"])
@pytest.mark.parametrize("per_centre", [False, True])
def test_what_is_read_is_what_was_computed(tmp_path, frames, computed, output, per_centre):
    expected = projection(2).describe(frames, output, per_centre, (1, 6, 8))
    computed.clear()
    for _ in range(2):
        found = describe_cached(projection(2), frames, tmp_path / "new", output, per_centre, (1, 6, 8))
        for name in ("values", "frame", "centre", "species", "neighbours", "found", "columns"):
            assert np.array_equal(getattr(found, name), getattr(expected, name))
        assert (found.output, found.counts, found.dropped) == (output, expected.counts, expected.dropped)
    assert len(computed) == 1


def moved(frames):
    frames[2].positions[1, 0] += 1e-12
    return frames


def turned(frames):
    frames[2].arrays["c_q"][1] *= -1
    return frames


@pytest.mark.parametrize(
    ("other", "changed"),
    [
        (projection(3), list),
        (projection(2, cutoff_smoothing=0.5), list),
        (projection(2), moved),
        (projection(2), turned),
        (projection(2), lambda frames: frames[:3]),
        (projection(2), lambda frames: frames[::-1]),
    ],
)
def test_anything_else_is_computed(tmp_path, frames, computed, other, changed):
    describe_cached(projection(2), frames, tmp_path)
    describe_cached(other, changed(frames), tmp_path)
    assert len(computed) == 2


def test_other_code_is_another_entry(tmp_path, frames, computed, monkeypatch):
    describe_cached(projection(2), frames, tmp_path)
    monkeypatch.setattr(cache, "code_digest", lambda start: "other")
    describe_cached(projection(2), frames, tmp_path)
    assert len(computed) == 2


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: flipped(b)])
def test_a_damaged_entry_is_computed_again(tmp_path, frames, computed, damage):
    expected = describe_cached(projection(2), frames, tmp_path).values
    (entry,) = tmp_path.iterdir()
    entry.write_bytes(damage(entry.read_bytes()))

    for _ in range(2):
        assert np.array_equal(describe_cached(projection(2), frames, tmp_path).values, expected)
    assert len(computed) == 2


def flipped(content):
    place = content.index(b"values.npy") + 300
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
