"""Write the page that lays the profiling study's own table beside ours, measured at its own size."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from anisweep import tables
from anisweep.config.project import Project
from anisweep.formatting import plain, time_with_unit

STUDY = "headline"
KEPT = Path("docs/headline.json")
PAGE = Path("docs/reference/headline.md")

#: Frames of each data set, as in the study.
FRAMES = 50

#: Seconds that the study reports for 50 frames, one thread (doi:10.5281/zenodo.17519888), by data set:
#: published AniSOAP, Torch in fp64, Torch in fp32. It does not say which of its two Torch modes they are of.
REPORTED = {"ellipsoids": (1.56, 1.17, 1.18), "benzenes": (203.18, 172.81, 178.53)}

TEXT = """\
# The profiling study's table, and ours

This page is generated (`make readme`) from the study [headline](../../config/studies/headline.yaml) at
`size: full`, measured {where}
({cpu}; {versions}).

*The study* is T. Dahiya, Cersonsky Lab, 2025
([doi:10.5281/zenodo.17519888](https://doi.org/10.5281/zenodo.17519888)): 50 frames, one thread, three
replicates, imports left out. It reports the times of one Torch mode without naming it, so they are shown
beside both of ours. Times are means ± standard deviations over {replicates} replicates. A ratio is a time
divided by that of published AniSOAP in the same process, with its 95 % interval. Compare ratios, because
times of two different machines cannot be compared.

| data set | mode | precision | the study | ratio | here | ratio | error |
|---|---|---|--:|--:|--:|--:|--:|
{lines}

*Error* is the largest difference from published AniSOAP, divided by its largest value. Published AniSOAP
computes in double precision only. {disturbed} of {rows} rows have warnings of other work on the machine,
which widens the intervals. `make claims` prints which claims of the study these measurements confirm.
"""


@dataclass(frozen=True)
class Line:
    """Hold the measurement of one way to compute one data set."""

    dataset: str
    mode: str
    precision: str
    mean_s: float
    std_s: float
    ratio: float
    ratio_low: float
    ratio_high: float
    error: float
    replicates: int


def take(root: Path) -> None:
    """Keep the figures of results/headline, where the study's own size has been measured there."""
    folder = Project(root).tables(STUDY)
    if not folder.exists():
        return

    summary = tables.read(folder, "summary")
    whole = summary[(summary["frames"] == FRAMES) & summary["wall_std_s"].notna()]
    if set(whole["dataset"]) != set(REPORTED):
        return

    site = "chtc" if "chtc" in set(whole["site"]) else whole["site"].iloc[0]
    measured = whole[whole["site"] == site]
    cells = tables.read(folder, "cells")
    cells = cells[cells["site"] == site]
    platform = tables.read_platforms(folder)[cells["pack"].iloc[0]]
    kept = {
        "site": site,
        "cpu": platform.cpu_model,
        "packages": {name: platform.packages[name] for name in ("anisoap", "numpy", "torch")},
        "rows": len(cells),
        "disturbed": int((cells["warnings"].map(len) > 0).sum()),
        "lines": [asdict(_line(row)) for _, row in measured.iterrows()],
    }
    (root / KEPT).write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def text(root: Path) -> str:
    """Return the page, made from the kept figures."""
    kept = json.loads((root / KEPT).read_text())
    lines = [Line(**line) for line in kept["lines"]]
    versions = ", ".join(f"{name} {version}" for name, version in kept["packages"].items())
    site = (
        "on this project's test pool of HTCondor, in its image"
        if kept["site"] == "chtc"
        else f"at the site {kept['site']}"
    )

    return TEXT.format(
        where=site,
        cpu=f"one core of {kept['cpu']}",
        versions=versions,
        replicates=lines[0].replicates,
        disturbed=kept["disturbed"],
        rows=kept["rows"],
        lines="\n".join(map(_table_line, lines)),
    )


def _line(row: pd.Series[Any]) -> Line:
    return Line(
        dataset=row["dataset"],
        mode=row["mode"],
        precision=row["precision"],
        mean_s=row["wall_mean_s"],
        std_s=row["wall_std_s"],
        ratio=row["ratio"],
        ratio_low=row["ratio_low"],
        ratio_high=row["ratio_high"],
        error=row["max_relative_error"],
        replicates=int(row["replicates"]),
    )


def _table_line(line: Line) -> str:
    published, fp64, fp32 = REPORTED[line.dataset]
    is_reference = line.mode == "numpy_only"
    theirs = published if is_reference else {"fp64": fp64, "fp32": fp32}[line.precision]
    ours = "1" if is_reference else f"{line.ratio:.2f} ({line.ratio_low:.2f}–{line.ratio_high:.2f})"

    cells = (
        line.dataset,
        f"`{line.mode}`",
        line.precision,
        f"{theirs:.2f} s",
        f"{theirs / published:.2f}",
        f"{time_with_unit(line.mean_s)} ± {time_with_unit(line.std_s)}",
        ours,
        "" if is_reference else plain(line.error),
    )
    return f"| {' | '.join(cells)} |"
