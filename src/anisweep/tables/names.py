"""Name the lines of a summary in figures and report."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, get_args

import pandas as pd

from anisweep.cell import NOT_PINNED, Precision
from anisweep.formatting import counted

#: Names of hyperparameters where there is little room.
SHORT = {"max_angular": "lmax", "max_radial": "nmax", "cutoff_radius": "cutoff"}


def with_names(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the summary with two more columns: ``system`` (what is computed) and ``series`` (how).

    A name says only what differs within the study: ``one species, power spectrum``, ``torch_full fp32``; so
    modes of a task are called without it.
    """
    system = _of_each(summary, ["dataset"], _words)
    series = _of_each(summary, ["mode", "output"], lambda mode, task: mode.removeprefix(f"{task}."))

    lengths = summary.groupby("dataset")["frames"].nunique()
    if (lengths > 1).any():
        system = system + _of_each(
            summary,
            ["dataset", "frames"],
            lambda dataset, count: f", {counted(count, 'frame')}" if lengths[dataset] > 1 else "",
        )

    if _differs(summary["output"]):
        system = system + _of_each(
            summary, ["output"], lambda output: "" if output == "coefficients" else f", {_words(output)}"
        )

    if _differs(summary["hypers"]):
        short = hypers_names(list(summary["hypers"].unique()))
        system = system + _of_each(summary, ["hypers"], lambda text: f", {short[text]}")

    if _differs(summary["precision"]):
        series = series + " " + summary["precision"]

    if _differs(summary["device"]):
        series = series + " " + summary["device"]

    if _differs(summary["threads"]):
        series = series + _of_each(summary, ["threads"], lambda count: f" {threads_in_words(count)}")

    if _differs(summary["site"]):
        series = series + " at " + summary["site"]

    return summary.assign(system=system, series=series)


def _of_each(table: pd.DataFrame, columns: list[str], name: Callable[..., str]) -> pd.Series[str]:
    """Return a text for each line, made once for all the lines with the same values in these columns."""
    values = table[columns]
    distinct = values.drop_duplicates()
    texts = pd.Series([name(*each) for each in distinct.itertuples(index=False)], dtype="str")
    number = values.groupby(columns, sort=False, dropna=False).ngroup()
    return texts.take(number.to_numpy()).set_axis(table.index)


def series_in_order(named: pd.DataFrame) -> list[str]:
    """Return the distinct ``series``, the reference's first, then by the name of the mode.

    High precision comes before low, few threads before many, and what is not pinned last.
    """
    marked = named.assign(
        is_other=named["mode"] != named["reference"],
        rank=named["precision"].map({name: rank for rank, name in enumerate(get_args(Precision))}),
        not_pinned=named["threads"] == NOT_PINNED,
    )
    order = ["is_other", "mode", "rank", "device", "not_pinned", "threads", "site"]
    return list(dict.fromkeys(marked.sort_values(order)["series"]))


def hypers_names(sets: Sequence[str]) -> dict[str, str]:
    """Return, for each set of hyperparameters (canonical JSON), what tells it from the others."""
    parsed = {text: json.loads(text) for text in sets}
    everything = sorted({name for values in parsed.values() for name in values})
    differing = [n for n in everything if len({json.dumps(v.get(n)) for v in parsed.values()}) > 1]

    return {
        text: ", ".join(f"{hyper_in_short(name)} {_value(values.get(name))}" for name in differing)
        for text, values in parsed.items()
    }


def stage_in_words(column: str) -> str:
    """Return the stage of a column: of ``stage_pair_loop_s`` the words ``pair loop``."""
    return _words(column.removeprefix("stage_").removesuffix("_s"))


def hyper_in_short(name: str) -> str:
    """Return the short name of a hyperparameter (``lmax``, ``cutoff``), for names and axes."""
    return SHORT.get(name, _words(name))


def hypers_in_words(text: str) -> str:
    """Return all hyperparameters of one set in words."""
    return ", ".join(f"{_words(name)} {_value(value)}" for name, value in json.loads(text).items())


def threads_in_words(threads: int) -> str:
    """Return ``2 thr.``, or ``not pinned``."""
    return "not pinned" if threads == NOT_PINNED else f"{threads} thr."


def _differs(column: pd.Series[Any]) -> bool:
    return column.nunique() > 1


def _words(name: str) -> str:
    return name.replace("_", " ")


def _value(value: Any) -> str:
    return "default" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
