from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import synthetic
from anisweep import tables
from anisweep.row import Row
from anisweep.tables.names import with_names
from anisweep.tables.summary import POINT


def summary_of(rows: list[Row], missing: list[str] | None = None) -> pd.DataFrame:
    return tables.summary_table(tables.cells_table(rows, synthetic.sources(rows), missing or []))


def line_of(summary: pd.DataFrame, dataset: str, mode: str, output: str = "coefficients") -> pd.Series:
    chosen = summary[
        (summary["dataset"] == dataset) & (summary["mode"] == mode) & (summary["output"] == output)
    ]
    assert len(chosen) == 1
    return chosen.iloc[0]


def test_one_line_a_point() -> None:
    summary = summary_of(synthetic.first_look())

    assert len(summary) == 8 * 4
    assert not summary.duplicated(POINT).any()
    assert set(summary["replicates"]) == {3}


def test_numbers_are_those_of_the_rows() -> None:
    rows = synthetic.first_look()
    line = line_of(summary_of(rows), "benzenes", "torch_batched")
    mine = [r for r in rows if (r.dataset, r.mode, r.role) == ("benzenes", "torch_batched", "cell")]
    walls = [r.wall_s for r in mine]

    def reference(pack: str) -> float:
        both = [r.wall_s for r in rows if r.pack == pack and r.role != "cell"]
        assert len(both) == 2
        return float(np.sqrt(both[0] * both[1]))

    expected = np.exp(np.mean([np.log(r.wall_s / reference(r.pack)) for r in mine]))

    assert line["wall_mean_s"] == pytest.approx(np.mean(walls), rel=1e-14)
    assert line["wall_std_s"] == pytest.approx(np.std(walls, ddof=1), rel=1e-12)
    assert line["wall_median_s"] == np.median(walls)
    assert line["ratio"] == pytest.approx(expected, rel=1e-12)
    assert line["ratio_low"] < line["ratio"] < line["ratio_high"] < 1
    assert (line["verdict"], line["reference"]) == ("faster", "numpy_only")


def test_no_time_is_negative() -> None:
    """One of three replicates took twenty times as long."""
    rows = [replace(r, wall_s=20 * r.wall_s) if r.replicate == 1 else r for r in synthetic.first_look()]
    summary = summary_of(rows)

    assert (summary["wall_std_s"] > summary["wall_mean_s"]).all()
    assert (summary["wall_low_s"] > 0).all()
    assert (summary["wall_low_s"] < summary["wall_mean_s"]).all()
    assert (summary["wall_mean_s"] < summary["wall_high_s"]).all()


def test_the_reference_is_not_judged_against_itself() -> None:
    summary = summary_of(
        [replace(r, wall_s=2 * r.wall_s) if r.role == "cell" else r for r in synthetic.first_look()]
    )

    assert set(summary[summary["mode"] == "numpy_only"]["verdict"]) == {"reference"}
    assert "reference" not in set(summary[summary["mode"] != "numpy_only"]["verdict"])


def test_references_belong_to_their_output() -> None:
    """A pack that holds coefficients and power spectrum has references for each."""
    rows = [
        replace(r, wall_s=10.0 * r.wall_s) if r.output == "power_spectrum" else r
        for r in synthetic.first_look(noise=0.0)
    ]
    summary = summary_of(rows)

    assert line_of(summary, "ellipsoids", "numpy_only", "power_spectrum")["ratio"] == pytest.approx(1.0)
    assert line_of(summary, "ellipsoids", "numpy_only")["ratio"] == pytest.approx(1.0)


def test_sites_are_never_averaged() -> None:
    rows = synthetic.first_look()
    there = [replace(r, site="chtc", pack=f"there-{r.pack}", wall_s=2 * r.wall_s) for r in rows]
    summary = summary_of(rows + there)

    assert set(summary["site"]) == {"local", "chtc"}
    assert len(summary) == 2 * 8 * 4
    means = summary.groupby("site")["wall_mean_s"].sum()
    assert means["chtc"] == pytest.approx(2 * means["local"], rel=1e-12)


def test_numbers_of_frames_are_never_averaged() -> None:
    """Nor do their references meet, which one pack may hold."""
    rows = synthetic.first_look()
    tenfold = [
        replace(row, frames=10 * row.frames, wall_s=10 * row.wall_s, key=row.key and row.key[::-1])
        for row in rows
    ]
    both = tables.summary_table(tables.cells_table([*rows, *tenfold], synthetic.sources(rows)))
    ratios = both.groupby([name for name in POINT if name != "frames"])["ratio"].agg(["count", "min", "max"])

    assert not both.duplicated(POINT).any()
    assert set(ratios["count"]) == {2}
    assert ratios["min"].to_numpy() == pytest.approx(ratios["max"].to_numpy(), rel=1e-12)
    systems = set(with_names(both)["system"])
    assert {"benzenes, 2 frames", "benzenes, 20 frames", "one species, 1 frame, power spectrum"} <= systems


def test_only_sound_rows_have_times() -> None:
    summary = summary_of(synthetic.with_troubles())
    wrong = line_of(summary, "four_species", "torch_batched")
    failed = line_of(summary, "benzenes", "torch_mixed")

    assert np.isnan(wrong["wall_mean_s"])
    assert (wrong["statuses"], wrong["max_relative_error"]) == ("3 wrong", 1e-6)
    assert (failed["statuses"], failed["replicates"]) == ("1 failed, 2 ok", 2)


def test_processes_of_a_pack_are_one_replicate() -> None:
    rows = synthetic.first_look()
    again = [replace(r, process=1, key=f"{r.key}-1" if r.key else "") for r in rows]
    line = line_of(summary_of(rows + again), "benzenes", "torch_full")

    assert line["replicates"] == 3
    assert line["ratio_packs"] == 3


def test_a_pack_without_reference_has_no_ratio() -> None:
    rows = [r for r in synthetic.first_look() if r.role == "cell" or r.replicate > 0]
    line = line_of(summary_of(rows), "benzenes", "torch_full")

    assert (line["replicates"], line["ratio_packs"]) == (3, 2)


def test_incomplete_studies_say_so() -> None:
    assert summary_of(synthetic.first_look())["complete"].all()
    assert not summary_of(synthetic.first_look(), ["a cell"])["complete"].any()


def test_code_and_artifacts_are_named() -> None:
    rows = synthetic.first_look()
    rows[1] = replace(rows[1], code="0" * 64)
    line = line_of(summary_of(rows), "ellipsoids", "numpy_only")

    assert len(line["code"].split()) == 2
    assert len(line["artifacts"].split()) == 3
    assert line["hosts"] == "bench-01"


def test_stages_are_medians() -> None:
    rows = synthetic.first_look()
    mine = [r for r in rows if (r.dataset, r.mode, r.role) == ("benzenes", "torch_mixed", "cell")]
    line = line_of(summary_of(rows), "benzenes", "torch_mixed")

    assert line["stage_conv_in_s"] == np.median([r.stages_s["conv_in"] for r in mine])
