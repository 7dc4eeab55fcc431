"""Keys and packs: what makes a cell another one, and that JSON gives back what it was given."""

import json
from dataclasses import asdict, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import examples
from anisweep.cell import NOT_PINNED, Cell, Dataset, Hypers, Pack, Settings, digest
from anisweep.parsing.schema import build

names = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)
lengths = st.floats(0.01, 100, allow_nan=False)
orders = st.integers(0, 12)

datasets = st.builds(Dataset, names, names, names, st.integers(1, 100))
hypers = st.builds(
    Hypers,
    radial_basis_name=st.sampled_from(["gto", "monomial"]),
    max_angular=orders,
    max_radial=st.none() | orders | st.lists(orders, min_size=1, max_size=4).map(tuple),
    cutoff_radius=lengths,
    radial_gaussian_width=st.none() | lengths,
    subtract_center_contribution=st.booleans(),
    basis_rcond=st.floats(0, 0.5),
    basis_tol=lengths,
)
settings = st.builds(
    Settings, repetitions=st.integers(2, 9), minimum_s=st.floats(0, 60), profile=st.booleans()
)
cells = st.builds(
    Cell,
    dataset=datasets,
    hypers=hypers,
    output=st.sampled_from(["coefficients", "power_spectrum"]),
    mode=names,
    precision=st.sampled_from(["fp64", "fp32", "tf32", "bf16", "fp16"]),
    device=st.sampled_from(["cpu", "cuda", "mps"]),
    threads=st.integers(NOT_PINNED, 64),
    replicate=st.integers(1, 100),
    site=names,
    settings=settings,
    environment=names,
    code=names,
)
packs = st.builds(
    Pack,
    name=names,
    cells=st.lists(cells, min_size=1, max_size=3).map(tuple),
    reference=names,
    estimated_s=lengths,
    code_files=st.dictionaries(names, st.dictionaries(names, names, max_size=2), max_size=2),
    packages=st.dictionaries(names, names, max_size=3),
)

#: A different value for every field that the key must see.
CHANGES = [
    {"dataset": replace(examples.CELL.dataset, name="other")},
    {"dataset": replace(examples.CELL.dataset, digest="other")},
    {"dataset": replace(examples.CELL.dataset, frames=3)},
    {"hypers": Hypers(max_angular=2, radial_basis_name="monomial")},
    {"hypers": Hypers(max_angular=3)},
    {"hypers": Hypers(max_angular=2, max_radial=1)},
    {"hypers": Hypers(max_angular=2, cutoff_radius=7.1)},
    {"hypers": Hypers(max_angular=2, radial_gaussian_width=1.6)},
    {"hypers": Hypers(max_angular=2, subtract_center_contribution=True)},
    {"hypers": Hypers(max_angular=2, basis_rcond=1e-7)},
    {"hypers": Hypers(max_angular=2, basis_tol=1e-2)},
    {"output": "power_spectrum"},
    {"mode": "torch_full"},
    {"precision": "fp32"},
    {"device": "cuda"},
    {"threads": 2},
    {"replicate": 2},
    {"site": "chtc"},
    {"settings": Settings(processes=2)},
    {"settings": Settings(warmups=2)},
    {"settings": Settings(repetitions=6)},
    {"settings": Settings(minimum_s=0.1)},
    {"settings": Settings(limit_s=1.0)},
    {"settings": Settings(profile=True)},
    {"settings": Settings(invariances=True)},
    {"settings": Settings(downstream=True)},
    {"settings": Settings(one_off=True)},
    {"environment": "another lock"},
    {"code": "other code"},
]


@given(cells)
def test_a_cell_survives_json(cell):
    again = build(Cell, json.loads(json.dumps(asdict(cell))))

    assert again == cell
    assert again.key == cell.key
    assert again.point == cell.point


@given(packs)
def test_a_pack_survives_json(pack):
    assert Pack.from_json(pack.to_json()) == pack


@given(st.dictionaries(names, st.integers() | st.floats(allow_nan=False, allow_infinity=False) | names))
def test_a_digest_does_not_depend_on_the_order(value):
    assert digest(dict(reversed(value.items()))) == digest(value)


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_the_key_sees_every_field(change):
    assert examples.cell(**change).key != examples.CELL.key


def test_no_field_is_left_out_of_the_changes():
    changed = {name for change in CHANGES for name in change}
    assert changed == {field.name for field in fields(Cell)}

    for name, kind in [("hypers", Hypers), ("settings", Settings)]:
        inner = [change[name] for change in CHANGES if name in change]
        before = getattr(examples.CELL, name)
        seen = {
            f.name
            for f in fields(kind)
            for value in inner
            if getattr(value, f.name) != getattr(before, f.name)
        }
        assert seen == {field.name for field in fields(kind)}


def test_the_path_of_a_file_is_no_part_of_the_key():
    moved = examples.cell(dataset=replace(examples.CELL.dataset, path="/elsewhere/x.xyz"))

    assert moved.key == examples.CELL.key
    assert moved.point == examples.CELL.point


@pytest.mark.parametrize("name", ["site", "environment", "code"])
def test_the_point_is_the_same_elsewhere_and_later(name):
    assert examples.cell(**{name: "other"}).point == examples.CELL.point


def test_a_changed_data_set_is_recognised():
    changed = examples.cell(dataset=replace(examples.CELL.dataset, digest="other"))

    assert changed.point != examples.CELL.point
    assert changed.dataset_free == examples.CELL.dataset_free
    assert examples.cell(mode="torch_full").dataset_free != examples.CELL.dataset_free


@pytest.mark.parametrize(
    ("max_radial", "counts"), [(None, [2, 1, 1]), (3, [4, 4, 4]), ((2, 1, 0), [3, 2, 1])]
)
def test_numbers_of_radial_functions(max_radial, counts):
    assert Hypers(max_angular=2, max_radial=max_radial).radial_counts == counts


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null"])
def test_what_is_no_pack_is_said_to_be_none(text):
    with pytest.raises(ValueError, match=r"not the JSON of a pack .*plan again"):
        Pack.from_json(text)


def test_a_pack_of_another_format_is_refused():
    with pytest.raises(ValueError, match="pack format 2, this version reads 1: plan again"):
        Pack.from_json(examples.pack(format=2).to_json())


def test_settings_that_came_later_are_in_no_key_where_they_are_not_asked_for():
    """So what was measured before they came stays a measurement of the same cell."""
    assert "one_off" in {field.name for field in fields(Settings)}
    assert set(Settings().plain()) == {field.name for field in fields(Settings)} - {"one_off"}
    assert Settings(one_off=True).plain() == asdict(Settings(one_off=True))
