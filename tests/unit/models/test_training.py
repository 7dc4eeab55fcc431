"""Networks are trained on what a linear model leaves, and resumed to the same bits."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from multiprocessing import get_context

import numpy as np
import pytest

from anisweep.descriptors import BadInput
from anisweep.models import FitSettings, LabelWeights, NeuralModel, RidgeModel, TrainingSettings, load
from anisweep.models.labels import TrainingLabels
from anisweep.models.neural import Network
from tests.unit.descriptors.frames_for_tests import projection, random_frame, relative

torch = pytest.importorskip("torch", reason="no torch")

from anisweep.models import train, training  # noqa: E402

STAGES = {
    "frames and labels",
    "linear model",
    "standard features",
    "neighbours",
    "optimiser",
    "forward",
    "backward",
    "validation",
    "checkpoint",
}

QUICK = {"epochs": 4, "hidden": (8, 8), "batch": 2}


@pytest.fixture(autouse=True, scope="module")
def few_threads():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def frames_of(count=12, particles=3):
    return [random_frame(particles, (1, 6), edge=6.0, seed=seed) for seed in range(count)]


def calculator():
    return projection(3, max_radial=1, cutoff_smoothing=1.0)


def labelled(count=12, stresses=True):
    """Frames with the labels of a function of the power spectrum that is not linear."""
    frames = frames_of(count)
    generator = np.random.default_rng(0)
    linear = RidgeModel.fit(calculator(), frames, generator.normal(size=count))
    spectra = calculator().describe(frames, per_centre=True, species=linear.species).values
    mean, inputs = spectra.mean(axis=0), np.eye(spectra.shape[1])[:6] / spectra[:, :6].std(axis=0)[:, None]
    layers = ((generator.normal(size=(5, 6)), np.ones(5)), (generator.normal(size=(1, 5)), np.zeros(1)))
    networks = (Network(layers),) * 2
    true = NeuralModel(linear, mean, inputs, 0.3, networks)
    energies, found = true.compute(frames)
    volumes = [frame.get_volume() for frame in frames]
    stress = [(s + s.T) / 2 / v for s, v in zip(found.strain, volumes, strict=True)]
    labels = {"energies": energies, "forces": found.forces, "torques": found.torques}
    return frames, labels | ({"stresses": stress} if stresses else {}), true


def settings(**more):
    fit = {"alpha": 1e-8, **more.pop("fit", {})}
    return TrainingSettings(FitSettings(**fit), **{**QUICK, **more})


def test_derivatives_of_the_model_are_those_of_its_energies():
    frames, labels, true = labelled(2)
    step, (frame, other) = 1e-4, frames
    moved = []
    for sign in (1, -1):
        copy = frame.copy()
        copy.positions[1, 2] += sign * step
        moved.append(true.energies([copy, other]))

    slope = (moved[0] - moved[1])[0] / (2 * step)
    assert slope == pytest.approx(-labels["forces"][1, 2], rel=1e-6)
    assert relative(true.energies(frames), labels["energies"]) <= 1e-14


def test_what_torch_trains_is_what_numpy_computes():
    """A loss of nothing, with every kind of label."""
    frames, labels, true = labelled(4)
    trained = train(true.projection, frames, **labels, settings=settings(epochs=1))
    again, exact = trained.model.compute(frames)
    labels = {"energies": again, "forces": exact.forces, "torques": exact.torques}
    volumes = [frame.get_volume() for frame in frames]
    labels["stresses"] = [(s + s.T) / 2 / v for s, v in zip(exact.strain, volumes, strict=True)]

    arrays = true.projection.gather(frames)
    in_torch = training.torch_projection(true.projection, settings())
    kept = TrainingLabels.of(arrays, **labels)
    item = training.labelled_batch(in_torch, arrays, np.arange(4), kept, list(labels))
    scales = dict.fromkeys(labels, 1.0)
    loop = training.Loop(trained.model, in_torch, scales, settings(), training.StageClock())
    size = sum(float(np.sum(np.square(part))) for part in labels.values())
    assert float(loop._squares(item, False).detach()) <= 1e-20 * size


def test_a_network_learns_what_a_linear_model_does_not():
    frames, labels, _ = labelled(40, stresses=False)
    some = {kind: values[: 32 * len(values) // 40] for kind, values in labels.items()}
    chosen = settings(epochs=30, hidden=(16, 16))
    trained = train(calculator(), frames[:32], **some, settings=chosen)
    ridge = trained.model.linear

    def error(model):
        return np.linalg.norm(model.compute(frames[32:])[1].forces - labels["forces"][96:])

    assert error(trained.model) <= 0.8 * error(ridge)
    assert trained.errors.shape == (30, 2)
    assert trained.errors[:, 1].min() < 0.8 * trained.errors[0, 1]


def test_plain_arrays_train_the_same_model():
    frames, labels, true = labelled(4)
    arrays = true.projection.gather(frames)
    ours, theirs = (train(true.projection, each, **labels, settings=settings()) for each in (arrays, frames))
    assert np.array_equal(ours.errors, theirs.errors)


def test_a_file_gives_the_same_bits(tmp_path):
    frames, labels, _ = labelled(4)
    model = train(calculator(), frames, **labels, settings=settings(epochs=1, fit={"unit": "eV"})).model
    model.save(tmp_path / "model.json")
    again = load(tmp_path / "model.json")

    assert isinstance(again, NeuralModel)
    assert (again.unit, again.species) == ("eV", model.species)
    for one, other in ((model.compute(frames), again.compute(frames)),):
        assert np.array_equal(one[0], other[0])
        assert np.array_equal(one[1].torques, other[1].torques)


def test_a_model_is_read_and_computes_without_torch(tmp_path):
    frames, labels, _ = labelled(4)
    train(calculator(), frames, **labels, settings=settings(epochs=1)).model.save(tmp_path / "model.json")
    code = (
        "import sys; from anisweep.models import load\n"
        "from tests.unit.descriptors.frames_for_tests import random_frame\n"
        f"load({str(tmp_path / 'model.json')!r}).compute([random_frame(2, (1, 6))])\n"
        "print('torch' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_forces_of_frames_without_energies_and_without_some_particles():
    frames, labels, _ = labelled(6)
    forces = np.split(labels["forces"], 6)
    forces[2] = None
    more = {"fit": {"features": "pair_features", "force_fraction": 0.5, "weights": LabelWeights(forces=2)}}
    model = train(calculator(), frames, forces=forces, settings=settings(**more)).model
    assert np.isfinite(model.compute(frames)[1].forces).all()


def test_each_stage_has_its_time_and_progress_says_what_is_left():
    frames, labels, _ = labelled(8)
    said = []
    begin = time.perf_counter()
    trained = train(calculator(), frames, **labels, settings=settings(epochs=10), progress=said.append)
    wall = time.perf_counter() - begin
    assert sum(trained.seconds.values()) <= wall
    assert set(trained.seconds) == STAGES
    assert min(trained.seconds.values()) > 0
    assert len(said) == 10
    assert said[0].startswith("epoch 1 of 10: errors ")
    assert said[-1].endswith("; 0 s left")


def test_frames_without_a_volume_learn_beside_stresses():
    frames, labels, _ = labelled(8)
    for number in range(0, 8, 2):
        frames[number].pbc, frames[number].cell = False, None
        labels["stresses"][number] = None
    assert sum(stress is not None for stress in labels["stresses"]) == 4

    trained = train(calculator(), frames, **labels, settings=settings(epochs=2))
    assert np.isfinite(trained.errors).all()


def test_frames_apart_without_a_label_are_refused():
    frames, labels, _ = labelled(8)
    chosen = settings(epochs=2)
    energies = labels["energies"].tolist()
    for number in training._split(len(frames), chosen)[1]:
        energies[number] = None
    with pytest.raises(BadInput, match="no frame that is kept apart has a label of a kind that is learned"):
        train(calculator(), frames, energies, settings=chosen)


def test_a_training_that_diverges_says_so():
    frames, labels, _ = labelled(8)
    with pytest.raises(BadInput, match="the training diverged: take a smaller learning_rate"):
        train(calculator(), frames, **labels, settings=settings(epochs=30, learning_rate=1e200))


def test_killed_at_any_instant_it_gives_the_same_bits(tmp_path, monkeypatch):
    frames, labels, _ = labelled(8)
    chosen = settings(epochs=15)
    monkeypatch.setattr(training, "OFTEN", 0.0)

    def run(checkpoint):
        trained = train(calculator(), frames, **labels, settings=chosen, checkpoint=checkpoint)
        trained.model.save(checkpoint.with_suffix(".json"))

    run(tmp_path / "warm")  # the first one imports what the others have then
    begin = time.perf_counter()
    run(tmp_path / "whole")
    wall = time.perf_counter() - begin
    generator, kills = np.random.default_rng(0), 0

    for number in range(3):
        checkpoint = tmp_path / f"killed{number}"
        while not checkpoint.with_suffix(".json").exists():
            process = get_context("fork").Process(target=run, args=(checkpoint,))
            process.start()
            while not kills and process.is_alive() and not checkpoint.exists():  # the first is killed early
                time.sleep(0.001)
            process.join(
                generator.uniform(0.0, 0.9) * wall * bool(kills) if kills < 3 * (number + 1) else None
            )
            kills += process.is_alive()
            process.kill()
            process.join()
            assert process.exitcode in (0, -signal.SIGKILL)
        assert checkpoint.with_suffix(".json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert kills > 0


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    frames, labels, _ = labelled(4)
    file = tmp_path / "checkpoint"
    train(calculator(), frames, **labels, settings=settings(epochs=1), checkpoint=file)
    with pytest.raises(BadInput, match="other frames, labels or settings: give these, or another file"):
        train(calculator(), frames, **labels, settings=settings(epochs=2), checkpoint=file)

    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(BadInput, match="it is no checkpoint, or not whole: remove it"):
        train(calculator(), frames, **labels, settings=settings(epochs=1), checkpoint=file)


WRONG = [
    ({"epochs": 0}, "epochs must be whole and above 0, not 0"),
    ({"hidden": 64}, r"hidden must be several numbers, as \(64, 64\), not 64"),
    ({"batch": 1.5}, "batch must be whole and above 0, not 1.5"),
    ({"hidden": (8, -1)}, r"hidden must be whole and above 0, not \(8, -1\)"),
    ({"validation": 1.0}, "validation must be a number between 0 and 1, not 1.0"),
    ({"learning_rate": 0.0}, "learning_rate must be a number above 0, not 0.0"),
    ({"precision": "bf16"}, "precision must be auto, fp64 or fp32, not 'bf16'"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_settings_that_make_no_sense_are_refused(given, message):
    with pytest.raises(BadInput, match=message):
        TrainingSettings(**given)


def test_what_cannot_be_learned_from_is_named():
    frames, labels, true = labelled(3)
    with pytest.raises(BadInput, match="there is one frame: give at least two"):
        train(calculator(), frames[:1], [1.0])
    with pytest.raises(BadInput, match="there is nothing to learn from"):
        train(calculator(), frames)
    labels["forces"][4, 0] = np.nan
    with pytest.raises(BadInput, match="frame 1, particle 1: its vector in forces is not finite"):
        train(calculator(), frames, **labels)
    with pytest.raises(BadInput, match="species 8 is not among those given"):
        true.energies([random_frame(2, (8,))])
