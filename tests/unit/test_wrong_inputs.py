"""Every case of tests/wrong_inputs.yaml: status 1, no traceback, and a message that holds all four things."""

from __future__ import annotations

import errno
import io
import os
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from anisweep.cli import main
from anisweep.config.project import Project

TABLE = Path(__file__).parents[1] / "wrong_inputs.yaml"
STUDY = {
    "question": "What is wrong?",
    "replicates": 1,
    "datasets": {"ellipsoids": {}},
    "modes": ["numpy_only"],
}
KINDS = {"key", "value", "study", "xyz", "arrays", "physics", "files", "environment", "describe"}


@dataclass
class Case:
    """A line of the table."""

    name: str
    kind: str
    says: dict[str, str]
    study: dict[str, Any] = field(default_factory=dict)
    without: str = ""
    text: str = ""
    xyz: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    command: tuple[str, ...] = ("plan", "study=mine")
    given: str = ""

    def write(self, project: Project) -> None:
        """The study and its file."""
        if self.xyz is not None:
            (project.root / "mine.xyz").write_text(self.xyz)

        file = {"datasets": {"mine": {"file": "mine.xyz", **self.options}}} if self.xyz is not None else {}
        study = STUDY | file | self.study
        study.pop(self.without, None)
        project.study_file("mine").write_text(self.text or yaml.safe_dump(study))


CASES = [Case(**plain) for plain in yaml.safe_load(TABLE.read_text())]

# --- circumstances ----------------------------------------------------------------------------------------

Patch = pytest.MonkeyPatch


def read_only(project: Project, patch: Patch) -> None:
    """What opens a file for writing is refused, as on a file system that is mounted so."""
    real = io.open

    def opened(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if set(mode) & set("wax+") and str(file).startswith(str(project.root)):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(file))
        return real(file, mode, *arguments, **options)

    patch.setattr(io, "open", opened)


def full_disk(project: Project, patch: Patch) -> None:
    """No file of this process may grow beyond some bytes."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))


def no_project(project: Project, patch: Patch) -> None:
    elsewhere = project.root.parent / "elsewhere"
    elsewhere.mkdir()
    patch.setenv("ANISWEEP_PROJECT", str(elsewhere))


def no_lock(project: Project, patch: Patch) -> None:
    (project.root / "envs" / "worker.txt").unlink()


def garbled_lock(project: Project, patch: Patch) -> None:
    (project.root / "envs" / "worker.txt").write_text("psutil <<<<<<< HEAD\n")


def other_version(project: Project, patch: Patch) -> None:
    (project.root / "envs" / "worker.txt").write_text("psutil==0.0.1\n")


def no_python(project: Project, patch: Patch) -> None:
    patch.setenv("PATH", str(_programs(project)))


def wrong_python(project: Project, patch: Patch) -> None:
    patch.setenv("ANISWEEP_PYTHON", str(_program(project, "not-a-python", "exit 1")))


def no_venv(project: Project, patch: Patch) -> None:
    """As Debian's python3 without python3-venv."""
    _program(project, "python3.11", 'case "$*" in *version_info*) echo 3.11;; *) exit 1;; esac')
    patch.setenv("PATH", str(_programs(project)))


def dangling_output(project: Project, patch: Patch) -> None:
    _in_place(project, patch, "dangling_target.npz").symlink_to("nowhere")


def pipe_output(project: Project, patch: Patch) -> None:
    os.mkfifo(_in_place(project, patch, "pipe_target.npz"))


def folder_output(project: Project, patch: Patch) -> None:
    _in_place(project, patch, "folder_target.npz").mkdir()


def device_output(project: Project, patch: Patch) -> None:
    _in_place(project, patch, "device_target.npz").symlink_to("/dev/null")


def _in_place(project: Project, patch: Patch, name: str) -> Path:
    patch.chdir(project.root)
    return project.root / name


def no_rust(project: Project, patch: Patch) -> None:
    """A fresh machine: nothing in uv's cache, and no cargo."""
    _program(project, "python3.11", "echo 3.11")
    venv = project.root / ".venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "python").symlink_to(_program(project, "python", "echo 3.11"))
    (venv / "uv").symlink_to(_program(project, "uv", "exit 1"))
    patch.setenv("PATH", str(_programs(project)))


def _programs(project: Project) -> Path:
    folder = project.root / "bin"
    folder.mkdir(exist_ok=True)
    return folder


def _program(project: Project, name: str, script: str) -> Path:
    program = _programs(project) / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def disk():
    """Whatever a case did to the limit of files is undone."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


# --- the cases --------------------------------------------------------------------------------------------


def run(command: tuple[str, ...], project: Project) -> tuple[int, str]:
    """Status and all that is said."""
    if command[0] == "make":
        setup = [sys.executable, str(project.root / "envs" / "setup.py")]
        done = subprocess.run(setup, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    result = CliRunner().invoke(main, list(command))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}: {case.name}")
def test_the_message_says_where_what_and_what_to_do(case, project, monkeypatch, disk):
    case.write(project)
    before = snapshot(project)

    if case.command[0] == "make":
        (project.root / "pyproject.toml").write_text("")
        (project.root / "setup.py").write_text("")
    if case.given:
        circumstances: Callable[[Project, Patch], None] = globals()[case.given]
        circumstances(project, monkeypatch)

    status, said = run(tuple(case.command), project)

    assert status == 1
    assert "Traceback" not in said
    for part in ("place", "came", "allowed", "remedy"):
        assert case.says[part] in said, f"{part} is not in the message:\n{said}"
    assert not snapshot(project) - before, "something was written before the input was found wrong"


def snapshot(project: Project) -> set[str]:
    """The files in which something of a run could stand."""
    folders = [project.results, project.root / "data", project.root / "config"]
    files = {str(file) for folder in folders for file in folder.rglob("*") if file.is_file()}
    return files | {str(path) for path in project.root.glob("*out.*")}


def test_the_table_holds_enough_of_each_kind():
    counts = Counter(case.kind for case in CASES)

    assert set(counts) == KINDS
    assert min(counts.values()) >= 4
    assert len({case.name for case in CASES}) == len(CASES) >= 34


def test_what_the_cases_start_from_is_right(project):
    """Else they would fail for another reason than the one that they are about."""
    Case("", "", {}).write(project)

    status, said = run(("plan", "study=mine"), project)
    assert (status, "1 to measure" in said) == (0, True)
