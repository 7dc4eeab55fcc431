"""The figures of a profiled data set, by the study's old names."""

from __future__ import annotations

from typing import Literal

Kind = Literal["callgraph", "hotspots", "flame"]


def profile_figures(dataset: str, frames: int) -> dict[str, Kind]:
    """What each figure shows, by its name: ``prof_<dataset>_callgraph``, ``prof_<dataset>_<frames>``, ..."""
    return {
        f"prof_{dataset}_callgraph": "callgraph",
        f"prof_{dataset}_{frames}": "hotspots",
        f"flame_{dataset}": "flame",
    }
