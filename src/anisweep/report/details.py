"""The folded tables of a report."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from anisweep import modes
from anisweep.report.cluster import journeys
from anisweep.report.content import Link, Measured, Table, Value, artifact_id, point_id, short
from anisweep.report.numbers import NOTHING, between, milliseconds, plain, share, whole
from anisweep.tables import Platform
from anisweep.tables.names import hypers_in_words, with_names

#: A page with more lines than this is slow to open; the CSV file has them all.
MOST_ROWS = 500

NUMBER = re.compile(r"\d+(\.\d+)?")

#: What a reader meets in every table.
TERMS = (
    "Pairs are the neighbour pairs within the cutoff, over all frames; a pack is a job on one host that runs "
    "the reference first and last and the modes between; a replicate is the same measurement in another pack."
)

#: The packages whose versions explain a time.
SHOWN = ("anisoap", "anisweep", "numpy", "scipy", "torch", "featomic", "metatensor", "ase")


def details(study: Measured) -> list[Table]:
    """The tables of one study, without those that would be empty."""
    named = with_names(study.summary)
    everything = [
        _modes(named),
        _all_points(study.name, named),
        _stages(study.name, named),
        _fidelity(study.name, named),
        _troubles(study.cells),
        _warnings(study.cells),
        journeys(study.journeys),
        _hypers(named),
        _all_cells(study.cells),
    ]
    return [table for table in everything if table.rows]


def _modes(named: pd.DataFrame) -> Table:
    present = set(modes.names())
    shown = list(dict.fromkeys(named.sort_values("mode")["mode"]))
    rows = [[Value(name), Value(modes.summary(name) if name in present else "")] for name in shown]
    return Table("Modes", ["mode", "what it is"], rows, note=TERMS)


def _all_points(study: str, named: pd.DataFrame) -> Table:
    heads = ["system", "mode", "replicates", "mean / ms", "std / ms", "median / ms", "95 % interval / ms"]
    heads += ["time / reference", "95 % interval", "verdict", "detectable", "status"]
    heads += ["peak memory / MB", "host", "code", "environment", "artifacts"]
    rows, ids = [], []

    for index, line in named.iterrows():
        ids.append(point_id(study, index))
        rows.append(
            [
                *_identity(line),
                _value(line["replicates"], whole),
                _value(line["wall_mean_s"], milliseconds),
                _value(line["wall_std_s"], milliseconds),
                _value(line["wall_median_s"], milliseconds),
                Value(between(1e3 * line["wall_low_s"], 1e3 * line["wall_high_s"])),
                _value(line["ratio"], plain),
                Value(between(line["ratio_low"], line["ratio_high"])),
                Value(line["verdict"]),
                _value(line["ratio_detectable"], plain),
                Value(line["statuses"]),
                _value(line["peak_memory_mb"], plain),
                Value(line["hosts"]),
                Value(short(line["code"]), title=line["code"]),
                Value(short(line["environment"]), title=line["environment"]),
                Value("", links=artifact_links(line["artifacts"].split())),
            ]
        )

    note = "“Detectable” is the smallest ratio above 1 that these data would have shown in 4 of 5 studies."
    return Table("All times and ratios", heads, rows, ids, note)


def _stages(study: str, named: pd.DataFrame) -> Table:
    stages = [name for name in named.columns if name.startswith("stage_")]
    heads = ["system", "mode", *(_words(name) for name in stages), "unaccounted", "traced / ms"]
    traced = named[named["traced_wall_s"].notna()]
    rows = []

    for index, line in traced.iterrows():
        parts = [*stages, "unaccounted_s"]
        shares = [_value(line[name] / line["traced_wall_s"], share) for name in parts]
        total = _value(line["traced_wall_s"], milliseconds, href=f"#{point_id(study, index)}")
        rows.append([*_identity(line), *shares, total])

    note = "Share of the wall time of one traced call; medians. Unaccounted is what no stage claims."
    return Table("Where the time goes", heads, rows, note=note)


def _fidelity(study: str, named: pd.DataFrame) -> Table:
    heads = ["system", "mode", "max |difference| / max |reference|", "allowed", "status"]
    rows = []

    for index, line in named.iterrows():
        error = _value(line["max_relative_error"], plain, href=f"#{point_id(study, index)}")
        rows.append([*_identity(line), error, _value(line["bound"], plain), Value(line["statuses"])])

    return Table(
        "Fidelity", heads, rows, note="The worst of all replicates, against the reference in the same pack."
    )


def _troubles(cells: pd.DataFrame) -> Table:
    heads = ["system", "mode", "replicate", "status", "reason", "artifact"]
    named = with_names(cells)
    bad = named[named["status"] != "ok"]
    rows = [
        [
            *_identity(row),
            _value(row["replicate"], whole),
            Value(row["status"]),
            Value(row["reason"]),
            _origin(row),
        ]
        for _, row in bad.head(MOST_ROWS).iterrows()
    ]
    return Table(f"Not ok: {len(bad)} rows", heads, rows, note=_cut(len(bad)))


def _warnings(cells: pd.DataFrame) -> Table:
    texts = sorted((text for warnings in cells["warnings"] for text in warnings), reverse=True)
    kinds = [NUMBER.sub("", text) for text in texts]
    examples = dict(zip(kinds, texts, strict=True))
    rows = [[Value(examples[kind]), _value(count, whole)] for kind, count in Counter(kinds).most_common()]

    note = "What could have disturbed the measurement. Warnings that differ in numbers alone are one line."
    return Table("Noise warnings", ["warning", "rows"], rows, note=note)


def _hypers(named: pd.DataFrame) -> Table:
    sets = list(dict.fromkeys(named["hypers"]))
    return Table("Hyperparameters", ["lengths in Å"], [[Value(hypers_in_words(text))] for text in sets])


def _all_cells(cells: pd.DataFrame) -> Table:
    heads = ["system", "mode", "role", "replicate", "process", "wall / ms", "std / ms", "CPU / wall"]
    heads += ["relative error", "status", "host", "artifact"]
    named = with_names(cells)
    rows = [
        [
            *_identity(row),
            Value(row["role"]),
            _value(row["replicate"], whole),
            _value(row["process"], whole),
            _value(row["wall_s"], milliseconds),
            _value(row["wall_std_s"], milliseconds),
            _value(row["cpu_utilisation"], plain),
            _value(row["max_relative_error"], plain),
            Value(row["status"]),
            Value(row["host"], title=row["cpu_model"]),
            _origin(row),
        ]
        for _, row in named.head(MOST_ROWS).iterrows()
    ]
    return Table("Every measurement", heads, rows, note=_cut(len(named)))


def platforms_table(platforms: Iterable[Platform]) -> Table:
    """One line a distinct platform, over all studies."""
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
                _value(counted[text], whole),
                Value(platform.cpu_model or NOTHING),
                _value(platform.cores, whole),
                _value(platform.memory_gb, plain),
                Value(platform.system or NOTHING),
                Value(platform.python or NOTHING),
                Value(", ".join(platform.devices) or "none"),
                Value(versions or NOTHING),
            ]
        )
    return Table("Platforms", heads, rows, note="Every package is in tables/env_report.json of the study.")


def artifacts_table(studies: Sequence[Measured]) -> Table:
    """Where every number comes from: one line an artifact, over all studies."""
    heads = ["artifact", "SHA-256", "host", "rows", "measured (UTC)", "code", "environment", "data set"]
    cells = pd.concat([study.cells for study in studies]) if studies else pd.DataFrame()
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
                _value(len(group), whole),
                Value(group["started"].min()),
                _digests(group["code"]),
                _digests(group["environment"]),
                _digests(group["dataset_digest"]),
            ]
        )
    return Table(
        "Artifacts", heads, rows, ids, "The files lie beside this page; `anisweep show NAME` prints one."
    )


def _identity(line: pd.Series[Any]) -> list[Value]:
    return [Value(line["system"]), Value(line["series"])]


def _origin(row: pd.Series[Any]) -> Value:
    return Value(row["pack"], href="#" + artifact_id(row["artifact"]))


def artifact_links(artifacts: list[str]) -> tuple[Link, ...]:
    """A number for each artifact, which leads to its line in the page."""
    names = [artifact_id(artifact).removeprefix("artifact-") for artifact in artifacts]
    return tuple(Link(str(k), f"#artifact-{name}", name) for k, name in enumerate(names, 1))


def _digests(values: pd.Series[Any]) -> Value:
    distinct = " ".join(sorted(set(values)))
    return Value(short(distinct), title=distinct)


def _value(number: Any, text: Any, href: str = "") -> Value:
    return Value(text(number), sort=None if pd.isna(number) else float(number), href=href)


def _words(column: str) -> str:
    return column.removeprefix("stage_").removesuffix("_s").replace("_", " ")


def _cut(count: int) -> str:
    return (
        f"The first {MOST_ROWS} of {count:,}; the rest is in tables/cells.csv." if count > MOST_ROWS else ""
    )
