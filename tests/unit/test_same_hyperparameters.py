"""Studies, `anisweep describe` and Python allow and refuse the same hyperparameters, in the same words."""

import warnings
from pathlib import Path

import pytest
from click.testing import CliRunner

from anisweep import cell
from anisweep.cli import main
from anisweep.config.load import validated
from anisweep.config.sections import HyperAxes
from anisweep.config.validation_messages import in_yaml
from anisweep.descriptors import BadInput, EllipsoidalDensityProjection, hyperparameters
from anisweep.errors import UserError
from anisweep.plan.expand import hypers_of

NAN, INFINITY = float("nan"), float("inf")
RIGHT = {"radial_basis_name": "gto", "max_angular": 3, "cutoff_radius": 5.0, "radial_gaussian_width": 1.5}

WRONG = [
    *[{name: value} for name in ("max_angular", "max_radial") for value in (-1, 61, 10**9, 1.5, True, "six")],
    *[
        {name: value}
        for name in ("cutoff_radius", "radial_gaussian_width")
        for value in (NAN, INFINITY, -INFINITY, -1.0, 0.0, 1e-300, 1e7, True, "wide")
    ],
    *[{"basis_rcond": value} for value in (NAN, INFINITY, -1e-8, 1.0, 2.0, True, "small")],
    *[{"basis_tol": value} for value in (NAN, INFINITY, -1e-3, 0.0, True, "small")],
    {"radial_basis_name": "monomial"},
    {"radial_gaussian_width": None},
    {"max_radial": [1, 2]},
    {"max_radial": [1, 2, 3, 4, 5]},
    {"max_radial": [1, -2, 3, 4]},
]

RIGHT_TOO = [
    {"max_angular": 60, "max_radial": 0},
    {"max_radial": 12},
    {"max_radial": [3, 2, 1, 0]},
    {"cutoff_radius": 1e-3},
    {"radial_gaussian_width": 1e3},
    {"radial_basis_name": "monomial", "radial_gaussian_width": None},
    {"basis_rcond": 0.0},
    {"basis_tol": 1e-300},
]

#: Those that are options: click itself asks for whole numbers and numbers.
OPTIONS = [
    wrong
    for wrong in WRONG
    for name, value in wrong.items()
    if type(value) is (int if name in ("max_angular", "max_radial") else float)
]


def in_python(hypers):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In quaternion mode", UserWarning)
        EllipsoidalDensityProjection(**hypers)


def in_a_study(hypers):
    """The same as axes of one value each."""
    axes = {name: [value] for name, value in hypers.items()}
    assert len(list(hypers_of(validated(HyperAxes, axes, "mine.yaml"), "mine"))) == 1


def refusal(hypers):
    """What Python says."""
    with pytest.raises(BadInput) as refused:
        in_python(hypers)
    return str(refused.value)


@pytest.mark.parametrize("wrong", WRONG)
def test_studies_refuse_what_python_refuses_and_say_the_same_as_yaml_spells_it(wrong):
    said = in_yaml(BadInput(refusal(RIGHT | wrong))).partition(": ")[2]
    with pytest.raises(UserError) as refused:
        in_a_study(RIGHT | wrong)
    assert said in str(refused.value)


@pytest.mark.parametrize("right", RIGHT_TOO)
def test_studies_allow_what_python_allows(right):
    in_python(RIGHT | right)
    in_a_study(RIGHT | right)


@pytest.fixture
def file(tmp_path, monkeypatch):
    """One particle, in a folder of its own."""
    (tmp_path / "mine.xyz").write_text("1\nProperties=species:S:1:pos:R:3\nC 0 0 0\n")
    monkeypatch.chdir(tmp_path)
    return "mine.xyz"


@pytest.mark.parametrize("wrong", OPTIONS)
def test_describe_refuses_what_python_refuses_and_says_the_same(wrong, file):
    options = [part for name, value in wrong.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    where = [
        "describe",
        "mine.xyz",
        "-o",
        "out.npz",
        "--orientations",
        "identity",
        "--diameters",
        "[3, 3, 1]",
    ]

    done = CliRunner().invoke(main, [*where, *options])
    assert done.exit_code == 1
    said = refusal(RIGHT | wrong).partition(": ")[2].replace("or None", "or leave the option out")
    assert f"{options[0]}: {said}" in done.output
    assert not Path("out.npz").exists()


@pytest.mark.parametrize("cutoff", [NAN, INFINITY, -1.0, 0.0, 1e-300, 1e7])
def test_inspect_refuses_the_cutoffs_that_python_refuses_and_says_the_same(cutoff, file):
    done = CliRunner().invoke(main, ["inspect", file, "--cutoff", str(cutoff)])
    said = refusal(RIGHT | {"cutoff_radius": cutoff}).partition(": ")[2].partition(" Convert")[0]
    assert done.exit_code == 1
    assert f"--cutoff: {said}" in done.output


def test_packs_allow_what_studies_allow():
    """A module that jobs import too writes the limits down for itself."""
    assert cell.HIGHEST_ANGULAR == hyperparameters.LARGEST_LMAX
    assert cell.HIGHEST_RADIAL == hyperparameters.LARGEST_MAX_RADIAL
    assert cell.LONGEST == hyperparameters.LONGEST
