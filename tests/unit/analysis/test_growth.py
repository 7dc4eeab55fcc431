"""Planted exponents are found, along the right measure of size."""

from __future__ import annotations

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import synthetic
from anisweep import tables
from anisweep.analysis.growth import Growth, growths
from anisweep.figures._drawing import load
from anisweep.report.sections.growth import section


def table(seconds, *, noise: float = 0.0, hypers=({},)) -> pd.DataFrame:
    """Cells of one mode on crystals of 24 to 384 atoms of one to four species, for ``seconds(row)``."""
    rng = np.random.default_rng(3)
    pattern = next(r for r in synthetic.first_look() if r.role == "cell" and r.dataset == "one_species")
    rows = []

    for replicate in (1, 2, 3):
        for atoms in (24, 96, 384):
            for species in (1, 2, 3, 4):
                for values in hypers:
                    row = replace(
                        pattern,
                        output="coefficients",
                        dataset=f"n{atoms}_z{species}",
                        replicate=replicate,
                        particles=atoms,
                        frames=1,
                        species=species,
                        species_products=atoms**2 * (species + 1) // (2 * species),
                        pairs=80 * atoms,
                        hypers={**pattern.hypers, **values},
                    )
                    wall = seconds(row) * float(np.exp(noise * rng.normal()))
                    rows.append(replace(row, wall_s=wall))
    return tables.cells_table(rows, synthetic.sources(rows))


def lines(found: list[Growth]) -> dict[str, Growth]:
    return {line.along: line for line in found}


def test_time_of_the_pairs_alone() -> None:
    found = lines(growths(table(lambda row: 1e-3 * row.pairs)))

    assert found["pairs"].exponent == pytest.approx(1.0)
    assert found["N²"].exponent == pytest.approx(0.5)
    assert found["species"].exponent == pytest.approx(0.0, abs=1e-9)
    assert found["pairs"].scatter == pytest.approx(1.0)
    assert found["Σ N_a N_b, a ≤ b"].scatter > 1.05
    assert (found["pairs"].smallest, found["pairs"].largest, found["pairs"].points) == (1920, 30720, 12)


def test_time_of_the_species_products() -> None:
    found = lines(growths(table(lambda row: 1e-6 * row.species_products)))

    assert found["Σ N_a N_b, a ≤ b"].exponent == pytest.approx(1.0)
    assert found["Σ N_a N_b, a ≤ b"].scatter == pytest.approx(1.0)
    assert found["species"].exponent < -0.2


def test_noise_widens_the_interval_around_the_truth() -> None:
    line = lines(growths(table(lambda row: 1e-3 * row.pairs, noise=0.1)))["pairs"]

    assert line.low < 1.0 < line.high
    assert 0.001 < line.high - line.low < 0.5
    assert 1.02 < line.scatter < 1.25


def test_growth_with_a_hyperparameter() -> None:
    orders = [{"max_angular": order} for order in (2, 4, 8)]
    found = growths(table(lambda row: 1e-3 * row.hypers["max_angular"] ** 3, hypers=orders))

    along = [line for line in found if line.along == "lmax"]
    assert len(along) == 12
    assert all(line.exponent == pytest.approx(3.0) for line in along)
    assert all(line.points == 3 for line in along)


def test_growth_with_frames() -> None:
    cells = table(lambda row: 1e-3 * row.pairs)
    one = cells[cells["dataset"] == "n24_z1"]
    sizes = [one.assign(frames=count, wall_s=1e-3 * count**0.8) for count in (1, 4, 16)]
    found = [line for line in growths(pd.concat(sizes)) if line.along == "frames"]

    assert [line.exponent for line in found] == [pytest.approx(0.8)]
    assert (found[0].smallest, found[0].largest, found[0].replicates) == (1, 16, 3)


def test_a_hyperparameter_grows_while_the_others_stand() -> None:
    sets = [{"max_angular": order, "cutoff_radius": 5.0} for order in (2, 4, 8)]
    sets += [{"max_angular": 4, "cutoff_radius": radius} for radius in (4.0, 8.0)]
    cells = table(lambda row: row.hypers["max_angular"] ** 2 * row.hypers["cutoff_radius"] ** 3, hypers=sets)
    found = {line.along: line for line in growths(cells) if line.where.startswith("n24 z1,")}

    assert found["lmax"].exponent == pytest.approx(2.0)
    assert found["cutoff"].exponent == pytest.approx(3.0)
    assert found["cutoff"].points == 3


def test_figure_shows_time_and_error_against_each_hyperparameter() -> None:
    sets = [{"max_angular": order, "cutoff_radius": 5.0} for order in (2, 4, 8)]
    sets += [{"max_angular": 4, "cutoff_radius": radius} for radius in (4.0, 8.0)]
    cells = table(lambda row: 1e-3 * row.hypers["cutoff_radius"] ** 3, hypers=sets)
    cells["max_relative_error"] = 1e-15 * cells["hyper_cutoff_radius"]
    summary = tables.summary_table(cells)
    figure = load("growth").draw(cells, summary)
    times, errors = np.array(figure.axes).reshape(2, 2)
    plt.close("all")

    assert [axes.get_xlabel() for axes in errors] == ["lmax", "cutoff / Å"]
    (radii,) = errors[1].lines
    assert list(radii.get_xdata()) == [4.0, 5.0, 8.0]
    assert list(radii.get_ydata()) == pytest.approx([4e-15, 5e-15, 8e-15])
    (marks,) = times[1].containers
    assert list(marks[0].get_ydata()) == pytest.approx([64.0, 125.0, 512.0])


def test_tables_of_an_older_version() -> None:
    cells = table(lambda row: 1e-3 * row.pairs).drop(columns="species_products")

    assert set(lines(growths(cells))) == {"pairs", "N²", "species"}


def test_two_sizes_are_no_line() -> None:
    cells = table(lambda row: 1e-3 * row.pairs)

    two = growths(cells[cells["particles"] < 384])
    assert {line.along for line in two} == {"species", "Σ N_a N_b, a ≤ b"}


def test_sparser_data_are_of_another_kind() -> None:
    cells = table(lambda row: 1e-3 * row.pairs)
    sparse = cells.assign(pairs=cells["pairs"].where(cells["particles"] < 384, 40))

    assert "pairs" not in lines(growths(sparse))


def test_report_shows_each_line() -> None:
    shown = section(synthetic.measured(cells=table(lambda row: 1e-3 * row.pairs)))

    texts = {row[2].text: row[6].text for row in shown.rows}
    assert texts["pairs"] == "1.00"
    assert all(row[-1].links for row in shown.rows)


def test_a_study_of_which_nothing_is_measured_yet_has_none() -> None:
    assert growths(tables.cells_table([], {})) == []
