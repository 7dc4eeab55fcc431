from __future__ import annotations

from pathlib import Path

import pytest

import synthetic
from anisweep import report, tables
from anisweep.report.disturbance import disturbance

LOAD = "load average 3.1 before the start on 2 CPUs: others were computing. `top` shows who."
SPREAD = "repetitions spread over 31 % of their median: small differences are lost in that."


def said_of(warnings: list[str], every: int) -> str:
    """With these warnings on one row out of ``every``."""
    rows = synthetic.first_look()
    for row in rows[::every]:
        row.warnings.extend(warnings)
    return disturbance(tables.cells_table(rows, synthetic.sources(rows)))


def test_many_warnings_are_told() -> None:
    assert said_of([SPREAD, LOAD], 2) == (
        "Other programs disturbed this run: 72 of 144 rows carry warnings (load, spread). "
        "Repeat it on an idle machine before trusting small differences."
    )


def test_only_load_is_the_work_of_other_programs() -> None:
    said = said_of([SPREAD], 1)

    assert said.startswith("Something disturbed this run: 144 of 144 rows carry warnings (spread).")


@pytest.mark.parametrize(("warnings", "every"), [([LOAD], 3), ([], 1), (["nothing to compare with"], 1)])
def test_few_warnings_are_not(warnings: list[str], every: int) -> None:
    assert said_of(warnings, every) == ""


def test_page_and_terminal_tell_it(tmp_path: Path) -> None:
    rows = synthetic.first_look()
    for row in rows:
        row.warnings.append(LOAD)

    tables.write_all(rows, synthetic.sources(rows), tmp_path / "tables")
    report.write(
        [report.Study("loud", "How loud?", tmp_path / "tables", tmp_path / "figures")],
        tmp_path / "report.html",
    )
    answer, line = report.answer_of(tmp_path / "tables").split("\n")

    assert line.startswith("Other programs disturbed this run: 144 of 144 rows")
    assert f'<p class="disturbed">{line}</p>' in (tmp_path / "report.html").read_text()
    assert answer.startswith("Published AniSOAP takes")
