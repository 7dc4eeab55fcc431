"""Clusters of benzenes: shapes that their atoms have, and energies that benzenes have."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from itertools import combinations, islice

import numpy as np
import pytest
from ase import Atoms
from ase.units import kcal, mol

from anisweep import datasets
from anisweep.datasets.canonical import ENERGY
from anisweep.datasets.canonical_xyz import to_text
from anisweep.datasets.generators import benzene_clusters, ellipsoids
from anisweep.datasets.generators.benzenes import CARBON, HYDROGEN, SYMBOLS

RECIPE = datasets.generated()["benzene_clusters"]
NUMBERS = range(30)

NO_TBLITE = "no tblite: it has no wheel for this machine"

#: Of the first 12 frames, without their energies and with them.
SHAPES = "d3d5ccc6fa248cb5"
ENERGIES = "ee84bf58496a3670"


@pytest.fixture
def tblite() -> None:
    pytest.importorskip("tblite.ase", reason=NO_TBLITE, exc_type=ImportError)


@pytest.fixture(scope="module")
def frames() -> list[Atoms]:
    """The first ones with their energies."""
    pytest.importorskip("tblite.ase", reason=NO_TBLITE, exc_type=ImportError)
    return list(islice(RECIPE.generate(), 12))


def clusters() -> list[list[Atoms]]:
    return [benzene_clusters.cluster(number, RECIPE.seed) for number in NUMBERS]


def digest(frames) -> str:
    return hashlib.sha256(to_text(frames).encode()).hexdigest()[:16]


def flat() -> Atoms:
    """A benzene in the plane of x and y, about the origin."""
    angles = np.arange(6) * (np.pi / 3)
    hexagon = np.column_stack([np.cos(angles), np.sin(angles), np.zeros(6)])
    return Atoms(SYMBOLS, positions=np.concatenate([CARBON * hexagon, HYDROGEN * hexagon]))


def pair(distance: float, *, upright: bool = False) -> list[Atoms]:
    """Two benzenes face to face, or the second upright upon the first, with a hydrogen to its ring."""
    other = flat()
    if upright:
        other.rotate(90, "y")
    other.translate([0, 0, distance])
    return [flat(), other]


def pair_energies(distances, **how) -> np.ndarray:
    """Of both molecules, in kcal/mol."""
    energies = [benzene_clusters.energy_per_molecule(pair(distance, **how)) for distance in distances]
    return 2 * np.array(energies) / (kcal / mol)


def test_clusters_have_two_to_four_rigid_molecules() -> None:
    lone = flat().get_all_distances()

    for number, molecules in zip(NUMBERS, clusters(), strict=True):
        assert len(molecules) == 2 + number % 3
        for molecule in molecules:
            assert str(molecule.symbols) == "C6H6"
            assert np.abs(molecule.get_all_distances() - lone).max() < 1e-12


def test_molecules_do_not_overlap_and_none_is_alone() -> None:
    for molecules in clusters():
        for one, other in combinations(molecules, 2):
            between = np.linalg.norm(one.positions[:, None] - other.positions, axis=-1)
            assert between.min() > 2.6

        centres = np.array([molecule.get_center_of_mass() for molecule in molecules])
        distances = np.linalg.norm(centres[:, None] - centres, axis=-1)
        np.fill_diagonal(distances, np.inf)
        assert distances.min() >= 3.5
        assert (distances.min(axis=1) < 7.0).all(), "within the cutoff of the study"


def test_an_ellipsoid_lies_as_its_molecule_does() -> None:
    for molecules, frame in zip(clusters(), RECIPE.shapes(), strict=False):
        assert not frame.pbc.any()
        assert len(frame) == len(molecules)
        assert np.abs(np.linalg.norm(frame.arrays["c_q"], axis=1) - 1).max() < 1e-15
        assert [frame.arrays[name][0] for name in datasets.DIAMETERS] == [4.0, 4.0, 0.5]

        for molecule, centre, quaternion in zip(molecules, frame.positions, frame.arrays["c_q"], strict=True):
            axes = ellipsoids.axes(quaternion)
            assert np.linalg.det(axes) == pytest.approx(1.0)
            assert np.abs((molecule.positions - centre) @ axes[2]).max() < 1e-6, "flat along body axis 3"


@pytest.mark.parametrize("turn", [0.0, 17.0, 60.0])
def test_the_turn_in_the_plane_is_not_seen(turn: float) -> None:
    """The two smaller moments are equal, so their axes are whatever the eigensolver gives."""
    molecule = flat()
    molecule.rotate(turn, "z")
    lying = benzene_clusters.orientation(molecule)
    molecule.rotate(40, "x")
    tilted = benzene_clusters.orientation(molecule)

    assert lying == pytest.approx([2, 0, 0, 0], abs=1e-9)
    assert ellipsoids.axes(np.array(tilted) / np.linalg.norm(tilted))[2] == pytest.approx(
        [0, -np.sin(np.deg2rad(40)), np.cos(np.deg2rad(40))], abs=1e-9
    )


def test_orientations_are_spread() -> None:
    axes = [
        ellipsoids.axes(quaternion)[2]
        for frame in replace(RECIPE, frames=100).shapes()
        for quaternion in frame.arrays["c_q"]
    ]
    spread = np.array(axes).T @ np.array(axes) / len(axes)

    # Directions everywhere have <n n^T> = 1/3; neighbours that fit beside each other are a little alike.
    assert np.abs(spread - np.eye(3) / 3).max() < 0.05


def test_the_shapes_are_the_frames_without_energies(frames: list[Atoms]) -> None:
    for shape, frame in zip(RECIPE.shapes(), frames, strict=False):
        assert ENERGY in frame.info
        assert ENERGY not in shape.info

        bare = frame.copy()
        del bare.info[ENERGY]
        assert to_text([shape]) == to_text([bare])


def test_the_bytes_of_the_shapes_are_the_same_everywhere() -> None:
    assert digest(islice(RECIPE.shapes(), 12)) == SHAPES


def test_the_bytes_of_the_energies_are_the_same_everywhere(frames: list[Atoms]) -> None:
    assert digest(frames) == ENERGIES


def test_benzenes_bind_face_to_face(tblite: None) -> None:
    """By 1.7 kcal/mol at 3.9 Angstrom as the best methods have it; GFN2-xTB binds more, and nearer."""
    distances = np.arange(3.0, 4.7, 0.2)
    energies = pair_energies(distances)

    assert -4.5 < energies.min() < -1.5
    assert 3.2 < distances[energies.argmin()] < 4.0
    assert pair_energies([2.7])[0] > 5, "repelled below"
    assert abs(pair_energies([15.0])[0]) < 0.05, "nothing far away"


def test_benzenes_bind_edge_to_face(tblite: None) -> None:
    """By 2.7 kcal/mol at 5.0 Angstrom as the best methods have it."""
    distances = np.arange(4.4, 5.9, 0.2)
    energies = pair_energies(distances, upright=True)

    assert -3.0 < energies.min() < -1.5
    assert 4.7 < distances[energies.argmin()] < 5.3
    assert pair_energies([4.2], upright=True)[0] > 2, "repelled below"


def test_the_energy_is_of_what_molecules_have_of_each_other(tblite: None) -> None:
    """Of two pairs far from each other, a molecule has what it has in one of them."""
    near = pair(3.8)
    both = [*near, *pair(3.8)]
    for molecule in both[2:]:
        molecule.translate([60, 0, 0])

    alone = benzene_clusters.energy_per_molecule(near)
    assert benzene_clusters.energy_per_molecule(both) == pytest.approx(alone, abs=1e-6)
    assert benzene_clusters.energy_per_molecule(near[::-1]) == pytest.approx(alone, abs=1e-9)


def test_no_repulsion_is_there_to_learn(frames: list[Atoms]) -> None:
    energies = [frame.info[ENERGY] for frame in frames]

    assert min(energies) > -0.2
    assert max(energies) < 0.01
    assert np.std(energies) > 0.005, "far more than their six digits resolve"


def test_energies_are_computed_by_one_thread(monkeypatch: pytest.MonkeyPatch, tblite: None) -> None:
    import tblite.ase
    from threadpoolctl import threadpool_info

    seen = []

    class Watching(tblite.ase.TBLite):
        def calculate(self, *arguments, **options):
            seen.extend(pool["num_threads"] for pool in threadpool_info())
            super().calculate(*arguments, **options)

    monkeypatch.setattr(tblite.ase, "TBLite", Watching)
    next(RECIPE.generate())

    assert seen
    assert set(seen) == {1}


def test_without_tblite_the_shapes_are_there_and_the_energies_are_not(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tblite.ase", None)

    assert len(next(RECIPE.shapes())) == 2
    with pytest.raises(datasets.DataError, match=r"tblite.*cannot be imported.*Allowed.*libgomp.*copy data/"):
        next(RECIPE.generate())
