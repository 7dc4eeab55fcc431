from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from anisweep.tables.statistics import interval, interval_of_times, paired_ratio, smallest_difference


def test_interval_of_known_numbers() -> None:
    """Mean 2, standard deviation 1, t(0.975, 2) = 4.302653: half width 4.302653 / sqrt(3)."""
    found = interval([1.0, 2.0, 3.0])

    assert (found.mean, found.std, found.count) == (2.0, 1.0, 3)
    assert found.high - found.mean == pytest.approx(2.4841377, rel=1e-7)
    assert found.mean - found.low == pytest.approx(2.4841377, rel=1e-7)


def test_no_interval_without_two_values() -> None:
    assert np.isnan(interval([]).mean)
    assert interval([4.0]).mean == 4.0
    assert np.isnan(interval([4.0]).low)


def test_interval_of_scattered_times_stays_above_zero() -> None:
    """Logarithms -1, 0 and 1 (of base e): half width 4.302653 / sqrt(3), as of 1, 2, 3."""
    times = list(np.exp([-1.0, 0.0, 1.0]))
    found = interval_of_times(times)

    assert interval(times).low < 0
    assert np.log([found.low, found.high]) == pytest.approx([-2.4841377, 2.4841377], rel=1e-7)
    assert (found.mean, found.std) == (interval(times).mean, interval(times).std)


def test_interval_of_times_needs_two() -> None:
    assert interval_of_times([]).count == 0
    assert (interval_of_times([4.0]).mean, np.isnan(interval_of_times([4.0]).high)) == (4.0, True)


def test_each_host_counts_once() -> None:
    """Ten packs of one host say less about other hosts than their number suggests."""
    values = [1.0] * 10 + [3.0]
    blocked = interval(values, ["a"] * 10 + ["b"])

    assert blocked.mean == 2.0
    assert blocked.count == 2
    assert blocked.high - blocked.low > interval(values).high - interval(values).low


def test_one_host_is_no_block() -> None:
    values = [1.0, 2.0, 4.0]
    assert interval(values, ["a"] * 3) == interval(values)


def test_intervals_hold_the_truth_in_95_percent() -> None:
    """3,000 studies of three packs; the count of hits is binomial with a standard deviation of 0.4 %."""
    rng = np.random.default_rng(20251)
    studies = [interval(list(rng.normal(1.0, 0.1, 3))) for _ in range(3000)]
    hits = np.mean([study.low <= 1.0 <= study.high for study in studies])

    assert 0.938 <= hits <= 0.962


def test_what_a_host_does_to_both_cancels() -> None:
    rng = np.random.default_rng(4)
    machine = np.exp(rng.normal(0.0, 1.0, 6))
    ratio = paired_ratio(list(2.0 * machine), list(machine))

    assert ratio.value == pytest.approx(2.0, rel=1e-12)
    assert ratio.high == pytest.approx(ratio.low, rel=1e-12)
    assert ratio.verdict == "slower"


def test_ratio_is_geometric() -> None:
    """Twice and half as long is, on the whole, as long."""
    assert paired_ratio([2.0, 0.5], [1.0, 1.0]).value == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(
    ("times", "verdict"),
    [
        ([0.50, 0.51, 0.49], "faster"),
        ([2.00, 2.02, 1.98], "slower"),
        ([1.00, 1.01, 0.99], "no difference"),
        ([0.970, 0.971, 0.969], "no difference"),
        ([0.70, 1.00, 1.40], "inconclusive"),
        ([0.50], "too few packs"),
        ([], "too few packs"),
    ],
)
def test_verdicts(times: list[float], verdict: str) -> None:
    assert paired_ratio(times, [1.0] * len(times)).verdict == verdict


def test_noise_is_rarely_called_a_difference() -> None:
    """With no true difference, at most one study in twenty may claim one."""
    rng = np.random.default_rng(11)
    verdicts = [paired_ratio(list(np.exp(rng.normal(0, 0.1, 3))), [1.0] * 3).verdict for _ in range(2000)]
    claims = np.mean([verdict in ("faster", "slower") for verdict in verdicts])

    assert claims <= 0.065


def test_pairs_must_match() -> None:
    with pytest.raises(ValueError, match="2 times and 1 references"):
        paired_ratio([1.0, 2.0], [1.0])


@pytest.mark.parametrize("count", [2, 3, 10])
def test_smallest_difference_is_found_in_four_of_five_studies(count: int) -> None:
    """20,000 studies with exactly that difference; the standard deviation of the share is 0.3 %."""
    rng = np.random.default_rng(count)
    samples = rng.normal(smallest_difference(1.0, count), 1.0, (20_000, count))
    statistic = samples.mean(axis=1) / samples.std(axis=1, ddof=1) * np.sqrt(count)
    found = np.mean(np.abs(statistic) > stats.t.ppf(0.975, count - 1))

    assert found == pytest.approx(0.8, abs=0.012)


def test_smallest_difference_of_a_textbook() -> None:
    """Ten values and 80 % power find one standard deviation (0.996; Cohen's tables round to 1.0)."""
    assert smallest_difference(1.0, 10) == pytest.approx(0.996, abs=5e-4)
    assert np.isnan(smallest_difference(1.0, 1))
    assert smallest_difference(0.0, 3) == 0.0
