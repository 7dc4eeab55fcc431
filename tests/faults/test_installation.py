"""`pip install .` alone: it computes, on two versions of CPython, on a read-only disk and on any CPU."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_disk import mounted

from anisweep.descriptors import library
from clone import ROOT

SCRIPT = """
import ase, json, numpy, sys, warnings
from anisweep.descriptors import EllipsoidalDensityProjection, library

warnings.simplefilter("ignore")
frame = ase.Atoms("C2H", [[0, 0, 0], [0, 1, 4], [2, 2, 2]], cell=[7, 8, 9], pbc=True)
frame.arrays["quaternion"] = numpy.array([[1.0, 2, 3, 4], [4, 3, 2, 1], [1, 0, 0, 1]])
for axis in "123":
    frame.arrays[f"c_diameter[{axis}]"] = numpy.ones(3) + int(axis)

projection = EllipsoidalDensityProjection(9, "gto", 7.0, radial_gaussian_width=1.5, max_radial=6,
                                          basis_rcond=1e-8, basis_tol=1e-3)
values = projection.power_spectrum([frame])
heavy = sorted({"torch", "anisoap", "metatensor", "featomic"} & set(sys.modules))
print(json.dumps({"version": sys.version_info[:2], "level": library.level(), "heavy": heavy,
                  "file": library.__file__, "values": values.tolist()}))
"""


def newest() -> Path | None:
    """The newest CPython of this machine that is newer than the running one."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = [path for name in os.get_exec_path() for path in Path(name).glob("python3.*")]
    candidates = [*on_path, *versions.glob("*/bin/python3.*")]
    found = {_version(path): path for path in candidates if re.fullmatch(r"python3\.\d+", path.name)}
    version = max(found, default=(0, 0))
    return found[version] if version > sys.version_info[:2] else None


def _version(path: Path) -> tuple[int, ...]:
    return tuple(map(int, path.name.removeprefix("python").split(".")))


@pytest.fixture(scope="module", params=["running", "newest"])
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The interpreter of a fresh environment with this tree in it, which nobody can write."""
    python = Path(sys.executable) if request.param == "running" else newest()
    if python is None:
        pytest.skip("no second CPython newer than the running one")

    folder = tmp_path_factory.mktemp(request.param)
    source, environment = folder / "source", folder / "environment"
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)

    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--python", python, environment], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", environment / "bin" / "python", "."]
    subprocess.run(install, cwd=source, check=True)

    if os.geteuid() == 0:
        with mounted(environment, "--bind", os.fspath(environment)):
            options = ["mount", "-o", "remount,ro,bind", os.fspath(environment)]
            subprocess.run(options, check=True)
            yield environment / "bin" / "python"
    else:
        subprocess.run(["chmod", "-R", "a-w", environment], check=True)
        yield environment / "bin" / "python"
        subprocess.run(["chmod", "-R", "u+w", environment], check=True)


def first_result(python: Path, **environment: str) -> dict[str, Any]:
    """What the script says in a fresh process, which knows of this tree nothing but what is installed."""
    bare = {"PATH": "/usr/bin:/bin", **environment}
    done = subprocess.run([python, "-c", SCRIPT], cwd="/", env=bare, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_every_level_computes_what_this_tree_does(installed: Path) -> None:
    here = first_result(Path(sys.executable), PYTHONPATH=str(ROOT / "src"))
    expected = np.array(here["values"])

    for level in library.levels():
        there = first_result(installed, ANISWEEP_LEVEL=level)
        assert there["level"] == level
        assert there["heavy"] == []
        assert not there["file"].startswith(str(ROOT))
        assert np.abs(there["values"] - expected).max() <= 1e-12 * np.abs(expected).max()


def test_a_file_is_described_without_metatensor(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "one.xyz").write_text("1\n\nC 0 0 0\n")
    command = [installed.with_name("anisweep"), "describe", "one.xyz", "-o"]
    options = ["--orientations", "identity", "--diameters", "[1.0, 1.0, 2.0]"]
    for name in ("one.npz", "one.mts"):
        subprocess.run([*command, name, *options], cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, check=True)

    assert np.load(tmp_path / "one.npz")["values"].shape == (1, 44)
    assert np.load(tmp_path / "one.mts")["blocks/0/values"].shape == (1, 1, 44)
