"""The claims of earlier work in the report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from anisweep.analysis import claims
from anisweep.analysis.claims import Line
from anisweep.analysis.claims.text import claimed, figure, ledger_as_text
from anisweep.report.judged_claims import UNJUDGED


@pytest.fixture(scope="module")
def page(results: Path) -> str:
    return (results / "report.html").read_text()


@pytest.fixture(scope="module")
def lines(results: Path) -> list[Line]:
    return claims.read(results / "claims.csv")


def test_they_come_first_after_the_answer(page: str) -> None:
    """Below the first screen of the first study, before anything else that is folded."""
    assert page.index('class="headline"') < page.index('<details id="claims">')
    assert page.index('<details id="claims">') == page.index("<details")
    assert page.count('id="claims"') == 1


def test_the_title_counts_the_verdicts(page: str, lines: list[Line]) -> None:
    title = re.search(r"Claims of earlier work: ([^<]*)", page)
    assert title is not None

    counted = dict(reversed(part.split(" ", 1)) for part in title[1].split(", "))
    verdicts = [line.verdict for line in lines]
    assert counted == {verdict: str(verdicts.count(verdict)) for verdict in set(verdicts)}
    assert {"confirmed", "refuted", "open", "not measurable"} <= set(verdicts)


def test_every_claim_has_a_line(page: str, lines: list[Line]) -> None:
    table = page[
        page.index('<details id="claims">') : page.index("</details>", page.index('<details id="claims">'))
    ]
    rows = re.findall(r'<tr id="claim-(\d+)">(.*?)</tr>', table, flags=re.DOTALL)

    places = [int(number) for number, _ in rows]
    judged = [lines[place].verdict not in UNJUDGED for place in places]
    assert sorted(places) == list(range(len(lines)))
    assert judged == sorted(judged, reverse=True)
    for line, (_, row) in zip([lines[place] for place in places], rows, strict=True):
        assert line.verdict in row
        assert row.count('href="#artifact-') == len(line.artifacts.split())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, ("–", "–")),
        (
            {"value": 1.0, "low": 1.0, "high": 1.0, "claimed_low": 1.0, "claimed_high": 1.0},
            ("1", "exactly 1"),
        ),
        ({"value": 1.3456, "low": 1.2, "high": 1.5, "claimed_low": 2.0}, ("1.35 (1.2 to 1.5)", "at least 2")),
        ({"value": 0.5, "claimed_high": 0.05}, ("0.5", "at most 0.05")),
        ({"value": 17752.0, "claimed_low": 0.66, "claimed_high": 0.77}, ("17,752", "0.66 to 0.77")),
    ],
)
def test_figures_and_ranges_in_words(given: dict[str, float], words: tuple[str, str]) -> None:
    line = Line(**given)  # type: ignore[arg-type]
    assert (figure(line), claimed(line)) == words


def test_the_terminal_shows_row_figure_range_and_verdict(lines: list[Line]) -> None:
    text = ledger_as_text(lines)

    for line in lines:
        assert line.row_says in text
        assert f"{line.verdict:<15}{figure(line)}" in text
        assert f"claimed {claimed(line)}" in text


def test_the_conversion_is_in_the_report(page: str) -> None:
    """torch_mixed takes 1.3 times as long, and 15 % of it is conversion: two thirds of the loss."""
    table = page[page.index("<summary>Is it conversion, or kernels and threads?</summary>") :]
    table = table[: table.index("</details>")]

    assert table.count("torch_mixed") == 8
    assert "of the time it loses" in table
    assert table.count('href="#artifact-') == 3 * len(re.findall(r"torch_(?:mixed|full|batched)\b", table))
