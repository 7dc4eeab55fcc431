"""The generated data sets: sizes, densities, and that they are always the same."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from ase.geometry import get_distances

from anisweep import datasets
from anisweep.datasets.canonical_xyz import to_text
from anisweep.datasets.generators.ellipsoids import axes

#: Those that have no file of tests of their own.
RECIPES = {
    name: recipe
    for name, recipe in datasets.generated().items()
    if recipe.module not in ("supercells", "benzene_clusters")
}

SPECIES = ("one_species", "two_species", "three_species", "four_species")


def frames_of(name: str, count: int):
    return list(replace(RECIPES[name], frames=count).generate())


def test_the_data_sets_are_found():
    assert set(RECIPES) == {"ellipsoids", "benzenes", "gaussian_overlap", "gay_berne", *SPECIES}
    assert all(recipe.frames >= 100 and recipe.made for recipe in RECIPES.values())


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_frame_does_not_depend_on_how_many_are_asked_for(name):
    assert to_text(frames_of(name, 5)).startswith(to_text(frames_of(name, 2)))


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_another_seed_gives_other_frames(name):
    recipe = replace(RECIPES[name], frames=1)

    assert to_text(recipe.generate()) != to_text(replace(recipe, seed=recipe.seed + 1).generate())


#: SHA-256 of the first 20 frames. They change only with a generator, and then every data set is a new one.
BYTES = {
    "ellipsoids": "43c0b4c9b1a2e58c",
    "benzenes": "b684db4164fab935",
    "one_species": "6962683074ce9f85",
    "two_species": "e3a162eea5023339",
    "three_species": "9f32de3e839b5941",
    "four_species": "048a115b349fe588",
    "gaussian_overlap": "0874846449563808",
    "gay_berne": "f1753bd790e85513",
}


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_the_bytes_are_the_same_everywhere(name):
    text = to_text(frames_of(name, 20))

    assert hashlib.sha256(text.encode()).hexdigest().startswith(BYTES[name])


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_frames_are_canonical(name):
    for frame in frames_of(name, 5):
        assert frame.pbc.all()
        assert np.abs(np.linalg.norm(frame.arrays["c_q"], axis=1) - 1).max() < 1e-15
        assert [frame.arrays[key][0] for key in datasets.DIAMETERS] == [3.0, 3.0, 1.0]


def test_ellipsoids_have_the_density_and_sizes_of_the_real_set():
    frames = frames_of("ellipsoids", 400)
    sizes = np.array([len(frame) for frame in frames])
    volumes = np.array([frame.cell.volume for frame in frames]) / sizes

    assert np.abs(volumes - 193.494).max() < 1e-5
    assert set(sizes) == {1, 2}
    assert sizes.mean() == pytest.approx(10_994 / 6_826, abs=0.005)
    assert any(frame.cell.lengths().min() < 3.5 for frame in frames), "cells far smaller than the cutoff"
    assert any(np.abs(frame.cell.angles() - 90).min() > 5 for frame in frames), "triclinic cells"


def test_ellipsoids_point_everywhere():
    quaternions = np.concatenate([frame.arrays["c_q"] for frame in frames_of("ellipsoids", 400)])
    spread = quaternions.T @ quaternions / len(quaternions)

    # Uniform rotations have <q q^T> = 1/4; the entries scatter by about 0.2 / sqrt(640) = 0.008.
    assert np.abs(spread - np.eye(4) / 4).max() < 0.04


def test_benzenes_are_the_twin_of_the_ellipsoids():
    pairs = zip(frames_of("ellipsoids", 10), frames_of("benzenes", 10), strict=True)

    for coarse, atoms in pairs:
        assert (coarse.cell.array == atoms.cell.array).all()
        assert str(atoms.symbols) == "C6H6" * len(coarse)
        assert (atoms.arrays["c_q"] == [1, 0, 0, 0]).all()

        molecules = atoms.positions.reshape(-1, 12, 3) - coarse.positions[:, None]
        radii = np.linalg.norm(molecules, axis=2)
        assert np.abs(radii - np.repeat([1.395, 2.480], 6)).max() < 1e-7

        for molecule, quaternion in zip(molecules, coarse.arrays["c_q"], strict=True):
            assert np.abs(molecule @ axes(quaternion)[2]).max() < 1e-7, "flat along body axis 3"


def test_the_angle_of_a_molecule_minimises_the_repulsion():
    """Brute force over the twelve angles of a lone molecule, with ASE's images."""
    coarse, atoms = next(
        pair
        for pair in zip(frames_of("ellipsoids", 10), frames_of("benzenes", 10), strict=True)
        if len(pair[0]) == 1
    )
    normal = axes(coarse.arrays["c_q"][0])[2]
    energies = []

    for degrees in range(0, 60, 5):
        turned = atoms.copy()
        turned.rotate(degrees, normal, center=coarse.positions[0])
        energies.append(_repulsion_between_images(turned))

    assert np.argmin(energies) == 0
    assert energies[0] < 0.99 * np.median(energies)


def _repulsion_between_images(atoms) -> float:
    shifts = np.array([s for s in np.ndindex(9, 9, 9) if s != (4, 4, 4)]) - 4
    energy = 0.0

    for shift in shifts @ atoms.cell.array:
        _, distances = get_distances(atoms.positions, atoms.positions + shift)
        energy += (distances**-12.0).sum()

    return energy


def test_fifty_frames_of_benzenes_have_about_87_000_pairs():
    count = datasets.pair_count(frames_of("benzenes", 50), 7.0, self_pairs=True)

    assert count == 86_428
    assert abs(count / 87_274 - 1) < 0.02, "as many as the study's file"


def test_species_sets_differ_in_their_labels_only():
    sets = [frames_of(name, 3) for name in SPECIES]

    for number, frames in enumerate(sets, start=1):
        assert datasets.pair_count(frames, 7.0, self_pairs=True) == datasets.pair_count(sets[0], 7.0, True)

        for frame, first in zip(frames, sets[0], strict=True):
            assert (frame.positions == first.positions).all()
            counts = frame.symbols.formula.count()
            assert len(counts) == number
            assert set(counts.values()) == {24 // number}
