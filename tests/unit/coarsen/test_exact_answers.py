"""Molecules of which everything is known: turned, moved, cut by boundaries, of several kinds."""

from __future__ import annotations

import known_molecules as known
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_molecules import apart, axes_of, placed, spread
from scipy.spatial.transform import Rotation

from anisweep.coarsen import Coarsening, CoarseOptions, coarse_frames, summary

SEEDS = st.integers(0, 2**31)
CELLS = st.sampled_from([None, known.CUBE, known.TRICLINIC])
KINDS = [known.BENZENE, known.WATER, known.CARBON_DIOXIDE, known.ETHYNYL, known.METHANE, known.ARGON]

some = settings(max_examples=25, deadline=None)


def coarsened(*frames, **options):
    return list(coarse_frames(frames, CoarseOptions(**options)))


@some
@given(SEEDS, CELLS)
def test_centres_axes_forces_and_torques_of_turned_molecules(seed, cell):
    generator = np.random.default_rng(seed)
    turns = Rotation.random(8, generator)
    centres = spread(8, known.CUBE if cell is None else cell)
    frame = placed([known.BENZENE] * 8, centres, turns, cell)
    forces = generator.normal(size=(8, 12, 3))
    frame.arrays["forces"] = forces.reshape(-1, 3)

    (particles,) = coarsened(frame)

    offsets = np.array([turn.apply(known.BENZENE.places) for turn in turns])
    normals = turns.apply([0, 0, 1])
    assert apart(particles.positions, centres, frame) < 1e-12 * 30
    assert np.abs(np.einsum("mi,mi->m", axes_of(particles)[:, :, 2], normals)) == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(particles.arrays["forces"], forces.sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(particles.arrays["torques"], np.cross(offsets, forces).sum(axis=1), atol=1e-11)


@some
@given(SEEDS, CELLS, st.sampled_from(KINDS[:-1]))
def test_axes_lie_in_each_molecule_alike_and_turn_with_it(seed, cell, kind):
    """Also those that inertia does not tell apart; but for a line, which does not say how it has spun."""
    generator = np.random.default_rng(seed)
    turns = Rotation.random(8, generator)
    steps = Rotation.from_rotvec(generator.uniform(-0.3, 0.3, (8, 3)))
    centres = spread(8, known.CUBE if cell is None else cell)
    frames = [placed([kind] * 8, centres, each, cell) for each in (turns, steps * turns)]

    first, second = map(axes_of, coarsened(*frames))

    told = slice(0, 1) if kind is known.CARBON_DIOXIDE else slice(None)
    in_body = turns.inv().as_matrix() @ first
    np.testing.assert_allclose(in_body[:, :, told], in_body[:1, :, told].repeat(8, 0), atol=1e-6)
    np.testing.assert_allclose((steps.as_matrix() @ first)[:, :, told], second[:, :, told], atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(first), 1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_moments_are_ascending_and_those_of_the_axes(kind):
    (particles,) = coarsened(placed([kind], spread(1), Rotation.random(1, 5)))

    squares = (kind.masses[:, None] * kind.places**2).sum(axis=0)
    exact = np.sort(squares.sum() - np.linalg.eigvalsh((kind.places.T * kind.masses) @ kind.places))
    moments = particles.arrays["moments"][0]
    np.testing.assert_allclose(moments, exact, atol=1e-10)
    assert (np.diff(moments) > -1e-9).all()
    assert particles.arrays["mass"][0] == pytest.approx(kind.masses.sum())


def test_an_axis_of_three_different_moments_has_its_own_name():
    (particles,) = coarsened(placed([known.WATER], spread(1), Rotation.identity(1)))

    assert np.abs(axes_of(particles)[0]) == pytest.approx(np.eye(3), abs=1e-9)


def test_kinds_of_molecules_are_species_with_their_formulas():
    kinds = [known.WATER, known.BENZENE, known.ARGON, known.WATER, known.CARBON_DIOXIDE]
    coarsening = Coarsening(CoarseOptions())
    particles = coarsening.particles(placed(kinds, spread(5), Rotation.random(5, 1)))

    names = particles.info["species_names"]
    usual = ["H2O", "C6H6", "Ar", "H2O", "CO2"]
    assert [names.get(number, "Ar") for number in particles.numbers.tolist()] == usual
    assert [line.partition(":")[0] for line in summary(coarsening)[:4]] == ["H2O", "C6H6", "Ar", "CO2"]


def test_names_that_are_given_are_the_species():
    (particles,) = coarsened(
        placed([known.WATER, known.ARGON], spread(2), Rotation.random(2, 1)), names=("W", "Xe")
    )
    assert particles.get_chemical_symbols() == ["W", "Xe"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (known.BENZENE, "a disc, its normal along z."),
        (known.ETHYNYL, "a rod along x."),
        (known.CARBON_DIOXIDE, "linear, a rod along x."),
        (known.METHANE, "a spherical top, without an axis of its own."),
        (known.WATER, "three different axes, the longest along x."),
        (known.ARGON, "of 1 atom, without axes."),
    ],
)
def test_shapes_are_said_in_words(kind, words):
    coarsening = Coarsening(CoarseOptions())
    coarsening.particles(placed([kind, kind], spread(2), Rotation.random(2, 3)))

    assert words in summary(coarsening)[0]


def test_a_nearly_symmetric_top_is_said_to_be_one():
    coarsening = Coarsening(CoarseOptions())
    long = known.molecule(" ".join(known.BENZENE.species), known.BENZENE.places * [1.03, 1, 1])
    coarsening.particles(placed([long], spread(1), Rotation.random(1, 3)))

    assert "(a near-symmetric top: the moments of x and y differ by 6 %)" in summary(coarsening)[0]


def test_diameters_are_those_of_a_gaussian_with_the_same_second_moments():
    (particles,) = coarsened(placed([known.BENZENE], spread(1), Rotation.random(1, 3)))

    in_plane = np.sqrt(known.BENZENE.masses @ known.BENZENE.places[:, 0] ** 2 / known.BENZENE.masses.sum())
    lengths = [particles.arrays[f"c_diameter[{axis}]"][0] for axis in (1, 2, 3)]
    assert lengths == pytest.approx([2 * in_plane, 2 * in_plane, 1.09 / 2])


def test_axes_of_warm_discs_turn_continuously_where_frames_follow_one_another():
    """Each frame's own inertia would exchange axes in the plane all the time."""
    generator = np.random.default_rng(4)
    turns, frames = Rotation.random(8, generator), []
    for _ in range(40):
        turns = Rotation.from_rotvec(generator.normal(0, 0.05, (8, 3))) * turns
        frame = placed([known.BENZENE] * 8, spread(8), turns)
        frame.positions += generator.normal(0, 0.05, frame.positions.shape)
        frames.append(frame)

    axes = np.array([axes_of(particles) for particles in coarsened(*frames)])
    steps = Rotation.from_matrix((axes[1:] @ axes[:-1].transpose(0, 1, 3, 2)).reshape(-1, 3, 3)).magnitude()
    assert steps.max() < 0.5


def test_lines_that_bend_do_not_spin():
    generator = np.random.default_rng(4)
    frames = []
    for _ in range(30):
        frame = placed([known.CARBON_DIOXIDE] * 8, spread(8), Rotation.identity(8))
        frame.positions += generator.normal(0, 0.02, frame.positions.shape)
        frames.append(frame)

    axes = np.array([axes_of(particles) for particles in coarsened(*frames)])
    assert np.abs(axes[1:] - axes[:-1]).max() < 0.3


def test_frames_far_from_one_another_have_the_axes_of_their_own_inertia():
    long = known.molecule(" ".join(known.BENZENE.species), known.BENZENE.places * [1.03, 1, 1])
    turns = Rotation.random(8, 1), Rotation.random(8, 2)
    coarsening = Coarsening(CoarseOptions())
    both = [coarsening.particles(placed([long] * 8, spread(8), each)) for each in turns]

    for particles, each in zip(both, turns, strict=True):
        np.testing.assert_allclose(
            np.abs(each.inv().as_matrix() @ axes_of(particles)), [np.eye(3)] * 8, atol=1e-6
        )
    assert "does not follow" in summary(coarsening)[-1]


def test_a_molecule_longer_than_the_cell_is_put_together_bond_by_bond():
    chain = known.molecule("C " * 12, np.column_stack([1.5 * np.arange(12), np.zeros((12, 2))]))
    frame = placed([chain], spread(1, 10 * np.eye(3)), Rotation.random(1, 8), 10 * np.eye(3))
    (particles,) = coarsened(frame)

    moment = chain.masses @ chain.places[:, 0] ** 2
    assert particles.arrays["moments"][0] == pytest.approx([0, moment, moment], abs=1e-8)


def test_molecules_may_be_lists_and_other_atoms_are_left_out_and_counted():
    frame = placed([known.WATER, known.ARGON, known.WATER], spread(3), Rotation.random(3, 2))
    del frame.arrays["mol"]
    coarsening = Coarsening(CoarseOptions(molecules=[[4, 5, 6], [0, 1, 2]]))
    particles = coarsening.particles(frame)

    assert apart(particles.positions, spread(3)[[2, 0]], frame) < 1e-9
    assert "Left out, as in no molecule: 1 atom a frame." in summary(coarsening)


def test_residues_end_where_their_number_or_name_changes():
    frame = placed([known.WATER, known.WATER, known.ARGON], spread(3), Rotation.random(3, 2))
    del frame.arrays["mol"]
    frame.arrays["residuenumbers"] = np.array([99999] * 3 + [0] * 3 + [0])
    frame.arrays["residuenames"] = np.array(["SOL"] * 6 + ["ION"])
    (particles,) = coarsened(frame)

    assert apart(particles.positions, spread(3), frame) < 1e-9
    assert set(particles.info["species_names"].values()) == {"SOL", "ION"}


def test_masses_by_species_count():
    frame = placed([known.WATER], spread(1), Rotation.random(1, 2))
    (particles,) = coarsened(frame, masses={"H": 2.0})

    assert particles.arrays["mass"][0] == pytest.approx(15.999 + 4)


def test_frames_without_forces_have_no_torques_and_that_is_said():
    coarsening = Coarsening(CoarseOptions())
    particles = coarsening.particles(placed([known.WATER], spread(1), Rotation.random(1, 2)))

    assert not {"forces", "torques"} & set(particles.arrays)
    assert any("no forces" in line for line in summary(coarsening))
