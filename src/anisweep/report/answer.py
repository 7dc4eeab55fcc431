"""Make the sentence that answers a study's question from its summary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from anisweep import modes, tables
from anisweep.cell import NOT_PINNED
from anisweep.files import write_text
from anisweep.formatting import between, counted, plain, share, time_with_unit
from anisweep.report.disturbance import disturbance
from anisweep.tables.names import stage_in_words, with_names
from anisweep.tables.summary import POINT

#: Columns of the cells that answers are made of, or what their names begin with.
ANSWERED = (*POINT, "role", "warnings", "result_")

#: How the sentence calls the mode that is AniSOAP as it was published.
PUBLISHED = "numpy_only"

#: Of a reason so much is said.
LONGEST_REASON = 200


def answer_of(tables_folder: Path) -> str:
    """Return the answer of one study, for the terminal; a second line if the run was disturbed."""
    missing = json.loads((tables_folder / "missing.json").read_text())
    cells = tables.read(tables_folder, "cells", ANSWERED)
    said = answer(tables.read(tables_folder, "summary"), cells, missing)
    return "\n".join(filter(None, [said, disturbance(cells)]))


def write_answer(tables_folder: Path) -> None:
    """Write ``answer.txt`` beside the tables, which a run prints at its end."""
    write_text(tables_folder / "answer.txt", f"{answer_of(tables_folder)}\n")


def answer(summary: pd.DataFrame, cells: pd.DataFrame, missing: Sequence[str] = ()) -> str:
    """Say how long the reference takes, which mode is fastest, where time goes, and whether modes agree.

    Where a task is judged by one of its numbers, the mode that is best by it comes first.
    """
    if summary.empty:
        return "Nothing has been measured yet." + _missing(missing)

    sites = list(summary["site"].unique())
    site = site_of_first_screen(sites)
    here = with_names(summary[summary["site"] == site])

    clauses = [
        _best(here, cells[cells["site"] == site]),
        _time(here),
        _fastest(here),
        _stage(here),
        _not_ok(here),
        _agreement(here),
    ]
    sentence = "; ".join(clause for clause in clauses if clause) + "."
    prefix = f"At {site}: " if len(sites) > 1 else ""
    return (prefix + sentence + _missing(missing)).replace(" %", "\u00a0%")


def site_of_first_screen(sites: Sequence[str]) -> str:
    """Return the site that answer and first table speak of: the local one if there are several.

    Sites are never averaged.
    """
    return "local" if "local" in sites else next(iter(sites), "")


def _missing(missing: Sequence[str]) -> str:
    if not missing:
        return ""

    return f" Incomplete: {counted(len(missing), 'cell is', 'cells are')} missing."


def _best(here: pd.DataFrame, cells: pd.DataFrame) -> str:
    """Name the mode whose number is smallest, of a task that is judged by it, and say the reference's."""
    task = str(here["output"].iloc[0])
    judged = modes.judged_by(task) if task in modes.tasks() else ""
    column = f"result_{judged}"
    if not judged or column not in cells or cells[column].isna().all():
        return ""

    named = with_names(cells[(cells["role"] == "cell") & cells[column].notna()])
    medians = named.groupby(["series", "system"], sort=False)[column].median().reset_index()
    best = medians.sort_values(column, kind="stable").iloc[0]
    where = f" for {_spoken(best['system'])}" if medians["system"].nunique() > 1 else ""

    references = set(here.loc[here["mode"] == here["reference"], "series"]) - {best["series"]}
    beside = medians[(medians["system"] == best["system"]) & medians["series"].isin(references)]
    others = [f"{line['series']}: {plain(line[column])}" for _, line in beside.iterrows()]
    numbers = "; ".join([plain(best[column]), *others])
    return f"{modes.meanings_of_results(task)[judged]}: smallest with {best['series']}{where} ({numbers})"


def _time(here: pd.DataFrame) -> str:
    references = _references(here)

    if references.empty:
        return "The reference mode has no time" + ("" if _not_ok(here) else " yet")

    name = _called(references.iloc[0]).replace("published", "Published")
    extremes = [references.iloc[0], references.iloc[-1]] if len(references) > 1 else [references.iloc[0]]
    return f"{name} takes " + " and ".join(_one_time(line) for line in extremes)


def _called(line: pd.Series[Any]) -> str:
    """Return the name of a line's mode, that of a task without the task's."""
    mode = str(line["mode"]).removeprefix(f"{line['output']}.")
    return "published AniSOAP" if mode == PUBLISHED else mode


def _one_time(line: pd.Series[Any]) -> str:
    frames = counted(line["frames"], "frame")
    system = line["system"].replace(f", {frames}", "")  # there where a study has several numbers of frames
    return (
        f"{time_with_unit(line['wall_mean_s'])} for {frames} of {system} ({counted(line['pairs'], 'pair')})"
    )


def _fastest(here: pd.DataFrame) -> str:
    """Name the mode that is fastest on the largest problem where one is, and count its wins beyond noise."""
    others = here[(here["mode"] != here["reference"]) & here["ratio"].notna()]

    if others.empty:
        return ""

    if others["max_relative_error"].isna().all():
        return "the modes of this task compute different things, so none is called the fastest"

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
    """Write a system for the inside of a sentence, as in ``ellipsoids (power spectrum)``.

    A comma would mislead there.
    """
    name, _, rest = system.partition(", ")
    return f"{name} ({rest})" if rest else name


def _stage(here: pd.DataFrame) -> str:
    """Name the largest stage of the reference on the largest problem."""
    references = _references(here)
    stages = [name for name in here.columns if name.startswith("stage_")]

    if references.empty or not stages or references.iloc[-1][stages].isna().all():
        return ""

    line = references.iloc[-1]
    largest = max(stages, key=lambda stage: np.nan_to_num(line[stage]))
    part, stage = share(line[largest] / line["traced_wall_s"]), stage_in_words(largest)
    return f"{part} of {_called(line)}'s time on {_spoken(line['system'])} goes into the {stage}"


def _not_ok(here: pd.DataFrame) -> str:
    """Count the cells that are not ok, as in ``4 of 12 cells unavailable``; by status if several."""
    counts = _statuses(here)
    total = counts.total()
    bad = {status: count for status, count in sorted(counts.items()) if status != "ok"}

    if not bad:
        return ""

    if len(bad) == 1:
        return f"{sum(bad.values()):,} of {counted(total, 'cell')} {next(iter(bad))}{_why(here)}"

    each = ", ".join(f"{count:,} {status}" for status, count in bad.items())
    return f"{sum(bad.values()):,} of {counted(total, 'cell')} not ok ({each}){_why(here)}"


def _why(here: pd.DataFrame) -> str:
    """Return the reasons of cells that are not ok: the first one in words, and how many others there are."""
    reasons = list(dict.fromkeys(reason for reason in here["reason"] if reason))
    if not reasons:
        return ""

    others = counted(len(reasons) - 1, "other reason") if len(reasons) > 1 else ""
    first = reasons[0] if len(reasons[0]) <= LONGEST_REASON else f"{reasons[0][:LONGEST_REASON]}..."
    more = f"; and {others}, which the report has" if others else ""
    return f" ({first}{more})"


def _statuses(here: pd.DataFrame) -> Counter[str]:
    """Count the statuses over all lines of a summary, whose entries read ``1 failed, 2 ok``."""
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

    others = here[(here["mode"] != here["reference"]) & here["max_relative_error"].notna()]
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


def _references(here: pd.DataFrame) -> pd.DataFrame:
    """Return the reference's own lines, smallest problem first.

    They are of the coefficients, if there are any, and of the fewest threads.
    """
    lines = here[(here["mode"] == here["reference"]) & here["wall_mean_s"].notna()]
    pinned = lines[lines["threads"] != NOT_PINNED]
    lines = pinned[pinned["threads"] == pinned["threads"].min()] if len(pinned) else lines
    coefficients = lines[lines["output"] == "coefficients"]
    return (coefficients if len(coefficients) else lines).sort_values("pairs", kind="stable")
