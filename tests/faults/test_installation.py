"""The wheels alone: they compute, on each CPython, without a compiler, on a read-only disk and on any CPU."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from test_disk import mounted

from anisweep.descriptors.kernels import loader
from clone import ROOT

UV = Path(sys.executable).with_name("uv")

#: Prints features of one frame by the package that is named.
FEATURES = Path(__file__).with_name("features_of_a_frame.py")

#: Computes them by ours, and prints what that took.
STATE = """
import json, runpy, sys
from anisweep.descriptors.kernels import loader

runpy.run_path(sys.argv[1])["compute"]("anisweep.descriptors")
heavy = sorted({"torch", "anisoap", "metatensor", "featomic"} & set(sys.modules))
print(json.dumps({"level": loader.level(), "heavy": heavy, "file": loader.kernels()._name}))
"""

#: A path without a compiler, or anything else.
NOTHING = "/nonexistent"


def interpreters() -> dict[tuple[int, ...], Path]:
    """The CPythons of this machine, by their versions."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = [path for name in os.get_exec_path() for path in Path(name).glob("python3.*")]
    candidates = [*on_path, *versions.glob("*/bin/python3.*"), Path(sys.executable)]
    return {_version(path): path for path in candidates if re.fullmatch(r"python3\.\d+", path.name)}


def _version(path: Path) -> tuple[int, ...]:
    return tuple(map(int, path.name.removeprefix("python").split(".")))


def interpreter(wanted: str) -> Path:
    """The running interpreter, the newest one, or one of a version; a test that finds none is skipped."""
    if wanted == "running":
        return Path(sys.executable)

    found = interpreters()
    version = max(found) if wanted == "newest" else tuple(map(int, wanted.split(".")))
    tried = (sys.version_info[:2], (3, 13)) if wanted == "newest" else ()

    if version not in found or version in tried:
        pytest.skip(f"no second CPython: {wanted}")
    return found[version]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a release consists of, built from this tree as `make dist` does it."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, ROOT / "scripts" / "dist.py", folder], check=True)
    return folder


@pytest.fixture(scope="module", params=["running", "3.13", "newest"])
def installed(
    request: pytest.FixtureRequest, wheels: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The interpreter of an environment that holds the library alone, which nobody can write."""
    environment = tmp_path_factory.mktemp(request.param) / "environment"
    make_environment(environment, interpreter(request.param))
    install(environment, next(wheels.glob("anisweep-*x86_64.whl")))

    if os.geteuid() == 0:
        with mounted(environment, "--bind", os.fspath(environment)):
            options = ["mount", "-o", "remount,ro,bind", os.fspath(environment)]
            subprocess.run(options, check=True)
            yield environment / "bin" / "python"
    else:
        subprocess.run(["chmod", "-R", "a-w", environment], check=True)
        yield environment / "bin" / "python"
        subprocess.run(["chmod", "-R", "u+w", environment], check=True)


def make_environment(folder: Path, python: Path) -> None:
    subprocess.run([UV, "venv", "--quiet", "--python", python, folder], check=True)


def install(environment: Path, *wheels: Path) -> None:
    """Install wheels where nothing can be compiled, neither they nor what they need."""
    command = [UV, "pip", "install", "--quiet", "--only-binary", ":all:"]
    options = ["--python", environment / "bin" / "python", *wheels]
    subprocess.run([*command, *options], env={**os.environ, "PATH": NOTHING}, check=True)


def result(*command: str | Path, **environment: str) -> Any:
    """What a fresh process prints, which knows of this tree nothing but what is installed."""
    bare = {"PATH": NOTHING, **environment}
    done = subprocess.run(command, cwd="/", env=bare, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def published() -> np.ndarray:
    """What the published package computes."""
    pytest.importorskip("anisoap", reason="no anisoap")
    return np.array(result(sys.executable, FEATURES, "anisoap.representations"))


def test_every_level_computes_what_the_published_package_does(installed: Path, published: np.ndarray) -> None:
    for level in loader.levels():
        features = result(installed, FEATURES, "anisweep.descriptors", ANISWEEP_LEVEL=level)
        assert np.abs(features - published).max() <= 1e-10 * np.abs(published).max()


def test_the_kernels_are_those_of_the_wheel_and_nothing_heavy_is_loaded(installed: Path) -> None:
    for level in loader.levels():
        state = result(installed, "-c", STATE, FEATURES, ANISWEEP_LEVEL=level)
        assert state["level"] == level
        assert state["heavy"] == []
        assert state["file"].startswith(str(installed.parents[1]))


def test_a_file_is_described_without_metatensor(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "one.xyz").write_text("1\n\nC 0 0 0\n")
    command = [installed.with_name("anisweep"), "describe", "one.xyz", "-o"]
    options = ["--orientations", "identity", "--diameters", "[1.0, 1.0, 2.0]"]
    for name in ("one.npz", "one.mts"):
        subprocess.run([*command, name, *options], cwd=tmp_path, env={"PATH": NOTHING}, check=True)

    assert np.load(tmp_path / "one.npz")["values"].shape == (1, 44)
    assert np.load(tmp_path / "one.mts")["blocks/0/values"].shape == (1, 1, 44)


def test_the_wheel_for_another_processor_holds_kernels_for_that_one_alone(wheels: Path) -> None:
    with ZipFile(next(wheels.glob("anisweep-*aarch64.whl"))) as archive:
        kernels = [name for name in archive.namelist() if name.endswith(".so")]
        machines = {int.from_bytes(archive.read(name)[18:20], "little") for name in kernels}

    assert [Path(name).name for name in kernels] == ["_portable.abi3.so", "_portable_single.abi3.so"]
    assert machines == {183}  # EM_AARCH64 of ELF


def test_snakemake_finds_the_executor_of_its_wheel(wheels: Path, tmp_path: Path) -> None:
    make_environment(tmp_path / "environment", Path(sys.executable))
    install(tmp_path / "environment", next(wheels.glob("snakemake_executor_plugin_condorsweep-*.whl")))

    code = (
        "from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry as Registry\n"
        "import json, snakemake_executor_plugin_condorsweep as executor\n"
        "print(json.dumps([executor.__file__, Registry().is_installed('condorsweep')]))"
    )
    file, found = result(tmp_path / "environment" / "bin" / "python", "-c", code)
    assert Path(file).is_relative_to(tmp_path)
    assert found
