"""Write tables of pages, and the cells that need more than a number."""

from __future__ import annotations

from typing import Any

from anisweep.formatting import plain


def table(*heads: str) -> list[str]:
    return [line(*heads), line("---", *("--:" for _ in heads[1:]))]


def line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def interval(spread: dict[str, float]) -> str:
    """``13,600 (13,400–13,900)``"""
    if spread["low"] == spread["high"]:
        return plain(spread["median"])
    return f"{plain(spread['median'])} ({plain(spread['low'])}–{plain(spread['high'])})"


def star(row: dict[str, Any]) -> str:
    """A mark where a time was scaled."""
    return " *" if row["measured_pairs"] < row["pairs"] else ""


def basis_words(row: dict[str, Any]) -> str:
    """``lmax 9, nmax 6``, or lmax alone where AniSOAP chooses nmax."""
    nmax = "" if row["max_radial"] is None else f", nmax {row['max_radial']}"
    return f"lmax {row['lmax']}{nmax}"
