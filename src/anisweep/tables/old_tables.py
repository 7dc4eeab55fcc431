"""Write the tables of the AniSOAP profiling study, by their old names and columns.

The study is doi:10.5281/zenodo.17519888. Its tables know a file and a mode, and nothing of frames, output,
precision, device, threads or hyperparameters. Where one of these is not the study's (coefficients, fp64,
cpu, 1 thread) it is written behind the mode's name, as in ``torch_full.fp32``, so that an old script never
averages over what differs. Rows that are not ``ok`` have no time. ``N`` is the number of particles in all
frames.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from anisweep.cell import FREE, NOT_PINNED, digest
from anisweep.tables.cells import Platform
from anisweep.tables.old_rows import COLUMNS, SHORT

#: Columns of the cells that these tables are made of.
NEEDED = (
    *("site", "dataset", "frames", "hypers", "mode", "output", "precision", "device", "threads", "role"),
    *("status", "replicate", "particles", "species", "wall_s", "conv_in_s", "conv_out_s", "seconds"),
    *("resident_mb", "blocks_in", "blocks_out"),
)

USUAL = {"output": "coefficients", "precision": "fp64", "device": "cpu", "threads": 1}


def write(cells: pd.DataFrame, platforms: Sequence[Platform], folder: Path) -> None:
    """Write the study's old tables and JSON files.

    These are ``timings_<site>.csv``, ``summary_<site>.csv``, ``timings.csv``, ``combined_from_metrics.csv``,
    ``metrics/<file>.<mode>.metrics.json`` and ``env_report.json``.

    The two tables of the site ``local`` are there in any case, if need be with their heads alone. The
    timings of every other site have the columns that the study gave to those of its cluster.
    """
    rows = old_rows(cells)

    for site in sorted({"local", *rows["site"]}):
        here = rows[rows["site"] == site]
        timings = timings_table(here) if site == "local" else short_table(here)
        timings.to_csv(folder / f"timings_{site}.csv", index=False)
        summary_of_timings(here).to_csv(folder / f"summary_{site}.csv", index=False)

    timed = rows.dropna(subset=["wall_s"])
    numbered = timed.assign(id=range(len(timed)))
    numbered[["id", "file", "mode", "wall_s"]].to_csv(folder / "timings.csv", index=False, header=False)

    short_table(timed).to_csv(folder / "combined_from_metrics.csv", index=False)

    _write_metrics(rows, folder / "metrics")
    report = json.dumps(env_report(platforms), indent=1) + "\n"
    (folder / "env_report.json").write_text(report)


def old_rows(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells with the old columns; times only where the row is ``ok``."""
    rows = cells[cells["role"] == "cell"].reset_index(drop=True)
    ok = rows["status"] == "ok"
    several_hypers = rows["hypers"].nunique() > 1
    several_frames = rows.groupby("dataset")["frames"].transform("nunique") > 1

    wall = rows["wall_s"].where(ok)
    conversion = rows["conv_in_s"].fillna(0.0) + rows["conv_out_s"].fillna(0.0)

    return rows.assign(
        file=rows["dataset"] + ".xyz",
        mode=_old_modes(rows, several_hypers, several_frames),
        rep=rows["replicate"],
        N=rows["particles"],
        species_unique=rows["species"],
        wall_s=wall,
        compute_s=wall - conversion,
        time_per_N2=wall / rows["particles"].astype("float64") ** 2,
    )


def _old_modes(rows: pd.DataFrame, several_hypers: bool, several_frames: pd.Series[bool]) -> list[str]:
    """Return the old name of each row's mode; rows that say the same of it are named once."""
    told = rows[["mode", *USUAL, "frames", "hypers"]].assign(several_frames=several_frames)
    distinct = told.drop_duplicates()
    names = [_old_mode(row, several_hypers, row["several_frames"]) for _, row in distinct.iterrows()]
    columns = list(told.columns)
    return list(told.merge(distinct.assign(old_name=names), on=columns, how="left")["old_name"])


def _old_mode(row: pd.Series[Any], several_hypers: bool, several_frames: bool) -> str:
    unusual = [f"{row[name]}" for name, usual in USUAL.items() if row[name] != usual]
    unusual = [FREE if text == str(NOT_PINNED) else text for text in unusual]

    if several_frames:
        unusual.append(f"{row['frames']}frames")

    if several_hypers:
        unusual.append(digest(row["hypers"])[:6])
    return ".".join([row["mode"], *unusual])


def timings_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Make a table with one line a row: time, its parts, and time / N^2, all in seconds."""
    return rows[COLUMNS["timings_local"]].dropna(subset=["wall_s"])


def short_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Make a table with one line a row: time and size."""
    named = rows.rename(columns={"species_unique": "species", "species": "species_measured"})
    return named[SHORT].dropna(subset=["wall_s"])


def summary_of_timings(rows: pd.DataFrame) -> pd.DataFrame:
    """Make a table with one line a file and mode of one site: mean and standard deviation (ddof 1)."""
    timed = rows.dropna(subset=["wall_s"])

    return timed.groupby(["file", "mode"], as_index=False).agg(
        N=("N", "first"),
        species=("species_unique", "first"),
        runs=("wall_s", "size"),
        wall_mean=("wall_s", "mean"),
        wall_std=("wall_s", "std"),
        tN2_mean=("time_per_N2", "mean"),
        conv_in_mean=("conv_in_s", "mean"),
        conv_out_mean=("conv_out_s", "mean"),
    )


def _write_metrics(rows: pd.DataFrame, folder: Path) -> None:
    """Write one file for each data set and mode."""
    folder.mkdir(exist_ok=True)

    for stale in folder.glob("*.metrics.json"):
        stale.unlink()

    for (site, file, mode), group in rows.groupby(["site", "file", "mode"]):
        megabytes = group["resident_mb"].max()
        metrics = {
            "xyz": file,
            "mode": mode,
            "returncode": int((group["status"] != "ok").any()),
            "elapsed_s": float(group["seconds"].sum()),
            "max_rss_kb": None if pd.isna(megabytes) else round(float(megabytes) * 1024),
            "inblock": int(group["blocks_in"].fillna(0).sum()),
            "oublock": int(group["blocks_out"].fillna(0).sum()),
        }
        stem = f"{file}.{mode}" if site == "local" else f"{file}.{mode}.{site}"
        (folder / f"{stem}.metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")


def env_report(platforms: Sequence[Platform]) -> dict[str, Any]:
    """Return the old keys, of the first platform; below ``platforms`` everything known of each."""
    first = platforms[0] if platforms else Platform(host="")

    return {
        "python": first.python,
        "pytorch": first.packages.get("torch"),
        "cuda_available": any(device.startswith("cuda") for device in first.devices),
        "cuda_version": first.cuda_version,
        "cudnn": first.cudnn,
        "devices": list(first.devices),
        "platforms": [asdict(platform) for platform in platforms],
    }
