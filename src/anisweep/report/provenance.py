"""Show where the numbers come from: the platforms and artifacts of all studies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pandas as pd

from anisweep.formatting import NOTHING, plain, whole
from anisweep.report.model import Measured, Table, Value, artifact_id, short
from anisweep.report.sections._entries import MOST_ROWS, number
from anisweep.tables import Platform

#: Columns of the cells that say where a row comes from.
ORIGIN = ["artifact", "artifact_sha256", "host", "started", "code", "environment", "dataset_digest"]

#: The packages whose versions explain a time.
SHOWN = ("anisoap", "anisweep", "numpy", "scipy", "torch", "featomic", "metatensor", "ase")


def platforms_table(platforms: Iterable[Platform]) -> Table:
    """Make a table with one line a distinct platform, over all studies."""
    heads = [
        "host",
        "packs",
        "processor",
        "cores",
        "memory / GB",
        "system",
        "Python",
        "accelerators",
        "packages",
    ]
    counted = Counter(repr(platform) for platform in platforms)
    distinct = {repr(platform): platform for platform in platforms}
    rows = []

    for text, platform in distinct.items():
        packages = {name: platform.packages[name] for name in SHOWN if name in platform.packages}
        versions = ", ".join(f"{name} {version}" for name, version in packages.items())
        rows.append(
            [
                Value(platform.host),
                number(counted[text], whole),
                Value(platform.cpu_model or NOTHING),
                number(platform.cores, whole),
                number(platform.memory_gb, plain),
                Value(platform.system or NOTHING),
                Value(platform.python or NOTHING),
                Value(", ".join(platform.devices) or "none"),
                Value(versions or NOTHING),
            ]
        )
    return Table("Platforms", heads, rows, note="Every package is in tables/env_report.json of the study.")


def artifacts_table(studies: Sequence[Measured], linked: Collection[str]) -> Table:
    """Make the table of where every number comes from: one line an artifact, over all studies.

    Parameters
    ----------
    linked : what the page's links lead to; of more artifacts than fit a table these are shown
    """
    heads = ["artifact", "SHA-256", "host", "rows", "measured (UTC)", "code", "environment", "data set"]
    cells = (
        pd.concat([study.cells[ORIGIN] for study in studies]) if studies else pd.DataFrame({"artifact": []})
    )
    every = cells["artifact"].unique()
    note = "The files lie beside this page; `anisweep show NAME` prints one."
    if len(every) > MOST_ROWS:
        shown = [each for each in every if f"#{artifact_id(each)}" in linked]
        cells = cells[cells["artifact"].isin(shown)]
        note = f"{len(shown):,} of {len(every):,}, those that numbers above lead to. {note}"
    rows, ids = [], []

    for key, group in cells.groupby("artifact") if len(cells) else ():
        artifact = str(key)
        name = artifact_id(artifact).removeprefix("artifact-")
        ids.append(artifact_id(artifact))
        rows.append(
            [
                Value(name, href=artifact),
                _digests(group["artifact_sha256"]),
                Value(" ".join(sorted(group["host"].unique()))),
                number(len(group), whole),
                Value(group["started"].min()),
                _digests(group["code"]),
                _digests(group["environment"]),
                _digests(group["dataset_digest"]),
            ]
        )
    return Table("Artifacts", heads, rows, ids, note)


def _digests(values: pd.Series[Any]) -> Value:
    distinct = " ".join(sorted(set(values)))
    return Value(short(distinct), title=distinct)
