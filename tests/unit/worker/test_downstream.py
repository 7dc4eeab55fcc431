"""A model learns what there is to learn, nothing from shuffled energies, and nothing from too little."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import synthetic
from anisweep import datasets, tables
from anisweep.analysis.claims.claim import load_claims
from anisweep.config.project import Project
from anisweep.datasets.canonical import ENERGY, IDENTITY
from anisweep.datasets.canonical_xyz import read, to_text
from anisweep.datasets.generators import gay_berne
from anisweep.report.sections.downstream import HEADS, LEARNED, SHUFFLED, section
from anisweep.worker.downstream import energies_of, learn

ROOT = Path(__file__).resolve().parents[3]
RECIPE = replace(datasets.generated()["gay_berne"], frames=30)


def test_linear_energies_are_learned_and_shuffled_ones_are_not() -> None:
    features = np.random.default_rng(1).normal(size=(300, 20))
    found = learn(features, features @ np.arange(20.0) + 3.0)

    assert found["r2"] > 0.999
    assert found["rmse"] < 1.0
    assert found["r2_shuffled"] < 0.2


def test_energies_of_nothing_in_the_features_are_not_learned() -> None:
    rng = np.random.default_rng(2)

    assert learn(rng.normal(size=(300, 20)), rng.normal(size=300))["r2"] < 0.2


def test_energies_survive_the_file(tmp_path: Path) -> None:
    frames = list(RECIPE.generate())
    file = tmp_path / "a file.xyz"
    file.write_text(to_text(frames))

    known = energies_of(read(file))
    assert known is not None
    assert known.tolist() == [frame.info[ENERGY] for frame in frames]
    assert (known < 0).all()


def test_without_energies_there_is_nothing_to_learn() -> None:
    frames = list(RECIPE.generate())
    del frames[3].info[ENERGY]

    assert energies_of(frames) is None
    assert energies_of(list(RECIPE.generate())[:5]) is None


@pytest.mark.parametrize(
    ("direction", "contact", "well"), [((0, 0, 1), 1.6, -12.5 / 0.9), ((1, 0, 0), 4.8, -2.5 / 0.9)]
)
def test_gay_and_bernes_contacts_and_wells(direction, contact, well) -> None:
    """Of parallel discs: zero at contact; face to face the well is five times as deep."""
    distances = np.linspace(0.9 * contact, 3 * contact, 20_001)
    axes = np.tile(gay_berne.ellipsoids.axes(IDENTITY)[2], (len(distances), 1))
    energies = gay_berne.pair_energies(axes, axes, np.outer(distances, direction))

    assert distances[np.argmax(energies < 0)] == pytest.approx(contact, rel=1e-3)
    assert energies.min() == pytest.approx(well, rel=1e-3)
    assert (np.diff(energies[distances < contact]) < 0).all()


def test_the_energy_is_one_of_molecules_and_not_of_the_cell() -> None:
    frame = next(iter(RECIPE.generate()))

    assert gay_berne.energy_per_molecule(frame.repeat((2, 1, 1))) == pytest.approx(
        frame.info[ENERGY], rel=1e-5
    )


@pytest.mark.parametrize(
    ("dataset", "found", "said"),
    [
        ("gay_berne", {"r2": 0.85}, "it learns"),
        ("gay_berne", {"r2": 0.75}, "nothing"),
        ("gay_berne", {"r2": 0.95, "r2_shuffled": 0.2}, "nothing"),
        ("benzene_clusters", {"r2": 0.95}, "it learns"),
        ("benzene_clusters", {"r2": 0.85}, "nothing"),
        ("another", {"r2": 0.85}, "it learns"),
    ],
)
def test_report_says_what_was_learned(dataset: str, found: dict[str, float], said: str) -> None:
    rows = [row for row in synthetic.first_look() if row.role == "cell"][:2]
    values = {"r2": 0.95, "rmse": 0.1, "r2_shuffled": 0.01} | found
    measured = [replace(row, dataset=dataset, downstream=values) for row in rows]

    cells = tables.cells_table(measured, synthetic.sources(measured))
    shown = section(synthetic.measured(cells=cells))
    assert {row[HEADS.index("says")].text for row in shown.rows} == {said}


def test_without_a_measurement_nothing_is_said() -> None:
    rows = [row for row in synthetic.first_look() if row.role == "cell"][:2]

    cells = tables.cells_table(rows, synthetic.sources(rows))
    assert section(synthetic.measured(cells=cells)).rows == []


def test_the_claims_have_the_bounds_of_the_report() -> None:
    row = load_claims(Project(ROOT))["1_profiling_study"].tables["capabilities"].rows["downstream"]
    bounds = {
        (claim.conditions["dataset"], claim.measure.column): claim.bound
        for claim in row.claims
        if "dataset" in claim.conditions
    }

    assert {name for name, _ in bounds} == set(LEARNED)
    for name, learned in LEARNED.items():
        assert bounds[name, "downstream_r2"].low == learned
        assert bounds[name, "downstream_r2_shuffled"].high == SHUFFLED
