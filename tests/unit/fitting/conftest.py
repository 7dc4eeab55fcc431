from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from threadpoolctl import threadpool_limits

from anisweep.cli import main
from anisweep.datasets import DIAMETERS
from anisweep.descriptors import EllipsoidalDensityProjection
from anisweep.models import RidgeModel
from tests.unit.descriptors.frames_for_tests import random_frame

HYPERPARAMETERS = ("--max-angular", "2", "--cutoff-radius", "4", "--cutoff-smoothing", "1")
NAMES = {1: "H", 6: "C"}


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def text(frame, energy, forces, torques, stress):
    """A frame as extended XYZ, with all digits."""
    arrays = [frame.positions, frame.arrays["c_q"], forces, torques]
    columns = "species:S:1:pos:R:3:c_q:R:4:forces:R:3:torques:R:3"
    for name in DIAMETERS:
        arrays.append(frame.arrays[name][:, None])
        columns += f":{name}:R:1"
    header = f'Lattice="{_line(frame.cell.array.ravel())}" Properties={columns} pbc="T T T" energy={energy!r}'
    rows = [
        f"{NAMES[number]} {_line(row)}"
        for number, row in zip(frame.numbers.tolist(), np.hstack(arrays), strict=True)
    ]
    return "\n".join([str(len(frame)), f'{header} stress="{_line(stress.ravel())}"', *rows, ""])


def _line(numbers):
    return " ".join(map(repr, np.asarray(numbers).tolist()))


def labelled(count):
    """Frames of three to five particles as texts, with the labels of a linear model."""
    frames = [random_frame(3 + n % 3, (1, 6), edge=6.0, seed=n, shape="triaxial") for n in range(count)]
    projection = EllipsoidalDensityProjection(
        *(2, "gto", 4.0), radial_gaussian_width=1.5, rotation_key="c_q", cutoff_smoothing=1.0
    )
    width = projection.describe(frames[:2], species=(1, 6)).values.shape[1]
    weights = np.random.default_rng(0).normal(size=width)
    model = RidgeModel(projection, weights, np.array([2.0, -3.0]), (1, 6))

    texts = []
    for frame in frames:
        (energy,), derivatives = model.compute([frame])
        stress = derivatives.strain[0] / frame.get_volume()
        labels = (float(energy), derivatives.forces, derivatives.torques, (stress + stress.T) / 2)
        texts.append(text(frame, *labels))
    return texts


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs a command in a folder with `some.xyz`, 24 labelled frames; returns what it says."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.xyz").write_text("".join(labelled(24)))

    def said(*command: str, status: int = 0) -> str:
        result = CliRunner().invoke(main, list(command))
        assert result.exit_code == status, result.output
        assert isinstance(result.exception, SystemExit | None)
        return result.output

    return said
