"""The old names and columns, as the study's scripts read them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import synthetic
from anisweep import tables

TIMINGS = "file,mode,rep,N,species_unique,wall_s,compute_s,conv_in_s,conv_out_s,time_per_N2"
SUMMARY = "file,mode,N,species,runs,wall_mean,wall_std,tN2_mean,conv_in_mean,conv_out_mean"
COMBINED = "file,mode,wall_s,N,species"


@pytest.fixture(scope="module")
def folder(results: Path) -> Path:
    return results / "first_look" / "tables"


@pytest.mark.parametrize(
    ("name", "columns"),
    [("timings_local", TIMINGS), ("summary_local", SUMMARY), ("combined_from_metrics", COMBINED)],
)
def test_columns(folder: Path, name: str, columns: str) -> None:
    assert (folder / f"{name}.csv").read_text().splitlines()[0] == columns


def test_timings(folder: Path) -> None:
    timings = pd.read_csv(folder / "timings_local.csv")
    chosen = (timings["file"] == "one_species.xyz") & (timings["mode"] == "torch_mixed")
    line = timings[chosen & (timings["rep"] == 2)].iloc[0]

    assert len(timings) == 3 * 32
    assert (line["N"], line["species_unique"]) == (24, 1)
    assert line["compute_s"] == pytest.approx(line["wall_s"] - line["conv_in_s"] - line["conv_out_s"])
    assert line["time_per_N2"] == pytest.approx(line["wall_s"] / 24**2)


def test_summary_is_that_of_the_timings(folder: Path) -> None:
    timings = pd.read_csv(folder / "timings_local.csv")
    summary = pd.read_csv(folder / "summary_local.csv").set_index(["file", "mode"])
    walls = timings.groupby(["file", "mode"])["wall_s"]

    assert set(summary["runs"]) == {3}
    assert (summary["wall_mean"] - walls.mean()).abs().max() <= 1e-15
    assert (summary["wall_std"] - walls.std(ddof=1)).abs().max() <= 1e-15


def test_timings_without_a_head(folder: Path) -> None:
    lines = (folder / "timings.csv").read_text().splitlines()
    number, file, mode, seconds = lines[0].split(",")

    assert len(lines) == 96
    assert (number, file[-4:], mode) == ("0", ".xyz", "numpy_only")
    assert float(seconds) > 0


def test_metrics_of_each_file_and_mode(folder: Path) -> None:
    metrics = json.loads((folder / "metrics" / "benzenes.xyz.torch_full.metrics.json").read_text())

    assert list(metrics) == ["xyz", "mode", "returncode", "elapsed_s", "max_rss_kb", "inblock", "oublock"]
    assert (metrics["xyz"], metrics["mode"], metrics["returncode"]) == ("benzenes.xyz", "torch_full", 0)
    assert (metrics["inblock"], metrics["oublock"], metrics["max_rss_kb"]) == (0, 3 * 8, 700 * 1024)


def test_a_failure_has_a_return_code_and_no_time(results: Path) -> None:
    folder = results / "troubled" / "tables"
    metrics = json.loads((folder / "metrics" / "two_species.xyz.torch_full.metrics.json").read_text())
    timings = pd.read_csv(folder / "timings_local.csv")

    assert metrics["returncode"] == 1
    assert not ((timings["file"] == "two_species.xyz") & (timings["mode"] == "torch_full")).any()
    assert not ((timings["file"] == "four_species.xyz") & (timings["mode"] == "torch_batched")).any()


def test_what_differs_is_never_averaged(tmp_path: Path) -> None:
    """The old tables know no precision and no output: they become part of the mode's name."""
    rows = synthetic.first_look(replicates=1)
    single = [replace(r, precision="fp32", pack=f"single-{r.pack}") for r in rows]
    tables.write_all(rows + single, synthetic.sources(rows + single), tmp_path)
    summary = pd.read_csv(tmp_path / "summary_local.csv")
    modes = set(summary.loc[summary["file"] == "ellipsoids.xyz", "mode"])

    assert set(summary["runs"]) == {1}
    assert {"torch_full", "torch_full.fp32", "torch_full.power_spectrum.fp32"} <= modes


def test_each_site_has_its_own_tables(tmp_path: Path) -> None:
    rows = [replace(r, site="chtc") for r in synthetic.first_look(replicates=1)]
    tables.write_all(rows, synthetic.sources(rows), tmp_path)

    timings = pd.read_csv(tmp_path / "timings_chtc.csv")
    assert ",".join(timings.columns) == COMBINED
    assert len(timings) == 32
    assert len(pd.read_csv(tmp_path / "timings_local.csv")) == 0


def test_environment(folder: Path) -> None:
    report = json.loads((folder / "env_report.json").read_text())

    assert list(report)[:6] == ["python", "pytorch", "cuda_available", "cuda_version", "cudnn", "devices"]
    assert (report["python"], report["pytorch"], report["cuda_available"]) == ("3.11.2", "2.9.1", False)
    assert len(report["platforms"]) == 1
