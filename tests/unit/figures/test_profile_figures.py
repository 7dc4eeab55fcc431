"""Figures of profiles: the shares that they show, with Graphviz and without it."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import profiled_study
import synthetic
from anisweep import report, tables
from anisweep.figures import profiles
from anisweep.figures.profiles import _layers, callgraph, flame, hotspots
from anisweep.tables.hotspots import write_profiles

NAMES = ["flame_ellipsoids", "prof_ellipsoids_50", "prof_ellipsoids_callgraph"]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("profiled") / "first_look"
    rows = synthetic.first_look(2)
    tables.write_all(rows, synthetic.sources(rows), folder / "tables")
    write_profiles(profiled_study.profiles(), folder / "tables", folder / "profiles")

    for name in NAMES:
        profiles.draw_to(name, folder / "tables", folder / "profiles", folder / "figures" / name)
    return folder


def test_each_data_set_has_its_figures(study: Path) -> None:
    assert sorted(profiles.names(tables.read(study / "tables", "hotspots"))) == NAMES


def test_each_number_of_frames_has_its_hotspots(study: Path) -> None:
    lines = tables.read(study / "tables", "hotspots")
    found = profiles.names(pd.concat([lines.assign(frames=200), lines]))

    assert {name: frames for name, (_, _, frames) in found.items()} == {
        "prof_ellipsoids_50": 50,
        "prof_ellipsoids_200": 200,
        "prof_ellipsoids_callgraph": 200,
        "flame_ellipsoids": 200,
    }


@pytest.mark.parametrize("name", NAMES)
def test_labels_are_large_enough(study: Path, name: str) -> None:
    svg = (study / "figures" / f"{name}.svg").read_text()

    assert min(float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)) >= 9
    assert (study / "figures" / f"{name}.png").stat().st_size > 5000


def test_the_report_shows_them(study: Path, tmp_path: Path) -> None:
    report.write(
        [report.Study("first_look", "Where?", study / "tables", study / "figures")], tmp_path / "report.html"
    )
    page = (tmp_path / "report.html").read_text()

    for title in ("Call graph: ellipsoids, 50 frames", "Hotspots: ellipsoids", "Flame graph: ellipsoids"):
        assert title in page

    table = page[page.index("<summary>Hotspots</summary>") :]
    inner = table[table.index("profiled_study:inner") :]
    assert 'data-sort="100.0">100' in inner[: inner.index("</tr>")]
    assert 'data-sort="1.25">1,250' in inner[: inner.index("</tr>")]


def test_bars_are_the_shares(study: Path) -> None:
    lines = tables.read(study / "tables", "hotspots")
    one = lines[lines["mode"] == "numpy_only"]
    top = hotspots.longest(one)
    inner = one[one["function"] == "profiled_study:inner"]

    shares = 100 * inner["self_s"] / inner["profiled_s"]
    assert top.loc["profiled_study:inner", "own"] == pytest.approx(shares.mean(), rel=1e-12)
    assert top.loc["profiled_study:inner", "spread"] == pytest.approx(shares.std(), rel=1e-12)
    assert top.loc["profiled_study:inner", "calls"] == 100


def test_flames_are_the_samples() -> None:
    root = flame.tree(profiled_study.STACKS.format(mode="numpy_only"))
    transform = root.called["anisoap.x:transform"]
    expand = transform.called["anisoap.x:expand"]

    assert root.seconds == pytest.approx(1e-3, rel=1e-12)
    assert transform.seconds == pytest.approx(0.95e-3, rel=1e-12)
    assert expand.called["numpy.e:einsum"].seconds == pytest.approx(0.6e-3, rel=1e-12)
    assert flame.depth(root) == 3


def test_boxes_stand_inside_those_that_call_them(study: Path) -> None:
    lines = tables.read(study / "tables", "hotspots")
    figure = flame.draw(lines, study / "profiles")
    plt.close("all")

    for axes in figure.axes:
        boxes = sorted((box.get_y(), box.get_x(), box.get_x() + box.get_width()) for box in axes.patches)
        for level, left, right in boxes:
            below = [b for b in boxes if b[0] == level - 1 and b[1] <= left + 1e-9 and b[2] >= right - 1e-9]
            assert level == 0 or len(below) == 1


def test_the_call_graph_is_that_of_the_profile(study: Path) -> None:
    lines = tables.read(study / "tables", "hotspots")
    file = next((study / "profiles").glob("*numpy_only*.prof"))
    graph = callgraph.read(file)
    nodes = {name.rpartition(":")[2]: node for name, node in graph.nodes.items()}
    inner = lines[(lines["profile"] == file.stem) & (lines["function"] == "profiled_study:inner")].iloc[0]

    assert nodes["inner"].calls == 100
    assert nodes["inner"].share == pytest.approx(inner["cumulative_s"] / inner["profiled_s"], rel=1e-9)
    assert any(caller.endswith("outer") and callee.endswith("inner") for caller, callee in graph.edges)


CALLS = {"a": ["b", "c"], "b": ["d"], "c": ["d", "a"], "d": ["d"], "e": []}


def test_layers_without_graphviz() -> None:
    """Callers above what they call, no two boxes in one place, and calls in a circle do no harm."""
    at = _layers.in_layers(CALLS)

    assert at["a"][1] > at["b"][1] == at["c"][1] > at["d"][1]
    assert len(set(at.values())) == len(CALLS)
    assert min(abs(at["b"][0] - at["c"][0]), _layers.WIDE) == _layers.WIDE


def test_graphviz_is_asked_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that answers as `dot -Tplain` does, and keeps what it was asked."""
    answer = "graph 1 4 3\\n" + "".join(
        f"node {k} {k}.5 {9 - k} 2 0.5 {k} solid box black lightgrey\\n" for k in range(5)
    )
    dot = tmp_path / "dot"
    dot.write_text(f"#!/bin/sh\ncat > {tmp_path}/asked\nprintf '{answer}edge 0 1 4 stop\\nstop\\n'\n")
    dot.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    assert _layers.places(CALLS) == {name: (k + 0.5, 9.0 - k) for k, name in enumerate(CALLS)}
    assert "0->1;0->2;1->3;" in (tmp_path / "asked").read_text()


def test_nothing_came_to_its_profile(tmp_path: Path) -> None:
    write_profiles([], tmp_path / "tables", tmp_path / "profiles")
    profiles.draw_to(
        "flame_benzenes", tmp_path / "tables", tmp_path / "profiles", tmp_path / "flame_benzenes"
    )

    assert (
        "No cell came as far as the profile of flame_benzenes"
        in (tmp_path / "flame_benzenes.svg").read_text()
    )
