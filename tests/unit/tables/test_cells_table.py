from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import synthetic
from anisweep import tables


def test_types_come_from_the_registry() -> None:
    rows = synthetic.first_look(replicates=1)
    cells = tables.cells_table(rows, synthetic.sources(rows))
    found = {name: str(cells[name].dtype) for name in ("mode", "pairs", "wall_s", "elementwise", "walls_s")}

    assert len(cells) == len(rows)
    assert found == {
        "mode": "str",
        "pairs": "Int64",
        "wall_s": "float64",
        "elementwise": "boolean",
        "walls_s": "object",
    }


def test_dictionaries_become_columns() -> None:
    rows = synthetic.first_look(replicates=1)
    cells = tables.cells_table(rows, synthetic.sources(rows))
    mixed = cells[(cells["mode"] == "torch_mixed") & (cells["dataset"] == "benzenes")].iloc[0]
    row = next(r for r in rows if r.key == mixed["key"])

    assert mixed["stage_conv_in_s"] == row.stages_s["conv_in"]
    assert mixed["count_contraction"] == 7 * 3491
    assert mixed["hyper_max_angular"] == 6
    assert mixed["pool_torch"] == 1
    assert json.loads(mixed["hypers"]) == row.hypers


def test_hypers_of_mixed_type_survive_parquet(tmp_path: Path) -> None:
    row = synthetic.first_look(replicates=1)[1]
    radial = [None, 3, (2, 1, 0)]
    rows = [replace(row, hypers=row.hypers | {"max_radial": value}) for value in radial]

    tables.write_cells(rows, synthetic.sources(rows), tmp_path)
    back = tables.read(tmp_path, "cells")["hyper_max_radial"]

    assert sorted(back.dropna()) == ["3", "[2, 1, 0]"]
    assert back.isna().sum() == 1


def test_round_trip(tmp_path: Path) -> None:
    """The order of the rows does not matter, and Parquet gives back types, values and what is missing."""
    rows = synthetic.with_troubles()
    written = tables.cells_table(rows, synthetic.sources(rows), ["a cell"])
    tables.write_cells(rows[::-1], synthetic.sources(rows), tmp_path, ["a cell"])
    back = tables.read(tmp_path, "cells")

    assert back.attrs["missing"] == ["a cell"]
    assert json.loads((tmp_path / "missing.json").read_text()) == ["a cell"]

    lists = ["walls_s", "warnings", "shape"]
    pd.testing.assert_frame_equal(back.drop(columns=lists), written.drop(columns=lists))
    by_key = {row.key: row for row in rows if row.key}
    assert all(
        list(line["walls_s"]) == by_key[line["key"]].walls_s for _, line in back.iterrows() if line["key"]
    )


def test_csv_says_the_same(results: Path) -> None:
    folder = results / "troubled" / "tables"
    text = pd.read_csv(folder / "cells.csv")
    cells = tables.read(folder, "cells")

    assert list(text.columns) == list(cells.columns)
    assert text["wall_s"].to_numpy() == pytest.approx(cells["wall_s"].to_numpy(), rel=1e-15, nan_ok=True)
    assert [json.loads(walls) for walls in text["walls_s"]] == [list(walls) for walls in cells["walls_s"]]


def test_every_row_has_its_artifact() -> None:
    rows = synthetic.first_look(replicates=1)
    sources = synthetic.sources(rows)
    cells = tables.cells_table(rows, sources)

    assert list(cells["artifact"]) == [sources[pack].artifact for pack in cells["pack"]]
    assert list(cells["artifact_sha256"]) == [sources[pack].sha256 for pack in cells["pack"]]

    with pytest.raises(KeyError, match="without their artifact"):
        tables.cells_table(rows, {})


def test_platforms_round_trip(results: Path) -> None:
    found = tables.read_platforms(results / "first_look" / "tables")
    assert len(found) == 18
    assert set(map(repr, found.values())) == {repr(synthetic.PLATFORM)}


def test_a_study_without_rows_gives_all_tables(tmp_path: Path) -> None:
    tables.write_all([], {}, tmp_path, ["everything"])

    assert len(tables.read(tmp_path, "cells")) == 0
    assert "wall_mean_s" in tables.read(tmp_path, "summary").columns
    assert (tmp_path / "timings_local.csv").read_text().startswith("file,mode,rep,N,")
