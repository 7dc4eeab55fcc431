"""A page of many rows: the first ones are shown, the others are counted, and every link leads somewhere."""

import re
from pathlib import Path

import pytest

import synthetic
from anisweep import report, tables
from anisweep.report import provenance, sections
from anisweep.report.model import Table, Value
from anisweep.report.sections import _entries

ROWS = 6
LINKS = 2


def page_of(folder: Path) -> str:
    rows = synthetic.first_look(replicates=4)
    tables.write_all(rows, synthetic.sources(rows), folder / "tables", [f"cell {k}" for k in range(1200)])
    study = report.Study("first_look", "How long?", folder / "tables", folder / "figures")
    report.write([study], folder / "report.html")
    return (folder / "report.html").read_text()


def test_what_is_folded_is_counted_and_every_link_leads_somewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (_entries, sections, provenance):
        monkeypatch.setattr(module, "MOST_ROWS", ROWS)
    monkeypatch.setattr(_entries, "MOST_LINKS", LINKS)
    page = page_of(tmp_path)

    targets = set(re.findall(r'href="#([^"]+)"', page))
    ids = re.findall(r' id="([^"]+)"', page)
    assert targets <= {*ids}
    assert f"The first {ROWS} of 32" in page  # all times
    assert "and 2 more</a>" in page  # of four artifacts
    assert re.search(r"\d+ of 24, those that numbers above lead to", page)
    assert "and 700 more, in tables/missing.json" in page
    assert page.count("<tr") < 250


def test_a_page_of_few_rows_shows_all(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    assert "The first" not in page.replace("The first screen", "")
    assert "more</a>" not in page
    assert page.count(' id="artifact-') == 24


def test_a_folded_table_keeps_its_words() -> None:
    table = Table("t", ["a"], [[Value(str(k))] for k in range(501)], [f"r{k}" for k in range(501)], "Mind.")
    folded = sections.folded(table)

    assert (len(folded.rows), len(folded.ids)) == (500, 500)
    assert folded.note.startswith("The first 500 of 501")
    assert folded.note.endswith("Mind.")
