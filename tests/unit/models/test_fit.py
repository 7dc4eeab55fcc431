"""Closed-form fits: known weights are found again, and the answer is that of plain least squares."""

import numpy as np
import pytest

from anisweep.descriptors import gradients, jacobian
from anisweep.models import LabelWeights, RidgeModel, rows
from tests.unit.descriptors.frames_for_tests import projection, random_frame, relative

KINDS = ("energies", "forces", "torques", "stresses")


def dense_frames(count, species=(1, 6), shape="triaxial"):
    return [random_frame(3 + n % 3, species, edge=6.0, seed=n, shape=shape) for n in range(count)]


def truth(calculator, frames, intercepts=(2.0, -3.0)):
    """A model with weights at random, alike for (a, b) and (b, a), which are one feature."""
    species = (1, 6)[: len(intercepts)]
    columns = calculator.describe(frames, species=species).columns.tolist()
    places = {column: place for place, column in enumerate(columns)}
    other = [
        places[(l, m, *second, *first)] for l, m, *ends in columns for first, second in [(ends[:2], ends[2:])]
    ]

    random = np.random.default_rng(0).normal(size=len(columns))
    return RidgeModel(calculator, random + random[other], np.array(intercepts), species)


def labels_of(model, frames):
    """Energies, forces, torques and stresses of frames, by the names that `fit` gives them."""
    energies, derivatives = model.compute(frames)
    splits = np.cumsum([len(frame) for frame in frames])[:-1]
    volumes = np.array([frame.get_volume() for frame in frames])
    strain = derivatives.strain / volumes[:, None, None]
    return {
        "energies": energies,
        "forces": np.split(derivatives.forces, splits),
        "torques": np.split(derivatives.torques, splits),
        "stresses": (strain + strain.swapaxes(1, 2)) / 2,
    }


def errors(model, reference, frames):
    """The largest errors in forces and torques, over the largest of these."""
    found, expected = (each.compute(frames)[1] for each in (model, reference))
    return relative(found.forces, expected.forces), relative(found.torques, expected.torques)


@pytest.mark.parametrize("species", [(1,), (1, 6)])
@pytest.mark.parametrize("basis", ["gto", "monomial"])
@pytest.mark.parametrize(
    "kinds", [("forces",), ("torques",), ("stresses",), ("forces", "torques"), KINDS], ids="+".join
)
def test_a_linear_truth_is_found_again(kinds, basis, species):
    frames = dense_frames(40 if kinds == ("stresses",) else 20, species)
    calculator = projection(2, basis, cutoff=4.0, cutoff_smoothing=1.0)
    reference = truth(calculator, frames, (2.0, -3.0)[: len(species)])
    labels = labels_of(reference, frames)

    model = RidgeModel.fit(calculator, frames, alpha=0, **{kind: labels[kind] for kind in kinds})
    new = [random_frame(5, species, edge=6.0, seed=n, shape="triaxial") for n in range(100, 104)]
    by_forces, by_torques = errors(model, reference, new)
    assert by_torques <= 1e-8
    if kinds == ("torques",):
        return  # which do not know what no turn changes

    assert by_forces <= 1e-8
    assert relative(model.weights, reference.weights) <= 1e-8
    assert model.species == species
    if "energies" in kinds:
        assert np.abs(model.energies(new) - reference.energies(new)).max() <= 1e-8
        assert model.intercepts == pytest.approx(reference.intercepts, rel=1e-8)
    else:
        assert not model.intercepts.any()
        same = [new[0], moved(new[0])]
        assert np.ptp(model.energies(same)) == pytest.approx(np.ptp(reference.energies(same)), rel=1e-8)


def moved(frame):
    """The same particles elsewhere."""
    copied = frame.copy()
    copied.rattle(0.3, seed=1)
    return copied


def stacked(calculator, frames, labels, alpha):
    """What the ridge solution is by definition: all rows at once, and the ridge as rows below them."""
    counts = np.array([len(frame) for frame in frames])
    frame = np.repeat(np.arange(len(frames)), counts)
    rows = jacobian(calculator, frames, strain=True)
    features = calculator.describe(frames).values

    shares = np.array([[np.mean(each.numbers == kind) for kind in (1, 6)] for each in frames])
    centred = [
        values - shares @ np.linalg.lstsq(shares, values, rcond=None)[0]
        for values in (features, labels["energies"] / counts)
    ]
    by_strain = (rows.strain + rows.strain.swapaxes(1, 2)) / 2
    volumes = np.array([each.get_volume() for each in frames])
    blocks = [
        (*centred, np.std(centred[1])),
        (-counts[frame, None, None] * rows.positions, np.concatenate(labels["forces"]), None),
        (-counts[frame, None, None] * rows.rotations, np.concatenate(labels["torques"]), None),
        ((counts / volumes)[:, None, None, None] * by_strain, labels["stresses"], None),
    ]

    width = features.shape[1]
    spreads = [
        np.sqrt(np.mean(np.square(target))) if spread is None else spread for _, target, spread in blocks
    ]
    matrix = np.concatenate(
        [rows.reshape(-1, width) / s for (rows, _, _), s in zip(blocks, spreads, strict=True)]
    )
    target = np.concatenate([np.ravel(values) / s for (_, values, _), s in zip(blocks, spreads, strict=True)])
    damping = np.sqrt(alpha) * np.linalg.norm(matrix, 2) * np.eye(width)
    whole = np.concatenate([matrix, damping])
    return np.linalg.lstsq(whole, np.concatenate([target, np.zeros(width)]), rcond=None)[0]


def noisy_labels(calculator, frames):
    """Labels that no weights give exactly."""
    labels = labels_of(truth(calculator, frames), frames)
    random = np.random.default_rng(1)
    labels["energies"] = labels["energies"] + random.normal(size=len(frames))
    for kind in ("forces", "torques"):
        labels[kind] = [values + random.normal(size=values.shape) for values in labels[kind]]
    return labels


@pytest.mark.parametrize("alpha", [1e-2, 1e-4, 1e-6])
def test_it_is_the_least_squares_solution_of_all_rows(alpha):
    frames = dense_frames(12)
    calculator = projection(3, cutoff=4.0)
    labels = noisy_labels(calculator, frames)

    model = RidgeModel.fit(calculator, frames, alpha=alpha, **labels)
    expected = stacked(calculator, frames, labels, alpha)
    assert np.abs(model.weights - expected).max() <= 1e-10 * np.abs(expected).max()


@pytest.mark.parametrize("alpha", [1e-3, 1e-6])
def test_blocks_change_nothing(alpha, monkeypatch):
    frames = dense_frames(12)
    calculator = projection(3, cutoff=4.0)
    labels = noisy_labels(calculator, frames)
    whole = RidgeModel.fit(calculator, frames, alpha=alpha, **labels)

    for size in (1, 10**5):
        monkeypatch.setattr(rows, "AT_A_TIME", size)
        parts = RidgeModel.fit(calculator, frames, alpha=alpha, **labels)
        assert relative(parts.weights, whole.weights) <= 1e-12
        assert relative(parts.intercepts, whole.intercepts) <= 1e-12


def former_solution(calculator, frames, energies, alpha):
    """Weights and intercepts as the fit to energies alone computed them before there were other labels."""
    counts = np.array([len(frame) for frame in frames])
    features = calculator.describe(frames).values
    species = np.unique(np.concatenate([frame.numbers for frame in frames]))
    shares = np.array([[np.mean(frame.numbers == kind) for kind in species] for frame in frames])
    known = np.column_stack([features, energies / counts])
    means = np.linalg.lstsq(shares, known, rcond=None)[0]
    centred = known - shares @ means

    left, singular, right = np.linalg.svd(centred[:, :-1], full_matrices=False)
    learned = singular > np.finfo(float).eps * max(features.shape) * np.linalg.norm(features)
    damped = np.zeros_like(singular)
    damped[learned] = singular[learned] / (singular[learned] ** 2 + alpha * singular[0] ** 2)
    weights = right.T @ (damped * (left.T @ centred[:, -1]))
    return weights, means[:, -1] - means[:, :-1] @ weights


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("alpha", [1e-2, 1e-6, 1e-9])
def test_energies_alone_give_what_they_gave(alpha, alike):
    """Also where all frames have the same composition, so that energies of species are not unique."""
    frames = [random_frame(4 if alike else 2 + n % 4, (1, 6), edge=6.0, seed=n) for n in range(15)]
    calculator = projection(3, cutoff=4.0)
    energies = np.random.default_rng(0).normal(-500, 3, len(frames))

    model = RidgeModel.fit(calculator, frames, energies, alpha)
    weights, intercepts = former_solution(calculator, frames, energies, alpha)
    assert relative(model.weights, weights) <= 1e-15 / alpha + 1e-11
    assert relative(model.intercepts, intercepts) <= 1e-11
    found, expected = (
        model.energies(frames),
        RidgeModel(calculator, weights, intercepts, (1, 6)).energies(frames),
    )
    assert np.abs(found - expected).max() <= 1e-11 * np.abs(expected).max()


def test_forces_of_all_particles_are_those_frame_by_frame():
    frames = dense_frames(6)
    calculator = projection(2, cutoff=4.0)
    labels = noisy_labels(calculator, frames)
    each = RidgeModel.fit(calculator, frames, forces=labels["forces"], torques=labels["torques"])

    for form in (np.asarray, np.ndarray.tolist):
        forces, torques = (form(np.concatenate(labels[kind])) for kind in ("forces", "torques"))
        joined = RidgeModel.fit(calculator, frames, forces=forces, torques=torques)
        assert (joined.weights == each.weights).all()


def test_a_stress_is_six_numbers_or_a_matrix():
    frames = dense_frames(6)
    calculator = projection(2, cutoff=4.0)
    stresses = labels_of(truth(calculator, frames), frames)["stresses"]
    voigt = [stress.ravel()[[0, 4, 8, 5, 2, 1]] for stress in stresses]

    one, other = (RidgeModel.fit(calculator, frames, stresses=given) for given in (stresses, voigt))
    assert (one.weights == other.weights).all()


def without(labels, kind, frames):
    """The labels of a kind, None for some frames."""
    return [None if frame in frames else label for frame, label in enumerate(labels[kind])]


def test_a_frame_without_a_label_counts_for_the_others():
    """Energies of one half with forces of the other is neither of them, nor refused."""
    frames = dense_frames(12)
    calculator = projection(2, cutoff=4.0)
    labels = noisy_labels(calculator, frames)
    mixed = RidgeModel.fit(
        calculator,
        frames,
        without(labels, "energies", range(6)),
        forces=without(labels, "forces", range(6, 12)),
        torques=without(labels, "torques", (1, 7)),
        stresses=without(labels, "stresses", range(11)),
    )
    parts = np.random.default_rng(3).permutation(12)
    again = RidgeModel.fit(
        calculator,
        [frames[i] for i in parts],
        [without(labels, "energies", range(6))[i] for i in parts],
        forces=[without(labels, "forces", range(6, 12))[i] for i in parts],
        torques=[without(labels, "torques", (1, 7))[i] for i in parts],
        stresses=[without(labels, "stresses", range(11))[i] for i in parts],
    )
    assert relative(again.weights, mixed.weights) <= 1e-10

    alone = RidgeModel.fit(calculator, frames[6:], labels["energies"][6:])
    bare = RidgeModel.fit(calculator, frames, without(labels, "energies", range(6)))
    assert relative(bare.weights, alone.weights) <= 1e-10
    assert relative(mixed.weights, alone.weights) > 1e-3


def test_a_weight_of_zero_leaves_a_kind_out():
    frames = dense_frames(8)
    calculator = projection(2, cutoff=4.0)
    labels = noisy_labels(calculator, frames)
    forces = RidgeModel.fit(calculator, frames, forces=labels["forces"])
    weights = LabelWeights(energies=0, torques=0, stresses=0)

    same = RidgeModel.fit(calculator, frames, **labels, weights=weights)
    assert (same.weights == forces.weights).all()
    assert not same.intercepts.any()


def test_more_weight_means_a_smaller_error():
    frames = dense_frames(6)
    calculator = projection(1, cutoff=4.0)
    labels = noisy_labels(calculator, frames)

    def error(weight):
        model = RidgeModel.fit(calculator, frames, **labels, weights=LabelWeights(torques=weight))
        return np.linalg.norm(model.compute(frames)[1].torques - np.concatenate(labels["torques"]))

    assert error(100) < error(1) < error(0.01)


def test_a_part_of_the_particles_is_chosen_by_the_seed():
    frames = dense_frames(10)
    calculator = projection(2, cutoff=4.0)
    labels = noisy_labels(calculator, frames)
    given = {kind: labels[kind] for kind in ("forces", "torques")}

    def fit(fraction, seed):
        return RidgeModel.fit(calculator, frames, **given, force_fraction=fraction, seed=seed).weights

    assert (fit(0.3, 1) == fit(0.3, 1)).all()
    assert not np.allclose(fit(0.3, 1), fit(0.3, 2))
    assert (fit(1.0, 1) == fit(1.0, 2)).all()
    assert np.isfinite(fit(1e-9, 0)).all()


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_the_part_is_that_of_the_particles_and_not_of_the_frames(fraction, monkeypatch):
    """Derivatives of these alone are computed."""
    frames = dense_frames(10)
    calculator = projection(2, cutoff=4.0)
    labels = noisy_labels(calculator, frames)
    seen = []

    def watched(*arguments, **more):
        rows = jacobian(*arguments, **more)
        seen.append(len(rows.values))
        return rows

    monkeypatch.setattr("anisweep.models.rows.jacobian", watched)
    RidgeModel.fit(calculator, frames, forces=labels["forces"], force_fraction=fraction)
    assert sum(seen) == round(fraction * sum(map(len, frames)))


def test_energies_and_derivatives_are_those_of_each_frame():
    frames = dense_frames(5)
    model = truth(projection(2, cutoff=4.0), frames)
    energies, derivatives = model.compute(frames)

    start = 0
    for frame, energy in zip(frames, energies, strict=True):
        alone = gradients(model.projection, [frame], len(frame) * model.weights, species=model.species)[1]
        assert energy == pytest.approx(model.energies([frame])[0], rel=1e-12)
        assert relative(derivatives.forces[start : start + len(frame)], alone.forces) <= 1e-12
        start += len(frame)


def test_memory_is_that_of_a_block():
    """Of the derivatives of many frames, a few blocks are there at a time."""
    import tracemalloc

    frames = [random_frame(8, edge=8.0, seed=n % 4) for n in range(400)]
    calculator = projection(4, cutoff=4.0)
    forces = np.random.default_rng(0).normal(size=(3200, 3))

    def peak(count, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(rows, "AT_A_TIME", 2**15)
            tracemalloc.start()
            RidgeModel.fit(calculator, frames[:count], forces=forces[: 8 * count])
            highest = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return highest

    few, many = (peak(count, pytest.MonkeyPatch()) for count in (100, 400))
    width = calculator.power_spectrum(frames[:1]).shape[1]
    assert many - few < 0.5 * 8 * 6 * width * 8 * 300
