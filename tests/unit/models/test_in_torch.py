"""Models in Torch compute what models compute; what cannot be exported is refused."""

from dataclasses import replace

import numpy as np
import pytest

from anisweep.datasets.generators import species
from anisweep.descriptors import BadInput, EllipsoidalDensityProjection
from anisweep.models import NeuralModel, RidgeModel, export, load_exported
from anisweep.models.neural import Network

torch = pytest.importorskip("torch", reason="no torch")

from anisweep.models import exporting  # noqa: E402
from anisweep.models.in_torch import TorchModel  # noqa: E402

FRAMES = list(species.generate(2, 1, ["C", "H"]))


def ridge(features="power_spectrum"):
    projection = EllipsoidalDensityProjection(
        2, "gto", 4.0, radial_gaussian_width=1.5, max_radial=0, rotation_key="c_q", cutoff_smoothing=1.0
    )
    width = projection.describe(FRAMES[:1], features).values.shape[1]
    weights = np.random.default_rng(2).normal(size=width)
    return RidgeModel(projection, weights, np.array([0.5, -2.0]), (1, 6), "eV", features)


def neural():
    linear, rng = ridge(), np.random.default_rng(3)
    inputs = len(linear.weights)
    networks = tuple(
        Network(((rng.normal(size=(4, inputs)), rng.normal(size=4)), (rng.normal(size=(1, 4)), np.ones(1))))
        for _ in linear.species
    )
    return NeuralModel(linear, rng.normal(size=inputs), np.eye(inputs), 0.3, networks)


@pytest.mark.parametrize(
    "model", [ridge(), ridge("pair_features"), neural()], ids=["ridge", "pairs", "neural"]
)
def test_a_model_in_torch_computes_what_the_model_computes(model):
    in_torch = TorchModel.of(model)
    batch = in_torch.batch(FRAMES)
    energies, derivatives = model.compute(FRAMES)
    expected = energies, derivatives.forces, derivatives.torques, derivatives.strain

    assert np.abs(in_torch.energies(*batch).numpy() - energies).max() <= 1e-12 * np.abs(energies).max()
    for found, right in zip(in_torch.derivatives(*batch), expected, strict=True):
        assert np.abs(found.numpy() - right).max() <= 1e-11 * np.abs(right).max()


def test_a_batch_is_made_flat_and_back_and_is_contiguous():
    batch, kinds = TorchModel.of(ridge()).batch(FRAMES)
    columns = torch.cat([batch.positions, batch.positions], dim=1)[:, :3]
    tensors = exporting.flat(replace(batch, positions=columns), kinds)
    again, kinds_again = exporting.batch_from((1, 6), tensors)

    assert all(tensor.is_contiguous() for tensor in tensors)
    assert torch.equal(again.positions, batch.positions)
    assert torch.equal(again.neighbours.groups.row, batch.neighbours.groups.row)
    assert torch.equal(kinds_again, kinds)


def test_no_two_sizes_of_the_example_are_the_same():
    """Lets Torch tell them apart: it takes sizes that are the same for one."""
    in_torch = TorchModel.of(ridge(), memory=exporting.MEMORY)
    frames = exporting._frames(in_torch.projection, in_torch.species, *exporting.EXAMPLE)
    tensors = exporting.flat(*in_torch.batch(frames))
    named = dict(zip((*exporting.GEOMETRY, *exporting.NEAR, *exporting.GROUPS), tensors, strict=False))
    sizes = [len(tensor) for tensor in named.values()]

    assert len(sizes) == len(set(sizes)) == 4
    assert not {1, 2, 3, 4} & set(sizes)
    assert tensors[-2].shape == (1, 4)


def test_what_cannot_be_exported_is_refused(tmp_path):
    with pytest.raises(BadInput, match="precision must be one of fp64, fp32, not 'bf16'"):
        export(ridge(), tmp_path / "model.pt2", "cpu", "bf16")
    with pytest.raises(BadInput, match=r"model\.onnx: the name must end in \.pt2"):
        export(ridge(), tmp_path / "model.onnx", "cpu")
    with pytest.raises(FileNotFoundError):
        load_exported(tmp_path / "model.pt2")


def test_compiled_code_that_is_wrong_is_noticed():
    in_torch = TorchModel.of(ridge(), memory=exporting.MEMORY)

    def package(*tensors):
        return in_torch.derivatives(*exporting.batch_from(in_torch.species, tensors))

    right = exporting.ExportedModel(in_torch.projection, in_torch.species, "eV", package)
    exporting._check(right, in_torch, 1e-12)

    def wrong(*tensors):
        energies, forces, *more = package(*tensors)
        return energies, 1.001 * forces, *more

    with pytest.raises(RuntimeError, match=r"wrong by 0\.001: it was not written"):
        exporting._check(replace(right, package=wrong), in_torch, 1e-12)
