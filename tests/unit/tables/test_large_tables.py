"""Tables of many rows: their numbers are those of a plain way to make them; a large CSV comes on demand."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import synthetic
from anisweep import tables
from anisweep.row import Row
from anisweep.tables import old_tables
from anisweep.tables.cells import ORDER, column_of


def rows_with_all_kinds() -> list[Row]:
    """Rows whose lists and dictionaries are now the same and now not."""
    rows = synthetic.with_troubles()
    for number, row in enumerate(rows):
        row.walls_s = [0.1 * number, 1 / (number + 1)]
        row.counts = {"contraction": 7} if number % 3 else {}
        row.pools = {"openblas": 1, "numba": number % 2}
    return rows


def plainly(row: Row, sources: dict[str, tables.PackSource]) -> dict[str, Any]:
    """A line of the table, from one row alone."""
    line: dict[str, Any] = {}

    for metric in fields(Row):
        value = getattr(row, metric.name)
        if metric.default_factory is dict:
            line |= {column_of(metric, key): entry for key, entry in value.items()}
        if metric.name == "hypers":
            line["hypers"] = json.dumps(value, sort_keys=True)
        elif metric.default_factory is not dict:
            line[metric.name] = value

    source = sources[row.pack]
    return line | {"artifact": source.artifact, "artifact_sha256": source.sha256}


def same(one: Any, other: Any) -> bool:
    missing = [not isinstance(value, list) and pd.isna(value) for value in (one, other)]
    return all(missing) or (not any(missing) and one == other)


def test_every_entry_of_the_cells_is_that_of_its_row() -> None:
    rows = rows_with_all_kinds()
    sources = synthetic.sources(rows)
    table = tables.cells_table(rows, sources)
    expected = [plainly(row, sources) for row in rows]
    expected.sort(key=lambda line: [line[name] for name in ORDER])

    assert {*table.columns} == {name for line in expected for name in line}
    for line, found in zip(expected, table.to_dict("records"), strict=True):
        for name, value in found.items():
            known = line.get(str(name))
            assert same(value, json.dumps(known) if isinstance(known, (dict, tuple)) else known), name


def test_what_is_made_from_some_columns_is_what_all_of_them_give(tmp_path: Path) -> None:
    rows = rows_with_all_kinds()
    sources = synthetic.sources(rows)
    tables.write_all(rows, sources, tmp_path, ["one that is missing"])
    cells = tables.read(tmp_path, "cells")
    summary = tables.summary_table(cells)

    assert cells.attrs["missing"] == ["one that is missing"]
    pd.testing.assert_frame_equal(tables.read(tmp_path, "summary"), summary, check_exact=True)

    old_tables.write(cells, [synthetic.PLATFORM], tmp_path / "metrics")
    for name in ("timings_local.csv", "summary_local.csv", "combined_from_metrics.csv", "timings.csv"):
        assert (tmp_path / "metrics" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_a_large_csv_is_written_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_with_all_kinds()
    tables.write_cells(rows, synthetic.sources(rows), tmp_path)
    small = (tmp_path / "cells.csv").read_bytes()

    monkeypatch.setattr(tables, "LARGEST_CSV_MB", 0.9 * len(small) / 2**20)
    monkeypatch.setattr(tables, "SAMPLE", 50)
    tables.write_cells(rows, synthetic.sources(rows), tmp_path)
    said = (tmp_path / "cells.csv").read_text()
    assert said.count("\n") == 1
    assert f"{len(rows)} rows" in said
    assert "anisweep tables export" in said

    tables.export(tmp_path)
    assert (tmp_path / "cells.csv").read_bytes() == small


def test_one_asks_for_columns_by_what_their_names_begin_with(tmp_path: Path) -> None:
    rows = synthetic.first_look(replicates=1)
    tables.write_cells(rows, synthetic.sources(rows), tmp_path)
    assert {*tables.read(tmp_path, "cells", ["pool_", "wall_s"])} <= {
        name for name in tables.read(tmp_path, "cells") if name.startswith(("pool_", "wall_s"))
    }
