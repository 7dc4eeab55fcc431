"""The features of a file do not depend on what its columns are called, nor on their order."""

import numpy as np
import pytest
from click.testing import CliRunner

from anisweep.cli import main

RNG = np.random.default_rng(8)
POSITIONS = RNG.uniform(0, 6, (5, 3))
QUATERNIONS = RNG.normal(size=(5, 4))
LENGTHS = RNG.uniform(1, 3, (5, 3))

USUAL = ("c_q:R:4", *(f"c_diameter[{k}]:R:1" for k in (1, 2, 3)))

#: The columns of a file, the order of its quaternions, its lengths over diameters, and the options.
NAMINGS = {
    "OVITO": (("orientation:R:4", "aspherical_shape:R:3"), "xyzw", 0.5, ("orientation", "aspherical_shape")),
    "letters": (
        ("quati:R:1", "quatj:R:1", "quatk:R:1", "quatw:R:1", "shapex:R:1", "shapey:R:1", "shapez:R:1"),
        "xyzw",
        1,
        ("quat", "shape"),
    ),
    "a list": (
        ("a:R:1", "b:R:1", "c:R:1", "d:R:1", "r:R:3"),
        "wxyz",
        1,
        ("[a, b, c, d]", "r", "--orientation-order", "wxyz"),
    ),
    "brackets in a list": (
        (*(f"c_o[{k}]:R:1" for k in (1, 2, 3, 4)), *(f"c_s[{k}]:R:1" for k in (1, 2, 3))),
        "xyzw",
        0.5,
        (
            "[c_o[1], c_o[2], c_o[3], c_o[4]]",
            "[c_s[1], c_s[2], c_s[3]]",
            "--orientation-order",
            "xyzw",
            "--semi-axes",
        ),
    ),
    "against a convention": (
        ("orientation:R:4", "radii:R:3"),
        "wxyz",
        1,
        ("orientation", "radii", "--orientation-order", "wxyz", "--no-semi-axes"),
    ),
}


def text(columns, order: str, factor: float) -> str:
    """A frame whose columns have these names."""
    turned = QUATERNIONS[:, ["wxyz".index(letter) for letter in order]]
    rows = np.hstack([POSITIONS, turned, factor * LENGTHS])
    lines = ["Q0 " + " ".join(repr(float(number)) for number in row) + "\n" for row in rows]
    properties = f'Properties="species:S:1:pos:R:3:{":".join(columns)}"'
    return f'{len(rows)}\nLattice="9 0 0 0 9 0 0 0 9" {properties} pbc="T T T"\n{"".join(lines)}'


def features(tmp_path, name: str, content: str, *options: str) -> np.ndarray:
    file, out = tmp_path / f"{name}.xyz", tmp_path / f"{name}.npz"
    file.write_text(content)
    command = ["describe", str(file), "-o", str(out), "--max-angular", "3", *options]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output

    with np.load(out) as there:
        assert there["names"].tolist() == ["Q0"]
        return there["values"]


@pytest.mark.parametrize("naming", NAMINGS)
def test_a_naming(tmp_path, naming):
    columns, order, factor, (orientations, diameters, *more) = NAMINGS[naming]
    reference = features(tmp_path, "usual", text(USUAL, "wxyz", 1))
    options = ("--orientations", orientations, "--diameters", diameters, *more)
    found = features(tmp_path, "other", text(columns, order, factor), *options)

    assert np.abs(found - reference).max() <= 1e-12 * np.abs(reference).max()


def test_an_order_that_is_a_guess_is_said(tmp_path):
    file = tmp_path / "mine.xyz"
    file.write_text(text(("turn:R:4", "d:R:3"), "wxyz", 1))
    options = ["-o", str(tmp_path / "out.npz"), "--orientations", "turn", "--diameters", "d"]
    result = CliRunner().invoke(main, ["describe", str(file), *options])

    assert result.exit_code == 0
    assert "turn are read as quaternions w, x, y, z (a GUESS: nothing says the order)" in result.output
