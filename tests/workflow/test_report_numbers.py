"""Random numbers of the report, followed by their links to the artifacts and recomputed from these."""

from __future__ import annotations

import secrets
import statistics

import pytest

from clone import Clone
from numbers_of_a_report import (
    OTHERS,
    Line,
    Page,
    Rows,
    drawn,
    known,
    numbers,
    per_pack,
    recompute,
    rows_behind,
)

#: So many numbers are taken.
NUMBERS = 20


@pytest.fixture(scope="module")
def lines(measured: Clone) -> list[Line]:
    page = Page((measured.root / "results" / "report.html").read_text())
    return [line for line in page.lines if line.cells]


def test_random_numbers_are_those_of_the_artifacts(lines: list[Line], measured: Clone) -> None:
    seed = secrets.randbelow(10**6)

    for line, head, shown in drawn(lines, NUMBERS, seed):
        rows = rows_behind(line, lines, measured.root / "results")
        found = recompute(line, head, rows)
        assert shown == pytest.approx(found, rel=1e-12), f"seed {seed}: {line.table}, {head}, {line.cells}"


def test_no_number_is_left_out(lines: list[Line]) -> None:
    """What the page shows can be drawn, or is known to have a test of its own."""
    assert [column for column in numbers(lines) if not known(*column) and column not in OTHERS] == []


def test_the_first_screen_shows_the_same_times(lines: list[Line], measured: Clone) -> None:
    """Its modes are its columns."""
    first = [line for line in lines if line.table == "Wall time"]
    assert len(first) == 2

    for line in first:
        for mode in ("numpy_only", "fused_cpu"):
            cell = line.cells[line.heads.index(mode)]
            rows = rows_behind(Line("", [], cells=[cell]), lines, measured.root / "results")
            system = line.text("system").replace(" ", "_")
            mine = [row for row in rows if (row["dataset"], row["mode"]) == (system, mode)]

            assert float(cell.sort or "nan") == pytest.approx(
                statistics.mean(per_pack(mine).values()), rel=1e-12
            )


def test_claims_rest_on_their_artifacts(lines: list[Line], measured: Clone) -> None:
    """Extremes and shares of rows, recomputed."""
    claims = {line.text("claim"): line for line in lines if line.id.startswith("claim-")}
    published = ("numpy_only", "torch_mixed", "torch_full")

    def measured_of(words: str) -> tuple[float, Rows]:
        line = claims[words]
        rows = rows_behind(line, lines, measured.root / "results")
        return float(line.cells[line.heads.index("measured")].sort or "nan"), rows

    share, rows = measured_of("executed mode == requested mode in 100 % of rows")
    asked = [row for row in rows if row["mode"] in published]
    assert share == sum(row["mode_executed"].endswith(row["mode"]) for row in asked) / len(asked) == 1

    share, rows = measured_of("the real pools equal the request in every row that pins them")
    assert share == sum(set(row["pools"].values()) == {row["threads"]} for row in rows) / len(rows) == 1

    worst, rows = measured_of("stages sum to at least 95 % of the wall time (the rest is at most 5 %)")
    parts = [row["unaccounted_s"] / row["traced_wall_s"] for row in rows if row["role"] == "cell"]
    assert worst == pytest.approx(max(parts), rel=1e-12)

    calls, rows = measured_of(
        "the call-count law holds exactly in every row of the modes that contract pair by pair"
    )
    counted = [row for row in rows if row["mode"] in published and row["role"] == "cell"]
    law = [3 * row["pairs"] + 3 * row["species"] ** 2 for row in counted]  # lmax 2, coefficients
    assert [row["counts"]["contraction"] for row in counted] == law
    assert calls == 1
