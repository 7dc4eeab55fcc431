"""What the verdicts are worth: studies whose truth is known, with 10 % noise, simulated by the thousand.

Each pack gives a time of each of two modes. Both carry noise of their own, so that the ratio of one pack has
a standard deviation of 10 %; what the machine does to both is five times as large, and cancels. A share p of
n studies is known to sqrt(p (1 - p) / n), and three of these are allowed for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import synthetic
from anisweep import report, tables
from anisweep.analysis.compare import compare
from anisweep.tables.statistics import Ratio, paired_ratio, unpaired_ratio

NOISE = 0.10
STUDIES = 10_000

Measure = Callable[[np.random.Generator, int, float], Ratio]


def within_packs(rng: np.random.Generator, packs: int, ratio: float) -> Ratio:
    machine = rng.normal(0.0, 0.5, packs)
    times, references = (machine + rng.normal(0.0, NOISE / np.sqrt(2), packs) for _ in range(2))
    return paired_ratio(list(ratio * np.exp(times)), list(np.exp(references)))


def on_hosts_of_their_own(rng: np.random.Generator, packs: int, ratio: float) -> Ratio:
    times = rng.normal(0.0, NOISE, packs)
    hosts = [f"host-{k}" for k in range(packs)]
    return paired_ratio(list(ratio * np.exp(times)), [1.0] * packs, hosts)


def in_different_packs(rng: np.random.Generator, packs: int, ratio: float) -> Ratio:
    times, others = (rng.normal(0.0, NOISE / np.sqrt(2), packs) for _ in range(2))
    return unpaired_ratio(list(ratio * np.exp(times)), list(np.exp(others)))


DESIGNS = [within_packs, on_hosts_of_their_own, in_different_packs]


def shares(measure: Measure, packs: int, ratio: float) -> dict[str, float]:
    """How often each verdict is given."""
    rng = np.random.default_rng([packs, round(1000 * ratio)])
    verdicts = Counter(measure(rng, packs, ratio).verdict for _ in range(STUDIES))
    return {verdict: count / STUDIES for verdict, count in verdicts.items()}


def three_sigma(share: float) -> float:
    return 3 * float(np.sqrt(share * (1 - share) / STUDIES))


@pytest.mark.parametrize("measure", DESIGNS)
@pytest.mark.parametrize(("ratio", "verdict"), [(1.2, "slower"), (0.8, "faster")])
def test_eight_packs_find_20_percent_in_nine_of_ten_studies(
    measure: Measure, ratio: float, verdict: str
) -> None:
    assert shares(measure, 8, ratio)[verdict] >= 0.90


@pytest.mark.parametrize("measure", DESIGNS)
@pytest.mark.parametrize("packs", [2, 3, 8, 30])
def test_no_difference_is_called_one_in_at_most_one_of_twenty(measure: Measure, packs: int) -> None:
    found = shares(measure, packs, 1.0)
    assert found.get("faster", 0.0) + found.get("slower", 0.0) <= 0.05 + three_sigma(0.05)


@pytest.mark.parametrize("measure", DESIGNS)
def test_three_percent_in_eight_packs_is_inconclusive(measure: Measure) -> None:
    """As a rule: the interval is 8 % wide to each side, and the margin of equivalence is 5 %."""
    found = shares(measure, 8, 1.03)

    assert found["inconclusive"] >= 0.80
    assert found.get("no difference", 0.0) <= 0.05


@pytest.mark.parametrize("measure", DESIGNS)
@pytest.mark.parametrize("packs", [3, 8])
def test_the_smallest_difference_is_found_in_four_of_five_studies(measure: Measure, packs: int) -> None:
    """That of the true noise; what a study reports rests on its own estimate of it."""
    rng = np.random.default_rng(packs)
    logs = [np.log(measure(rng, packs, 1.0).detectable) for _ in range(2000)]
    typical = float(np.sqrt(np.mean(np.square(logs))))  # the estimates of a variance are right on average
    found = shares(measure, packs, float(np.exp(typical)))

    assert found["slower"] == pytest.approx(0.80, abs=0.03)


def test_with_three_packs_the_report_states_what_it_could_have_seen(tmp_path: Path) -> None:
    """Each line with a ratio has the smallest difference, and it is that of its own noise."""
    rows = synthetic.first_look(replicates=3, noise=NOISE)
    tables.write_all(rows, synthetic.sources(rows), tmp_path / "tables")
    report.write(
        [report.Study("noisy", "How noisy?", tmp_path / "tables", tmp_path / "figures")],
        tmp_path / "report.html",
    )

    page = (tmp_path / "report.html").read_text()
    lines = re.findall(r'<tr id="noisy-point-\d+">(.*?)</tr>', page, flags=re.DOTALL)
    summary = tables.read(tmp_path / "tables", "summary")

    assert len(lines) == len(summary) == 8 * 4
    for line, stated in zip(lines, summary["ratio_detectable"], strict=True):
        assert stated > 1
        assert f'data-sort="{stated}"' in line


@pytest.mark.parametrize("replicates", [3, 8])
def test_the_summary_and_the_comparison_agree(replicates: int) -> None:
    """Rows with 10 % noise, through the tables."""
    rows = synthetic.first_look(replicates=replicates, noise=NOISE)
    cells = tables.cells_table(rows, synthetic.sources(rows))
    summary = tables.summary_table(cells)
    of_summary = summary[summary["mode"] == "torch_batched"]
    compared = compare(cells, "mode", "torch_batched", "numpy_only")

    assert sorted(of_summary["ratio"]) == pytest.approx(
        sorted(each.ratio.value for each in compared), rel=1e-12
    )
    assert set(of_summary["verdict"]) == {"faster"}
