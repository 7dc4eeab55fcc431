"""Make the summary table: one line for each point of the study, over its replicates.

Sites are never averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from anisweep.cell import NOT_PINNED
from anisweep.row import metric
from anisweep.tables.cells import dtypes_of
from anisweep.tables.statistics import interval_of_times, paired_ratio

#: What is computed, and how. Together they make a point: lines that differ in any of it are never averaged.
PROBLEM = ["site", "dataset", "frames", "output", "hypers"]
WAY = ["mode", "precision", "device", "threads"]
POINT = [*PROBLEM, *WAY]


#: Columns of the cells that a summary is made of, or what their names begin with.
SUMMARISED = (
    *POINT,
    *("role", "pack", "host", "status", "reason", "wall_s", "max_relative_error", "bound", "stage_"),
    *("conv_in_s", "conv_out_s", "unaccounted_s", "traced_wall_s", "peak_memory_mb", "code", "artifact"),
    *("environment", "particles", "species", "pairs", "features"),
)


@dataclass
class SummaryLine:
    """Summarise one point of a study over its replicates; times and ratios rest on rows that are ``ok``."""

    site: str = metric("where it was measured", default="")
    dataset: str = metric("name of the data set", default="")
    frames: int = metric("frames of it that were used", default=0)
    output: str = metric("coefficients, power_spectrum, or the name of a task", default="")
    hypers: str = metric("hyperparameters, as canonical JSON", default="")
    mode: str = metric("mode", default="")
    precision: str = metric("floating-point format", default="")
    device: str = metric("cpu, cuda or mps", default="")
    threads: int = metric("threads that every pool was pinned to; 0: not pinned", default=1)
    reference: str = metric("reference mode of the ratios and of the fidelity", default="")

    particles: int | None = metric("particles in all frames")
    species: int | None = metric("number of species")
    pairs: int | None = metric("neighbour pairs within the cutoff")
    features: int | None = metric("numbers in the result")

    statuses: str = metric("how many rows have which status", default="")
    reason: str = metric("why a row is not ok; the first where several say several", default="")
    replicates: int = metric("replicates with a time", default=0)
    hosts: str = metric("hosts, in alphabetical order", default="")

    wall_mean_s: float | None = metric("mean over replicates of the wall time of one call", "s")
    wall_std_s: float | None = metric(
        "its standard deviation (ddof 1) over replicates, or hosts if several", "s"
    )
    wall_median_s: float | None = metric("median over replicates", "s")
    wall_low_s: float | None = metric(
        "lower end of the 95 % interval over replicates (of their logarithms, so it is never negative)", "s"
    )
    wall_high_s: float | None = metric("upper end of that interval", "s")

    ratio: float | None = metric("time / time of the reference in the same pack, geometric mean over packs")
    ratio_low: float | None = metric("lower end of its 95 % interval")
    ratio_high: float | None = metric("upper end of its 95 % interval")
    ratio_packs: int = metric("packs that the ratio rests on", default=0)
    ratio_detectable: float | None = metric("smallest ratio above 1 that was to be found with 80 % power")
    verdict: str = metric(
        "faster, slower, no difference, inconclusive, too few packs; `reference` in its own line",
        default="",
    )

    max_relative_error: float | None = metric("worst max |difference| / max |reference| of any row")
    bound: float | None = metric("largest max_relative_error that counts as right")
    conv_in_s: float | None = metric("conversion from NumPy, median over rows", "s")
    conv_out_s: float | None = metric("conversion back, median over rows", "s")
    unaccounted_s: float | None = metric("traced wall time that no stage claims, median over rows", "s")
    traced_wall_s: float | None = metric("wall time of the call with clocks in it, median over rows", "s")
    peak_memory_mb: float | None = metric("largest growth of resident memory of any row", "MB")

    code: str = metric("digest of the mode's code; several if it changed in between", default="")
    environment: str = metric("digest of the environment; several if it changed in between", default="")
    artifacts: str = metric("artifacts that the line rests on", default="")
    complete: bool = metric("whether the study misses no cell", default=True)


def summary_table(cells: pd.DataFrame) -> pd.DataFrame:
    """Make a table with one line a point: time with its interval, ratio to the reference, fidelity, origin.

    Parameters
    ----------
    cells : what `cells_table` gives

    Returns
    -------
    pandas.DataFrame
        the columns of `SummaryLine`, then the median of each ``stage_<name>_s``. Data sets are sorted by
        pairs and species; within a data set the reference comes first.
    """
    measured = cells[cells["role"] == "cell"].merge(reference_times(cells), on=["pack", *PROBLEM], how="left")
    complete = not cells.attrs.get("missing")
    stages = [name for name in cells.columns if name.startswith("stage_")]

    lines: list[dict[str, Any]] = []
    for point, rows in measured.groupby(POINT, sort=True):
        identity: dict[str, Any] = dict(zip(POINT, point, strict=True))
        line = SummaryLine(**identity, complete=complete, **_times(rows), **_fidelity(rows), **_origin(rows))
        ok = rows[rows["status"] == "ok"]
        lines.append(vars(line) | {stage: ok[stage].median() for stage in stages})

    types = dtypes_of(SummaryLine)
    return _sorted(pd.DataFrame(lines, columns=[*types, *stages]).astype(types))


def reference_times(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the geometric mean of the reference's times, for each problem in each pack."""
    references = cells[(cells["role"] != "cell") & (cells["status"] == "ok") & cells["wall_s"].notna()]
    logs = references.assign(reference_s=np.log(references["wall_s"]), reference=references["mode"])
    each = logs.groupby(["pack", *PROBLEM], as_index=False).agg({"reference": "first", "reference_s": "mean"})
    return each.assign(reference_s=np.exp(each["reference_s"]))


def _times(rows: pd.DataFrame) -> dict[str, Any]:
    ok = rows[(rows["status"] == "ok") & rows["wall_s"].notna()]
    packs = ok.groupby("pack").agg({"wall_s": "median", "reference_s": "first", "host": "first"})
    walls = interval_of_times(packs["wall_s"].tolist(), packs["host"].tolist())

    paired = packs.dropna(subset=["reference_s"])
    ratio = paired_ratio(paired["wall_s"].tolist(), paired["reference_s"].tolist(), paired["host"].tolist())

    return {
        "replicates": len(packs),
        "wall_mean_s": walls.mean,
        "wall_std_s": walls.std,
        "wall_median_s": packs["wall_s"].median(),
        "wall_low_s": walls.low,
        "wall_high_s": walls.high,
        "ratio": ratio.value,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "ratio_packs": ratio.packs,
        "ratio_detectable": ratio.detectable,
        "verdict": "reference"
        if set(rows["mode"].unique()) == set(rows["reference"].unique())
        else ratio.verdict,
        "conv_in_s": ok["conv_in_s"].median(),
        "conv_out_s": ok["conv_out_s"].median(),
        "unaccounted_s": ok["unaccounted_s"].median(),
        "traced_wall_s": ok["traced_wall_s"].median(),
        "peak_memory_mb": ok["peak_memory_mb"].max(),
    }


def _fidelity(rows: pd.DataFrame) -> dict[str, Any]:
    """Return the statuses, the worst error and the sizes; the worst error counts, right or wrong."""
    statuses = rows["status"].value_counts().sort_index()
    sizes = ["particles", "species", "pairs", "features"]

    return {
        "statuses": ", ".join(f"{count} {status}" for status, count in statuses.items()),
        "reason": _first_reason(rows),
        "max_relative_error": rows["max_relative_error"].max(),
        "bound": rows["bound"].min(),
        **{size: rows[size].max() for size in sizes},
    }


def _first_reason(rows: pd.DataFrame) -> str:
    reasons = rows.loc[rows["status"] != "ok", "reason"].dropna()
    return next((str(reason).splitlines()[0] for reason in reasons if str(reason).strip()), "")


def _origin(rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "reference": _listed(rows["reference"]),
        "hosts": _listed(rows["host"]),
        "code": _listed(rows["code"]),
        "environment": _listed(rows["environment"]),
        "artifacts": _listed(rows["artifact"]),
    }


def _listed(values: pd.Series[Any]) -> str:
    return " ".join(sorted({str(value) for value in values.dropna().unique() if value}))


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    """Sort small data sets before large ones, few species before many, the reference before other modes."""
    order = ["site", "pairs", "species", "dataset", "frames", "output", "hypers", "is_other", "mode"]
    marks = {"is_other": table["mode"] != table["reference"], "not_pinned": table["threads"] == NOT_PINNED}
    rest = ["precision", "device", "not_pinned", "threads"]
    sorted_table = table.assign(**marks).sort_values([*order, *rest], ignore_index=True)
    return sorted_table.drop(columns=list(marks))
