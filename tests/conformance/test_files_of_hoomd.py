"""What HOOMD's own package for GSD writes gives the features of the same particles as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gsd.hoomd
import numpy as np
import pytest
from ase import Atoms

from anisweep.cell import Hypers
from anisweep.datasets import DIAMETERS, DataError
from anisweep.datasets.species import number_of
from anisweep.datasets.user_files.userfile import read_any
from anisweep.describe import Request
from anisweep.describe.first_pass import survey
from anisweep.describe.particles import particles as particles_of

#: Semi-axes and diameters, as HOOMD writes the shapes of two types.
SHAPES = [{"type": "Ellipsoid", "a": 1.5, "b": 1.0, "c": 0.5}, {"type": "Sphere", "diameter": 2.0}]
LENGTHS = [[3.0, 2.0, 1.0], [2.0, 2.0, 2.0]]


@dataclass
class Style:
    """How a file is written."""

    label: str
    box: tuple[float, ...] = (9, 8, 7, 0, 0, 0)
    types: tuple[str, str] = ("A", "Q0")
    dimensions: int = 3
    frames: int = 1
    shapes: list[dict[str, Any]] = field(default_factory=lambda: SHAPES)


STYLES = [
    Style("orthogonal"),
    Style("tilted", box=(9, 8, 7, 0.2, -0.1, 0.3)),
    Style("elements", types=("C", "N")),
    Style("numbers for names", types=("1", "150")),
    Style("several frames", frames=4),
    Style("two dimensions", box=(9, 8, 0, 0.1, 0, 0), dimensions=2),
    Style("two dimensions in a thin box", box=(9, 8, 1, 0, 0, 0), dimensions=2),
]


def write(style: Style, path: Path) -> list[Atoms]:
    """The file, and the same particles as frames."""
    generator = np.random.default_rng(3)
    frames = []

    with gsd.hoomd.open(str(path), "w") as file:
        for step in range(style.frames):
            snapshot = _snapshot(style, step, generator)
            file.append(snapshot)
            frames.append(_as_arrays(style, snapshot))
    return frames


def _snapshot(style: Style, step: int, generator: np.random.Generator) -> gsd.hoomd.Frame:
    snapshot = gsd.hoomd.Frame()
    snapshot.configuration.step = step
    snapshot.configuration.box = style.box
    snapshot.configuration.dimensions = style.dimensions

    sides = np.array(style.box[:3]) if style.dimensions == 3 else np.array([*style.box[:2], 0])
    particles = snapshot.particles
    particles.N = 6 + step
    particles.types = list(style.types)
    particles.typeid = generator.integers(0, 2, particles.N)
    particles.position = np.float32(generator.uniform(-0.5, 0.5, (particles.N, 3)) * sides)
    particles.orientation = np.float32(generator.normal(size=(particles.N, 4)))
    particles.type_shapes = style.shapes
    snapshot.log["particles/pressure"] = generator.normal(size=particles.N)
    return snapshot


def _as_arrays(style: Style, snapshot: gsd.hoomd.Frame) -> Atoms:
    """The frame by the formulas of HOOMD's documentation."""
    x, y, z, xy, xz, yz = np.float32(style.box).astype(float)
    particles = snapshot.particles
    numbers = [number_of(style.types[kind]) for kind in particles.typeid]

    frame = Atoms(
        numbers,
        particles.position.astype(float),
        cell=[[x, 0, 0], [xy * y, y, 0], [xz * z, yz * z, z]],
        pbc=[True, True, style.dimensions == 3],
    )
    frame.arrays["c_q"] = particles.orientation.astype(float)
    for name, column in zip(DIAMETERS, np.array(LENGTHS)[particles.typeid].T, strict=True):
        frame.arrays[name] = column.copy()
    return frame


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.label)
def test_gsd_files(tmp_path, style):
    path = tmp_path / "all.gsd"
    wanted = write(style, path)

    asked = Request(path, Hypers(max_angular=3, max_radial=1, cutoff_radius=4.0), "orientation")
    found = list(particles_of(asked, 0, style.frames))
    projection = asked.projection(1)
    values, reference = (
        np.asarray(projection.describe(frames, "power_spectrum", True).values) for frames in (found, wanted)
    )

    assert values.shape == reference.shape
    assert np.abs(values - reference).max() <= 1e-12 * np.abs(reference).max()
    assert survey(path).counts.tolist() == [len(frame) for frame in wanted]


def test_arrays_that_hoomd_logs_are_kept(tmp_path):
    write(Style("logged"), tmp_path / "all.gsd")
    (frame,) = read_any(tmp_path / "all.gsd")

    assert {"orientation", "typeid", "pressure"} <= set(frame.arrays)
    assert not {"mass", "charge", "diameter"} & set(frame.arrays), "defaults of the format are no data"
    assert frame.info["written_by"] == "HOOMD"


def test_shapes_that_are_no_ellipsoids_give_no_diameters(tmp_path):
    cube = {"type": "ConvexPolyhedron", "vertices": [[1, 1, 1], [-1, -1, -1]], "rounding_radius": 0}
    write(Style("cubes", shapes=[SHAPES[0], cube]), tmp_path / "all.gsd")
    (frame,) = read_any(tmp_path / "all.gsd")

    assert not set(DIAMETERS) & set(frame.arrays)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_files_that_are_cut(tmp_path, kept):
    path = tmp_path / "all.gsd"
    write(Style("cut", frames=3), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])

    with pytest.raises(DataError, match="gsd cannot read it"):
        list(read_any(path))


def test_without_the_package(tmp_path, monkeypatch):
    write(Style("any"), tmp_path / "all.gsd")
    monkeypatch.setitem(__import__("sys").modules, "gsd.hoomd", None)

    with pytest.raises(DataError, match=r"pip install 'anisweep\[gsd\]'"):
        list(read_any(tmp_path / "all.gsd"))
