from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import synthetic
from anisweep import figures, tables
from anisweep.cell import NOT_PINNED
from anisweep.figures._drawing import draw_to, load
from anisweep.figures._series import series_of
from anisweep.figures._species import species_family
from anisweep.row import Row


def tables_of(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    return tables.read(folder, "cells"), tables.read(folder, "summary")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    tables.write_all([], {}, folder)
    return folder


def test_the_folder_is_the_list() -> None:
    expected = ["fidelity", "scaling_species", "stage_breakdown", "wall_time_by_system"]
    assert set(expected) <= set(figures.names())

    with pytest.raises(ValueError, match=r"no figure 'wall'; there are: error_vs_time, fidelity, "):
        load("wall")


@pytest.mark.parametrize("name", figures.names())
def test_a_figure_has_its_words(name: str) -> None:
    module = load(name)

    assert module.TITLE
    assert not module.TITLE.endswith(".")
    assert re.fullmatch(r"[A-Z].*\.", module.CAPTION)


@pytest.mark.parametrize("name", figures.names())
def test_labels_are_large_enough(name: str, results: Path) -> None:
    """The drawing is in points and is shown at its own size, so its font sizes are those on the page."""
    svg = (results / "first_look" / "figures" / f"{name}.svg").read_text()
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)]

    assert sizes
    assert min(sizes) >= 9
    width, units = (
        float(re.search(pattern, svg)[1]) for pattern in (r'width="([\d.]+)pt"', r'"0 0 ([\d.]+) ')
    )
    assert width == units


@pytest.mark.parametrize("name", figures.names())
def test_nothing_to_draw_is_said_in_words(name: str, empty: Path, tmp_path: Path) -> None:
    draw_to(name, empty, tmp_path / name)

    words = "".join(re.findall(r"<text[^>]*>([^<]*)</text>", (tmp_path / f"{name}.svg").read_text()))
    assert len(words.split()) > 5
    assert (tmp_path / f"{name}.png").stat().st_size > 0


def test_errors_stand_against_times() -> None:
    """A mark at its mean in ms and its error for each way to compute; zero has a line of its own."""
    rows = synthetic.first_look(replicates=2)
    coarse = [
        replace(row, precision="fp32", key=f"{row.key}32", max_relative_error=1e-6)
        for row in rows
        if row.role == "cell" and row.mode == "torch_full"
    ]
    cells = tables.cells_table(rows + coarse, synthetic.sources(rows))
    summary = tables.summary_table(cells)
    figure = load("error_vs_time").draw(cells, summary)

    panels = {axes.get_title(): axes for axes in figure.axes if axes.get_title()}
    assert len(panels) == 4
    lines = panels["benzenes"].lines
    here = summary[summary["dataset"] == "benzenes"]

    times = sorted(x for line in lines for x in line.get_xdata())
    errors = sorted(y for line in lines for y in line.get_ydata())
    assert times == pytest.approx(sorted(1e3 * here["wall_mean_s"]))
    assert errors == pytest.approx(sorted(here["max_relative_error"].clip(lower=1e-18)), rel=1e-12)
    assert max(errors) == 1e-6
    plt.close(figure)


def test_the_same_tables_give_the_same_bytes(results: Path, tmp_path: Path) -> None:
    draw_to("fidelity", results / "first_look" / "tables", tmp_path / "again")

    for suffix in ("svg", "png"):
        first = results / "first_look" / "figures" / f"fidelity.{suffix}"
        assert (tmp_path / f"again.{suffix}").read_bytes() == first.read_bytes()


def test_wall_times_are_drawn_where_they_are(results: Path) -> None:
    """The mark of each mode and system stands at its mean, in ms, with its interval."""
    cells, summary = tables_of(results / "first_look" / "tables")
    axes = load("wall_time_by_system").draw(cells, summary).axes[0]
    drawn = sorted(x for container in axes.containers for x in container[0].get_xdata())
    plt.close("all")

    assert drawn == pytest.approx(sorted(1e3 * summary["wall_mean_s"]), rel=1e-12)


def test_whiskers_are_the_intervals(tmp_path: Path) -> None:
    """Also of times so scattered that an interval of their plain mean would reach below zero."""
    rows = [replace(r, wall_s=20 * (r.wall_s or 0)) if r.replicate else r for r in synthetic.first_look(2)]
    cells = tables.cells_table(rows, synthetic.sources(rows))
    summary = tables.summary_table(cells)
    axes = load("wall_time_by_system").draw(cells, summary).axes[0]
    ends = [line[:, 0] for container in axes.containers for line in container[2][0].get_segments()]
    plt.close("all")

    drawn = sorted(x for pair in ends for x in pair)
    expected = sorted(1e3 * pd.concat([summary["wall_low_s"], summary["wall_high_s"]]))
    assert drawn == pytest.approx(expected, rel=1e-9)


def test_a_wrong_mode_stands_right_of_its_bound(results: Path) -> None:
    cells, summary = tables_of(results / "troubled" / "tables")
    axes = load("fidelity").draw(cells, summary).axes[0]
    marks = [x for line in axes.lines if line.get_linestyle() == "None" for x in line.get_xdata()]
    bound = next(line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--")
    plt.close("all")

    assert bound == 1e-10
    assert [x for x in marks if x > bound] == [1e-6]


def test_stages_fill_the_bar(results: Path) -> None:
    cells, summary = tables_of(results / "troubled" / "tables")
    panels = load("stage_breakdown").draw(cells, summary).axes
    plt.close("all")

    for axes in panels:
        bars = [bar for container in axes.containers for bar in container]
        ends = {round(bar.get_y(), 6): bar.get_x() + bar.get_width() for bar in bars}
        assert len(ends) == 4
        assert list(ends.values()) == pytest.approx([100.0] * 4, rel=1e-9)


def test_a_stage_looks_the_same_in_every_study() -> None:
    """Whatever its rank: in the second study the two largest have changed places."""
    rows = synthetic.first_look(2)
    turned = [replace(r, stages_s=_turned(r.stages_s)) for r in rows]
    looks = [_looks_of_stages(study) for study in (rows, turned)]
    shared = set(looks[0]) & set(looks[1])

    assert list(looks[0]) != list(looks[1])
    assert {"contraction", "moments", "other"} <= shared
    assert {stage: looks[0][stage] for stage in shared} == {stage: looks[1][stage] for stage in shared}
    assert len(set(looks[0].values())) == len(looks[0])


def _turned(stages: dict[str, float]) -> dict[str, float]:
    other_name = {"moments": "contraction", "contraction": "moments"}
    return {other_name.get(name, name): seconds for name, seconds in stages.items()}


def _looks_of_stages(rows: list[Row]) -> dict[str, tuple[object, ...]]:
    cells = tables.cells_table(rows, synthetic.sources(rows))
    axes = load("stage_breakdown").draw(cells, tables.summary_table(cells)).axes[0]
    plt.close("all")
    return {c.get_label(): (c[0].get_facecolor(), c[0].get_hatch()) for c in axes.containers}


def test_an_unknown_stage_has_its_own_look() -> None:
    look_of = load("stage_breakdown").look_of

    assert look_of("unheard of") == look_of("unheard of")
    assert look_of("unheard of") not in {look_of("contraction"), look_of("other")}


def test_the_species_family_has_one_size(results: Path) -> None:
    _, summary = tables_of(results / "first_look" / "tables")
    family = species_family(summary)

    assert sorted(family["dataset"].unique()) == [
        "four_species",
        "one_species",
        "three_species",
        "two_species",
    ]
    assert set(family["output"]) == {"coefficients"}


def test_each_precision_fills_the_marks_of_its_mode() -> None:
    rows = synthetic.first_look(replicates=2)
    single = [replace(r, precision="fp32", bound=5e-6, max_relative_error=7e-7) for r in rows]
    cells = tables.cells_table(rows + single, synthetic.sources(rows))
    summary = tables.summary_table(cells)
    figure = load("fidelity").draw(cells, summary)
    labels = [text.get_text() for text in figure.legends[0].texts]
    plt.close("all")

    assert labels == ["numpy_only", "torch_batched", "torch_full", "torch_mixed", "fp64", "fp32"]
    looks = {series.label: (series.colour, series.mark, series.fill) for series in series_of(summary)}
    assert len(set(looks.values())) == len(looks) == 8
    assert looks["torch_full fp32"][:2] == looks["torch_full fp64"][:2]
    assert looks["torch_full fp64"][2] == "full"


def test_many_variants_have_marks_of_their_own() -> None:
    rows = synthetic.first_look(replicates=2)
    more = [replace(r, threads=threads) for r in rows for threads in (NOT_PINNED, 2, 4, 8)]
    summary = tables.summary_table(tables.cells_table(rows + more, synthetic.sources(rows)))
    shown = series_of(summary)

    assert len({(series.colour, series.mark) for series in shown}) == len(shown) == 20
    assert [series.label.partition(" ")[2] for series in shown[:5]] == [
        "1 thr.",
        "2 thr.",
        "4 thr.",
        "8 thr.",
        "not pinned",
    ]
