"""A model in a file: what comes back is the same, and what is not whole or was changed is refused."""

import inspect
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anisweep.descriptors import BadInput, EllipsoidalDensityProjection
from anisweep.models import RidgeModel, load, model_file
from anisweep.models.projections import hyperparameters_of, projection_of
from tests.unit.descriptors.frames_for_tests import projection, random_frame


@pytest.fixture(scope="module")
def model():
    frames = [random_frame(3, (1, 6), seed=n) for n in range(6)]
    return RidgeModel.fit(projection(2, cutoff_smoothing=0.5), frames, np.arange(6.0), unit="kcal/mol")


@pytest.fixture(scope="module")
def written(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.json"
    model.save(path)
    return path


def test_a_model_that_is_read_again_gives_the_same_bits(model, written):
    again = load(written, threads=2)
    assert (again.weights == model.weights).all()
    assert (again.intercepts == model.intercepts).all()
    assert (again.species, again.unit, again.projection.threads) == (model.species, "kcal/mol", 2)

    frames = [random_frame(4, (1, 6), seed=n) for n in range(3)]
    assert (again.energies(frames) == model.energies(frames)).all()
    assert (load(written).compute(frames)[1].forces == model.compute(frames)[1].forces).all()


def test_another_process_reads_it_without_torch(written):
    code = (
        f"import sys; from anisweep.models import load; load({str(written)!r}); print('torch' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"


@pytest.mark.parametrize("basis", ["gto", "monomial"])
@pytest.mark.parametrize("rotation_type", ["quaternion", "matrix"])
@pytest.mark.parametrize("smoothing", [None, 0.7])
@pytest.mark.parametrize("precision", ["fp64", "fp32"])
def test_hyperparameters_make_the_same_projection(basis, rotation_type, smoothing, precision):
    settings = {"max_radial": [2, 0, 1], "subtract_center_contribution": True, "basis_tol": 0.5}
    settings["precision"] = precision
    one = projection(2, basis, rotation_type=rotation_type, cutoff_smoothing=smoothing, **settings)
    plain = json.loads(json.dumps(hyperparameters_of(one)))
    other = projection_of(plain, 3)

    assert hyperparameters_of(other) == plain
    assert other.radial_basis == one.radial_basis
    assert other.tables.smoothing == one.tables.smoothing
    assert other.precision == one.precision
    parameters = set(inspect.signature(EllipsoidalDensityProjection.__init__).parameters)
    unsaid = {"precision"} if precision == "fp64" else set()  # as in files of older versions
    assert plain.keys() == parameters - {"self", "compute_gradients", "threads"} - unsaid


@given(data=st.data())
def test_a_torn_or_changed_file_is_refused(data, written):
    """At any place: cut short, or with another byte."""
    content = written.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    changed = content[:place] + bytes([byte]) + content[place + 1 :]
    broken = data.draw(st.sampled_from([content[:place], changed]))
    path = written.with_name("broken.json")
    path.write_bytes(broken)

    if _same(broken, content):
        return  # another blank between values
    with pytest.raises(BadInput, match=r"broken\.json: it "):
        load(path)


def _same(broken, content):
    """Return True where both say the same in other bytes."""
    try:
        return json.loads(broken) == json.loads(content)
    except ValueError:
        return False


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", "1", '{"format": "other"}', "[" * 100000, "\0"])
def test_what_is_no_model_is_refused(content, tmp_path):
    (tmp_path / "no.json").write_text(content)
    with pytest.raises(BadInput, match=r"no\.json: it is no model"):
        load(tmp_path / "no.json")


def test_what_a_newer_version_wrote_is_refused(written, tmp_path, monkeypatch):
    monkeypatch.setattr(model_file, "VERSION", 2)
    model_file.write(tmp_path / "new.json", {"kind": "ridge"})
    monkeypatch.undo()
    with pytest.raises(
        BadInput, match=r"new\.json: it has version 2 of the format, and this program reads 1"
    ):
        load(tmp_path / "new.json")


def test_a_model_of_another_kind_is_refused(tmp_path):
    model_file.write(tmp_path / "forest.json", {"kind": "forest"})
    with pytest.raises(
        BadInput, match=r"forest\.json: it is a forest model, and this version knows ridge and neural"
    ):
        load(tmp_path / "forest.json")


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.json")


def test_a_model_that_cannot_be_written_leaves_the_older_one(model, written):
    before = written.read_bytes()
    broken = RidgeModel(model.projection, model.weights * np.nan, model.intercepts, model.species)
    with pytest.raises(ValueError, match="JSON compliant"):
        broken.save(written)
    assert written.read_bytes() == before
    assert [path.name for path in written.parent.iterdir() if path.name.startswith(".")] == []
