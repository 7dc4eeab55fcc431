"""Compute means, paired ratios, intervals and verdicts.

A time on one machine is compared with the reference's time in the same pack, so that what the machine did to
both cancels. The logarithms of these ratios, one a pack, give the ratio over packs and its interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

CONFIDENCE = 0.95
POWER = 0.80

#: Ratios within this of 1 are no difference that matters: where a process happens to put its code and its
#: arrays in memory changes a time by as much.
MARGIN = 0.05

Verdict = Literal["faster", "slower", "no difference", "inconclusive", "too few packs"]


@dataclass(frozen=True)
class Interval:
    """Hold a mean and its 95 % confidence interval; NaN where it cannot be known.

    Attributes
    ----------
    mean, low, high : in the unit of the values
    std : standard deviation of the values (ddof 1)
    count : independent values it rests on
    """

    mean: float
    low: float
    high: float
    std: float
    count: int


def interval(values: Sequence[float], hosts: Sequence[str] | None = None) -> Interval:
    """Return Student's t interval of the mean.

    Parameters
    ----------
    values : one number a pack
    hosts : host of each value. When there is more than one host, hosts are blocks: values of one host
        share what is particular to it, so each host counts once, with the mean of its values.
    """
    sample = _one_value_per_block(np.asarray(values, dtype=float), hosts)
    count = len(sample)

    if count == 0:
        return Interval(np.nan, np.nan, np.nan, np.nan, 0)

    mean = float(np.mean(sample))

    if count == 1:
        return Interval(mean, np.nan, np.nan, np.nan, 1)

    std = float(np.std(sample, ddof=1))
    half_width = _critical(count - 1) * std / float(np.sqrt(count))
    return Interval(mean, mean - half_width, mean + half_width, std, count)


def interval_of_times(times: Sequence[float], hosts: Sequence[str] | None = None) -> Interval:
    """Return mean and standard deviation of times, with Student's t interval on their logarithms.

    What disturbs a time multiplies it, and no time is negative. So the interval is that of the geometric
    mean; of few, scattered times it is wide, but its lower end stays above zero.

    Parameters
    ----------
    times : one positive number a pack
    hosts : host of each time; see `interval`
    """
    logs = interval(list(np.log(np.asarray(times, dtype=float))), hosts)
    return replace(interval(times, hosts), low=float(np.exp(logs.low)), high=float(np.exp(logs.high)))


def _one_value_per_block(values: np.ndarray, hosts: Sequence[str] | None) -> np.ndarray:
    names = sorted(set(hosts or ()))

    if len(names) < 2:
        return values

    labels = np.asarray(hosts)
    return np.array([values[labels == name].mean() for name in names])


def _critical(freedom: float) -> float:
    """Return half the width of Student's interval in standard errors.

    ``stats.t`` takes a hundred times as long.
    """
    from scipy import special  # not stats, whose import takes half a second

    return float(special.stdtrit(freedom, 0.5 + CONFIDENCE / 2))


@dataclass(frozen=True)
class Ratio:
    """Hold a ratio of two times over packs: of a mode and its reference, or of two things compared.

    Attributes
    ----------
    value, low, high : geometric mean over packs and its 95 % interval
    packs : pairs it rests on; of unpaired times the smaller number
    detectable : ratio (> 1) of the smallest difference that these data would have shown in 4 of 5 studies
    """

    value: float
    low: float
    high: float
    packs: int
    detectable: float

    @property
    def verdict(self) -> Verdict:
        """Say which of the two is faster.

        An interval within 5 % of 1 is no difference, even if it leaves out 1.
        """
        if not np.isfinite(self.low):
            return "too few packs"

        if self.low >= 1 - MARGIN and self.high <= 1 + MARGIN:
            return "no difference"

        if self.high < 1:
            return "faster"

        if self.low > 1:
            return "slower"

        return "inconclusive"


def paired_ratio(
    times: Sequence[float], references: Sequence[float], hosts: Sequence[str] | None = None
) -> Ratio:
    """Return the ratio of times to the reference's, paired within packs.

    Parameters
    ----------
    times, references : one positive number a pack, in the same unit
    hosts : host of each pack; see `interval`
    """
    if len(times) != len(references):
        raise ValueError(f"{len(times)} times and {len(references)} references: a pair needs one of each")

    logs = np.log(np.asarray(times, dtype=float)) - np.log(np.asarray(references, dtype=float))
    over_packs = interval(list(logs), hosts)

    return Ratio(
        value=float(np.exp(over_packs.mean)),
        low=float(np.exp(over_packs.low)),
        high=float(np.exp(over_packs.high)),
        packs=len(logs),
        detectable=float(np.exp(smallest_difference(over_packs.std, over_packs.count))),
    )


def unpaired_ratio(
    times: Sequence[float],
    others: Sequence[float],
    hosts: Sequence[str] | None = None,
    other_hosts: Sequence[str] | None = None,
) -> Ratio:
    """Return the ratio of two sets of times that share no pack, by Welch's t interval on their logarithms.

    Parameters
    ----------
    times, others : one positive number a pack, in the same unit; as many as there are
    hosts, other_hosts : host of each; see `interval`
    """
    one = interval(list(np.log(np.asarray(times, dtype=float))), hosts)
    other = interval(list(np.log(np.asarray(others, dtype=float))), other_hosts)
    packs = min(len(times), len(others))
    difference = one.mean - other.mean

    if min(one.count, other.count) < 2:
        nan = float("nan")
        return Ratio(float(np.exp(difference)), nan, nan, packs, nan)

    error, freedom = _welch(one, other)
    half_width = _critical(freedom) * error

    return Ratio(
        value=float(np.exp(difference)),
        low=float(np.exp(difference - half_width)),
        high=float(np.exp(difference + half_width)),
        packs=packs,
        # Rounded down, so that few values are computed; less freedom sees less: the safe side.
        detectable=float(np.exp(_detectable_shift(np.floor(10 * freedom) / 10) * error)),
    )


def _welch(one: Interval, other: Interval) -> tuple[float, float]:
    """Return the standard error of the difference of two means, and its degrees of freedom.

    The formulas are those of Welch and Satterthwaite.
    """
    parts = [one.std**2 / one.count, other.std**2 / other.count]
    total = sum(parts)
    if total == 0:
        return 0.0, float(one.count + other.count - 2)

    spread = sum(part**2 / (each.count - 1) for part, each in zip(parts, (one, other), strict=True))
    return float(np.sqrt(total)), total**2 / spread


def smallest_difference(std: float, count: int) -> float:
    """Return the smallest true mean that a two-sided one-sample t test finds with 80 % power.

    Parameters
    ----------
    std : standard deviation of the values (ddof 1)
    count : number of values; with fewer than two the answer is NaN

    Notes
    -----
    For a true mean of d = shift std / sqrt(count), and s the sample's own standard deviation over the true
    one (s^2 is chi-squared / freedom), the test finds it with probability
    Phi(shift - c s) + Phi(-shift - c s), averaged over s; c is the critical value of Student's t.
    SciPy's noncentral t is NaN at two packs.
    """
    if count < 2 or not np.isfinite(std):
        return float("nan")
    return _detectable_shift(float(count - 1)) * std / float(np.sqrt(count))


@cache
def _detectable_shift(freedom: float) -> float:
    from scipy import optimize, special  # here, since most tables need no such shift

    critical = _critical(freedom)
    quantiles = (np.arange(2000) + 0.5) / 2000
    thresholds = critical * np.sqrt(2 * special.gammaincinv(freedom / 2, quantiles) / freedom)

    def lack_of_power(shift: float) -> float:
        found = special.ndtr(shift - thresholds) + special.ndtr(-shift - thresholds)
        return float(found.mean()) - POWER

    return float(optimize.brentq(lack_of_power, 0.0, thresholds.max() + 5.0))
