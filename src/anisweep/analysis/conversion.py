"""Judge conversion against kernels: which of the two makes a mode slower than its reference.

A mode may lose because its data are converted on the way in and out, or because its kernels and threads are
slower. The summary knows the ratio of times r, with its interval, and the share c of conversion in the mode's
own time. Conversion then costs c r of the reference's time, and without it the ratio would be r (1 - c).

- Slower: conversion is the answer when it is more than half of what the mode loses, c r > (r - 1) / 2.
- Faster: kernels. Conversion can only cost.
- Neither, within the noise or the margin: conversion, when without it the mode would be faster; else nothing
  can be said.

A half that lies inside the interval decides nothing: that is `inconclusive`. The share of conversion varies
far less than the ratio, and stands without an interval: the median over rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from anisweep.files import write_text
from anisweep.tables.names import with_names
from anisweep.tables.statistics import MARGIN

Answer = Literal["conversion", "kernels", "inconclusive"]

#: Conversion is the answer when it explains more than this part of the time lost.
MOST = 0.5


@dataclass(frozen=True)
class Conversion:
    """Hold the answer for one point of a study, with its numbers.

    Attributes
    ----------
    ratio, low, high : time / time of the reference, and its 95 % interval
    conversion : share of the mode's time that goes into conversion, in and out
    without_conversion : the ratio if conversion took no time
    explained : the part of the lost time that is conversion; ``None`` where no time is lost
    """

    site: str
    system: str
    mode: str
    answer: Answer
    because: str
    ratio: float
    low: float
    high: float
    packs: int
    conversion: float
    without_conversion: float
    explained: float | None
    artifacts: tuple[str, ...]


def conversions(summary: pd.DataFrame) -> list[Conversion]:
    """Return what conversion costs at each point that converts and has a ratio; the reference has none.

    Parameters
    ----------
    summary : what `anisweep.tables.summary_table` gives
    """
    named = with_names(summary)
    compared = named[(named["verdict"] != "reference") & named["ratio"].notna()]
    converting = compared[(compared["conv_in_s"].fillna(0.0) + compared["conv_out_s"].fillna(0.0)) > 0]
    return [conversion_of(line) for _, line in converting.iterrows()]


def conversion_of(line: pd.Series[Any]) -> Conversion:
    """Return what conversion costs at one line of a summary, with the columns of `anisweep.tables.names`."""
    converted = sum(float(line[name]) for name in ("conv_in_s", "conv_out_s") if pd.notna(line[name]))
    share = converted / float(line["traced_wall_s"])
    ratio, low, high = (float(line[name]) for name in ("ratio", "ratio_low", "ratio_high"))
    answer, because = _answer(str(line["verdict"]), low, high, ratio, share)

    return Conversion(
        site=str(line["site"]),
        system=str(line["system"]),
        mode=str(line["series"]),
        answer=answer,
        because=because,
        ratio=ratio,
        low=low,
        high=high,
        packs=int(line["ratio_packs"]),
        conversion=share,
        without_conversion=ratio * (1 - share),
        explained=share * ratio / (ratio - 1) if ratio > 1 else None,
        artifacts=tuple(str(line["artifacts"]).split()),
    )


def _answer(verdict: str, low: float, high: float, ratio: float, share: float) -> tuple[Answer, str]:
    if verdict == "too few packs":
        return "inconclusive", "too few packs for an interval"

    if verdict == "faster":
        return "kernels", f"{1 / ratio:.2f} times as fast, although {share:.0%} of its time is conversion"

    if verdict == "slower":
        return _of_a_loss(low, high, share)

    if high * (1 - share) < 1 - MARGIN:
        return "conversion", f"without conversion ({share:.0%} of its time) it would be faster"
    return "inconclusive", "neither faster nor slower, and conversion hides no gain"


def _of_a_loss(low: float, high: float, share: float) -> tuple[Answer, str]:
    """Answer for a mode that is slower.

    Conversion takes the same share of a larger time, so it explains less of a larger loss.
    """
    least, most = share * high / (high - 1), share * low / (low - 1)
    said = f"conversion explains {least:.0%} to {min(most, 1.0):.0%} of the time it loses"

    if least > MOST:
        return "conversion", said
    return ("kernels", said) if most < MOST else ("inconclusive", f"{said}: a half lies between")


def overall(made: Sequence[Conversion]) -> dict[str, Answer]:
    """Return the answer of each mode: that on which its decided points agree, else inconclusive."""
    answers: dict[str, Answer] = {}

    for mode in sorted({each.mode for each in made}):
        decided = {each.answer for each in made if each.mode == mode} - {"inconclusive"}
        answers[mode] = decided.pop() if len(decided) == 1 else "inconclusive"
    return answers


def write(summary: pd.DataFrame, path: Path) -> None:
    """Write the answers and their numbers as JSON."""
    made = conversions(summary)
    content = {
        "question": "Is it conversion, or kernels and threads?",
        "answers": overall(made),
        "points": [asdict(each) for each in made],
    }
    write_text(path, json.dumps(content, indent=1) + "\n")
