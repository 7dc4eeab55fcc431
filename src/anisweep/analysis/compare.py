"""Tell whether A is faster than B: two modes, versions of the code, sites, or folders of results.

Two modes are compared within the packs that hold both, so what a machine did to both cancels. Whatever else
is compared was measured in different packs: there the two sets of times stand against each other. Times of
two versions of a mode's code are taken relative to the reference of their pack, whose code is a third and
whose time tells how fast the machine was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from anisweep.errors import UserError
from anisweep.formatting import counted
from anisweep.tables.names import with_names
from anisweep.tables.statistics import Ratio, paired_ratio, unpaired_ratio
from anisweep.tables.summary import POINT, PROBLEM, reference_times

Kind = Literal["mode", "code", "site", "folder"]

#: The start of a digest is enough when it has so many digits.
DIGITS = 6


@dataclass(frozen=True)
class Comparison:
    """Compare A and B at one point; ``ratio`` is time of A / time of B.

    Attributes
    ----------
    system, series : what is computed, and how, as far as points differ in it
    paired : whether both were measured in the same packs
    """

    site: str
    system: str
    series: str
    ratio: Ratio
    paired: bool
    artifacts: tuple[str, ...]


def compare(cells: pd.DataFrame, kind: Kind, a: str, b: str) -> list[Comparison]:
    """Compare A and B at every point that both have.

    Parameters
    ----------
    cells : cells of all studies; for two folders with a column ``folder`` that names them
    kind : what A and B are values of
    a, b : two modes, digests of code, sites or folders
    """
    timed = _timed(cells)
    sides = timed.assign(is_a=_is(timed, kind, a), is_b=_is(timed, kind, b))
    sides = sides[sides["is_a"] | sides["is_b"]]
    point = [name for name in [*POINT, "dataset_digest"] if name != kind]

    both = [group for _, group in sides.groupby(point) if group["is_a"].any() and group["is_b"].any()]
    named = with_names(pd.concat(both)) if both else sides.assign(system="", series="")
    return [_comparison(group, kind) for _, group in named.groupby(point, sort=False)]


def _timed(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the cells that have a time, with that of their pack's reference."""
    measured = cells[(cells["role"] == "cell") & (cells["status"] == "ok") & cells["wall_s"].notna()]
    return measured.merge(reference_times(cells), on=["pack", *PROBLEM], how="left")


def _is(cells: pd.DataFrame, kind: Kind, value: str) -> pd.Series[bool]:
    return cells[kind].str.startswith(value) if kind == "code" else cells[kind] == value


def _comparison(group: pd.DataFrame, kind: Kind) -> Comparison:
    a, b = _packs(group[group["is_a"]], kind), _packs(group[group["is_b"]], kind)
    shared = a.merge(b, on=["pack", "host"]) if kind == "mode" else a.iloc[:0]

    if len(shared):
        ratio = paired_ratio(
            shared["seconds_x"].tolist(), shared["seconds_y"].tolist(), shared["host"].tolist()
        )
    else:
        ratio = unpaired_ratio(
            a["seconds"].tolist(), b["seconds"].tolist(), a["host"].tolist(), b["host"].tolist()
        )

    series = str(group.iloc[0]["series"])
    return Comparison(
        site="" if kind == "site" else str(group.iloc[0]["site"]),
        system=str(group.iloc[0]["system"]),
        series=series.partition(" ")[2] if kind == "mode" else series.partition(" at ")[0],
        ratio=ratio,
        paired=bool(len(shared)),
        artifacts=tuple(sorted(group["artifact"].unique())),
    )


def _packs(rows: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """Return one time a pack; a mode that is its pack's reference has the reference's time.

    The summary does the same.
    """
    packs = rows.groupby(["pack", "host"], as_index=False).agg(
        {"wall_s": "median", "reference_s": "first", "reference": "first", "mode": "first"}
    )
    seconds = packs["wall_s"]

    if kind == "mode":
        seconds = seconds.where(packs["mode"] != packs["reference"], packs["reference_s"])
    if kind == "code":
        seconds = seconds / packs["reference_s"]
    return packs.assign(seconds=seconds).dropna(subset=["seconds"])


def kind_of(cells: pd.DataFrame, a: str, b: str) -> Kind:
    """Return what two names are: modes, sites, or beginnings of digests of code.

    Parameters
    ----------
    cells : everything that was measured, whatever code it was measured with

    Raises
    ------
    UserError
        naming what there is
    """
    kinds: list[Kind] = ["mode", "site"]
    for kind in kinds:
        if {a, b} <= set(cells[kind]):
            return kind

    if all(len(name) >= DIGITS and cells["code"].str.startswith(name).any() for name in (a, b)):
        return "code"

    known = cells[(cells["code"] != "") & (cells["role"] == "cell")]
    codes = known[["mode", "code"]].drop_duplicates().sort_values(["mode", "code"])
    raise UserError(
        f"{a} and {b}: not two things of one kind that were measured. Allowed:\n"
        f"  modes    {', '.join(sorted(set(cells['mode'])))}\n"
        f"  sites    {', '.join(sorted(set(cells['site'])))}\n"
        f"  codes    {', '.join(f'{code[:12]} ({mode})' for mode, code in codes.itertuples(index=False))}\n"
        "  folders  paths of two folders of results"
    )


def comparison_as_text(made: Sequence[Comparison], a: str, b: str) -> str:
    """Return a line for each point, and what the numbers mean."""
    sites = {each.site for each in made}
    names = [
        ", ".join(filter(None, [each.system, each.series, each.site if len(sites) > 1 else ""]))
        for each in made
    ]
    width = max(map(len, names), default=0)

    lines = [f"Time of {a} / time of {b}: `faster` means that {a} is."]
    lines += [f"  {name:<{width}}  {_in_words(each.ratio)}" for name, each in zip(names, made, strict=True)]
    if any(each.ratio.verdict == "inconclusive" for each in made):
        lines.append("More replicates narrow an interval: `snakemake --config replicates=N` adds them.")
    return "\n".join(lines)


def _in_words(ratio: Ratio) -> str:
    if ratio.verdict == "too few packs":
        return f"{ratio.value:<26.3g} {ratio.verdict}: an interval needs two of each"

    known = f"{ratio.value:.3g} ({ratio.low:.3g} to {ratio.high:.3g})"
    packs = counted(ratio.packs, "pack")
    return f"{known:<26} {ratio.verdict:<14} {packs}, could have shown {ratio.detectable:.3g}x"
