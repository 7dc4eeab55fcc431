"""The sentence that answers a study's question, made from its summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from anisweep.cell import NOT_PINNED
from anisweep.report.numbers import between, duration, plain, share
from anisweep.tables.names import with_names

#: How the sentence calls the mode that is AniSOAP as it was published.
PUBLISHED = "numpy_only"


def answer(summary: pd.DataFrame, missing: Sequence[str] = ()) -> str:
    """How long the anchor takes, which mode is fastest, where the time goes, and whether modes agree."""
    if summary.empty:
        return "Nothing has been measured yet." + _missing(missing)

    sites = list(summary["site"].unique())
    site = site_of_first_screen(sites)
    here = with_names(summary[summary["site"] == site])

    clauses = [_time(here), _fastest(here), _stage(here), _not_ok(here), _agreement(here)]
    sentence = "; ".join(clause for clause in clauses if clause) + "."
    prefix = f"At {site}: " if len(sites) > 1 else ""
    return (prefix + sentence + _missing(missing)).replace(" %", "\u00a0%")


def site_of_first_screen(sites: Sequence[str]) -> str:
    """Sites are never averaged: answer and first table speak of one, the local one if there are several."""
    return "local" if "local" in sites else next(iter(sites), "")


def _missing(missing: Sequence[str]) -> str:
    if not missing:
        return ""

    are = "cell is" if len(missing) == 1 else "cells are"
    return f" Incomplete: {len(missing)} {are} missing."


def _time(here: pd.DataFrame) -> str:
    anchors = _anchors(here)

    if anchors.empty:
        return "The reference mode has no time yet"

    name = _called(anchors["mode"].iloc[0]).replace("published", "Published")
    extremes = [anchors.iloc[0], anchors.iloc[-1]] if len(anchors) > 1 else [anchors.iloc[0]]
    return f"{name} takes " + " and ".join(_one_time(line) for line in extremes)


def _called(mode: str) -> str:
    return "published AniSOAP" if mode == PUBLISHED else mode


def _one_time(line: pd.Series[Any]) -> str:
    frames = "1 frame" if line["frames"] == 1 else f"{line['frames']:,} frames"
    system = line["system"].replace(f", {frames}", "")  # there where a study has several numbers of frames
    return f"{duration(line['wall_mean_s'])} for {frames} of {system} ({line['pairs']:,} pairs)"


def _fastest(here: pd.DataFrame) -> str:
    """The mode that is fastest on the largest problem where one is, and on how many it wins beyond noise."""
    others = here[(here["mode"] != here["anchor"]) & here["ratio"].notna()]

    if others.empty:
        return ""

    faster = others[others["verdict"] == "faster"]
    if faster.empty and (others["verdict"] == "too few packs").any():
        return "there are too few replicates to tell which mode is fastest"

    if faster.empty:
        return "no other mode is faster beyond the noise"

    largest = faster[faster["pairs"] == faster["pairs"].max()]
    best = largest.loc[largest["ratio"].idxmin()]
    winners = others.loc[others.groupby("system")["ratio"].idxmin()]
    wins = int(((winners["series"] == best["series"]) & (winners["verdict"] == "faster")).sum())
    problems = others["system"].nunique()

    where = _on_how_many(wins, problems)
    interval = between(1 / best["ratio_high"], 1 / best["ratio_low"])
    times = (
        f"{plain(1 / best['ratio'])} times as fast for {_spoken(best['system'])} (95 % interval {interval})"
    )
    return f"{best['series']} is the fastest mode{where}, {times}"


def _on_how_many(wins: int, problems: int) -> str:
    if problems == 1:
        return ""

    if wins < problems:
        return f" on {wins} of {problems} problems"
    return " on both problems" if problems == 2 else f" on all {problems} problems"


def _spoken(system: str) -> str:
    """Inside a sentence a comma would mislead: ``ellipsoids (power spectrum)``."""
    name, _, rest = system.partition(", ")
    return f"{name} ({rest})" if rest else name


def _stage(here: pd.DataFrame) -> str:
    """The largest stage of the anchor on the largest problem."""
    anchors = _anchors(here)
    stages = [name for name in here.columns if name.startswith("stage_")]

    if anchors.empty or not stages or anchors.iloc[-1][stages].isna().all():
        return ""

    line = anchors.iloc[-1]
    largest = max(stages, key=lambda stage: np.nan_to_num(line[stage]))
    name = largest.removeprefix("stage_").removesuffix("_s").replace("_", " ")
    part = share(line[largest] / line["traced_wall_s"])
    return f"{part} of {_called(line['mode'])}'s time on {_spoken(line['system'])} goes into the {name}"


def _not_ok(here: pd.DataFrame) -> str:
    """``4 of 12 cells unavailable``; each status by its number if there are several."""
    counts = _statuses(here)
    total = counts.total()
    bad = {status: count for status, count in sorted(counts.items()) if status != "ok"}

    if not bad:
        return ""

    if len(bad) == 1:
        return f"{sum(bad.values()):,} of {total:,} cells {next(iter(bad))}"

    each = ", ".join(f"{count:,} {status}" for status, count in bad.items())
    return f"{sum(bad.values()):,} of {total:,} cells not ok ({each})"


def _statuses(here: pd.DataFrame) -> Counter[str]:
    """Over all lines of a summary, whose entries read ``1 failed, 2 ok``."""
    counts: Counter[str] = Counter()

    for entry in here["statuses"]:
        for part in entry.split(", "):
            count, _, status = part.partition(" ")
            counts[status] += int(count)
    return counts


def _agreement(here: pd.DataFrame) -> str:
    wrong = here[here["statuses"].str.contains("wrong")]

    if len(wrong):
        named = sorted({f"{line['series']} ({line['system']})" for _, line in wrong.iterrows()})
        rest = f" and {len(named) - 2} more" if len(named) > 2 else ""
        return f"wrong results: {', '.join(named[:2])}{rest}"

    others = here[(here["mode"] != here["anchor"]) & here["max_relative_error"].notna()]
    loose = others["bound"].isna()
    clauses = []

    if len(held := others[~loose]):
        who = (
            "all results with a bound"
            if loose.any()
            else "all other results"
            if _not_ok(here)
            else "all modes"
        )
        clauses.append(f"{who} agree (largest relative difference {plain(held['max_relative_error'].max())})")

    if len(reported := others[loose]):
        precisions = " and ".join(sorted(reported["precision"].unique()))
        clauses.append(f"{precisions} differs by up to {plain(reported['max_relative_error'].max())}")
    return "; ".join(clauses)


def _anchors(here: pd.DataFrame) -> pd.DataFrame:
    """The anchor's own lines, smallest problem first; coefficients, if there are any; fewest threads."""
    lines = here[(here["mode"] == here["anchor"]) & here["wall_mean_s"].notna()]
    pinned = lines[lines["threads"] != NOT_PINNED]
    lines = pinned[pinned["threads"] == pinned["threads"].min()] if len(pinned) else lines
    coefficients = lines[lines["output"] == "coefficients"]
    return (coefficients if len(coefficients) else lines).sort_values("pairs", kind="stable")
