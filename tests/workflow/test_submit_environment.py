"""`make submit-env`: what an access point needs and nothing else, from any CPython of an allowed age."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clone import ROOT, TIMEOUT_S, Clone

PROGRAM = ROOT / "envs" / "setup.py"

#: CHTC's home folders are small.
LARGEST_BYTES = 600 * 10**6

#: What measures, and what compiles; none of it may be needed.
ABSENT = """
from importlib.util import find_spec
print([name for name in ("torch", "anisoap", "numba", "pip", "setuptools", "uv") if find_spec(name)])
"""

PLUGINS = """
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry
print(*ExecutorPluginRegistry().get_registered_plugins())
"""


@pytest.fixture(scope="module")
def access_point(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A fresh clone with its environment, and nobody's programs but the system's."""
    clone = Clone.of_the_tree(tmp_path_factory.mktemp("access point") / "a clone")
    for kernel in clone.root.glob("src/anisweep/descriptors/kernels/*.so"):
        kernel.unlink()

    python = f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    said(clone, "make", "submit-env", ANISWEEP_PYTHON=python)
    return clone


def said(clone: Clone, *command: str, status: int = 0, **more: str) -> str:
    """What a command says to a user who has just logged in, with the environment first on the path."""
    kept = {name: os.environ[name] for name in os.environ if name.startswith(("HOME", "SSL_", "PIP_", "UV_"))}
    done = subprocess.run(
        command,
        cwd=clone.root,
        env={
            **kept,
            "PATH": f"{clone.root}/.venv-submit/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONPYCACHEPREFIX": f"{clone.root}/compiled",
            **more,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == status, done.stdout
    return done.stdout


def test_it_is_small(access_point: Clone) -> None:
    files = {}
    for path in (access_point.root / ".venv-submit").rglob("*"):
        about = path.lstat()
        files[about.st_ino] = about.st_blocks * 512

    assert 10**8 < sum(files.values()) <= LARGEST_BYTES


def test_commands_are_there(access_point: Clone) -> None:
    assert "preflight" in said(access_point, "anisweep", "--help")
    assert said(access_point, "snakemake", "--version").startswith("9.")


def test_what_is_not_there(access_point: Clone) -> None:
    assert said(access_point, "python", "-c", ABSENT) == "[]\n"


def test_nothing_was_compiled(access_point: Clone) -> None:
    assert list(access_point.root.rglob("src/**/*.so")) == []


def test_snakemake_finds_the_executor(access_point: Clone) -> None:
    assert "condorsweep" in said(access_point, "python", "-c", PLUGINS).split()


def test_it_plans_for_a_cluster(access_point: Clone) -> None:
    assert "8 cells: 0 measured" in said(access_point, "anisweep", "plan", "site=chtc", "study=tiny")
    assert "netid is empty" in said(access_point, "anisweep", "preflight", "study=tiny", status=1)
    assert "measure_pack" in said(
        access_point, "snakemake", "--profile", "chtc", "--dry-run", "--config", "study=tiny"
    )


def test_the_second_time_it_only_says_where(access_point: Clone) -> None:
    folder = access_point.root / ".venv-submit" / "bin"

    assert said(access_point, "make", "submit-env") == (
        f'For snakemake and anisweep: export PATH="{folder}:$PATH"\n'
    )


def test_a_python_that_is_too_old_gets_one_line(tmp_path: Path) -> None:
    clone = Clone.of_the_tree(tmp_path / "a clone")
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\necho 3.9\n")
    old.chmod(0o755)

    line = said(clone, "make", "submit-env", status=2, ANISWEEP_PYTHON=str(old)).splitlines()[0]
    assert line.startswith("No CPython 3.11 or later was found")
    assert "python3 -m uv python install 3.12" in line


def test_any_old_python_can_say_so() -> None:
    ast.parse(PROGRAM.read_text(), feature_version=(3, 6))
    assert "capture_output" not in PROGRAM.read_text()  # Python 3.7
