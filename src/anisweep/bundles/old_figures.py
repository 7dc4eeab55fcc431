"""Draw the figures of the AniSOAP profiling study from its tables, for the scripts that have its names.

The tables may be ours (``results/<study>/tables``) or those of old bundles (``results/tables``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from anisweep.errors import UserError
from anisweep.figures._drawing import STYLE, save
from anisweep.figures._series import COLOURS, MARKS

TIMES = ["file", "mode", "wall_s", "N", "species"]
SITES = ("chtc", "local")


def plot_results(folder: Path, target: Path) -> Iterator[str]:
    """Draw ``scaling_species`` and ``util_before_after``.

    They are made from ``timings_{chtc,local}.csv`` and ``summary_local.csv``.

    Yields
    ------
    str
        a line for each figure, and for each one that the tables do not hold

    Raises
    ------
    UserError
        when no table is there, or one lacks a column
    """
    found = {site: folder / f"timings_{site}.csv" for site in SITES}
    tables = {site: _read(file, TIMES) for site, file in found.items() if file.exists()}
    if not tables:
        raise _nothing(folder, "timings_chtc.csv, timings_local.csv")

    named = [table.assign(mode=table["mode"] + f" at {site}") for site, table in tables.items()]
    yield _draw("scaling_species", _scaled_by_species, pd.concat(named), target)

    summary = folder / "summary_local.csv"
    columns = set(pd.read_csv(summary).columns) if summary.exists() else set()
    if {"tag", "util"} <= columns:
        yield _draw("util_before_after", _utilisation, _read(summary, ["tag", "util"]), target)
    else:
        yield f"util_before_after is not drawn: {summary} has no columns tag, util."


def make_plots(folder: Path, target: Path) -> Iterator[str]:
    """Draw ``wall_time_by_system`` and ``wall_time_vs_species`` from ``combined_from_metrics.csv``."""
    file = folder / "combined_from_metrics.csv"
    if not file.exists():
        raise _nothing(folder, file.name)

    table = _read(file, TIMES)
    yield _draw("wall_time_by_system", _by_system, table, target)
    yield _draw("wall_time_vs_species", _by_species, table, target)


def _nothing(folder: Path, names: str) -> UserError:
    return UserError(
        f"{folder}: holds none of {names}. Allowed: a folder of old tables. `anisweep unbundle FILE` fills "
        "results/tables; the tables of a study are in results/STUDY/tables."
    )


def _read(file: Path, columns: list[str]) -> pd.DataFrame:
    """Read the columns of an old table that a figure needs; lines that lack one of them are passed over."""
    table = pd.read_csv(file).rename(columns={"species_unique": "species"})
    missing = [name for name in columns if name not in table]

    if missing:
        raise UserError(
            f"{file}: it has no column {', '.join(missing)}. Allowed: {','.join(columns)}. "
            "Name another folder, or make the table again."
        )
    return table[columns].dropna()


def _by_species(table: pd.DataFrame) -> Figure:
    return _over_species(table.assign(value=1e3 * table["wall_s"]), "wall time / ms")


def _scaled_by_species(table: pd.DataFrame) -> Figure:
    return _over_species(table.assign(value=1e6 * table["wall_s"] / table["N"] ** 2), "time / N² in µs")


def _over_species(table: pd.DataFrame, label: str) -> Figure:
    """Draw one mark a file and mode, with its standard deviation."""
    figure, axes = plt.subplots(figsize=(6.0, 4.2))

    for look, lines in _looks(table):
        points = lines.groupby(["species", "file"])["value"].agg(["mean", "std"]).reset_index()
        x = points["species"].astype(float) + 0.5 * look.offset
        axes.errorbar(x, points["mean"], points["std"], fmt=look.mark, color=look.colour, label=look.label)

    axes.set_xticks(sorted(table["species"].unique()))
    axes.set_xlabel("number of species")
    axes.set_ylabel(label)
    axes.set_yscale("log")
    _plain_ticks(axes.yaxis, axes)
    _legend(figure, axes)
    return figure


def _by_system(table: pd.DataFrame) -> Figure:
    systems = sorted(table["file"].unique())
    figure, axes = plt.subplots(figsize=(6.0, 1.6 + 0.6 * len(systems)))

    for look, lines in _looks(table):
        points = 1e3 * lines.groupby("file")["wall_s"].agg(["mean", "std"])
        y = [systems.index(str(file)) + look.offset for file in points.index]
        axes.errorbar(
            points["mean"], y, xerr=points["std"], fmt=look.mark, color=look.colour, label=look.label
        )

    axes.set_yticks(range(len(systems)), systems)
    axes.set_ylim(len(systems) - 0.5, -0.5)
    axes.set_xlabel("wall time / ms")
    axes.set_xscale("log")
    _plain_ticks(axes.xaxis, axes)
    _legend(figure, axes)
    return figure


def _utilisation(table: pd.DataFrame) -> Figure:
    """Draw bars in the order of the table: before, after."""
    means = table.groupby("tag", sort=False)["util"].agg(["mean", "std"])
    figure, axes = plt.subplots(figsize=(6.0, 0.9 + 0.5 * len(means)))
    axes.barh(
        list(map(str, means.index)), means["mean"], xerr=means["std"], color="#56b4e9", edgecolor="#1f2328"
    )
    axes.invert_yaxis()
    axes.set_xlabel("utilisation, as in the table")
    return figure


@dataclass(frozen=True)
class Look:
    """Define how the marks of one mode look, and how far they are moved so that none is hidden."""

    label: str
    colour: str
    mark: str
    offset: float


def _looks(table: pd.DataFrame) -> Iterator[tuple[Look, pd.DataFrame]]:
    modes = sorted(table["mode"].unique())
    step = min(0.15, 0.8 / len(modes)) if modes else 0.0

    for k, mode in enumerate(modes):
        mark = MARKS[(k + k // len(COLOURS)) % len(MARKS)]  # no pair comes twice
        look = Look(mode, COLOURS[k % len(COLOURS)], mark, (k - (len(modes) - 1) / 2) * step)
        yield look, table[table["mode"] == mode]


def _plain_ticks(axis: Axis, axes: Axes) -> None:
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axes.minorticks_off()


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)


def _draw(name: str, draw: Callable[[pd.DataFrame], Figure], table: pd.DataFrame, target: Path) -> str:
    caption = "Means with standard deviations, from a table without a record of what ran."

    with plt.style.context(STYLE):
        save(draw(table), target / name, name.replace("_", " ").capitalize(), caption)
    return f"{target / name}.svg and .png"
