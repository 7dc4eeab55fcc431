"""Whatever lies in results/, every command that looks there ends, in words, and shows what is sound."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import examples
from anisweep.artifacts.store import Store
from anisweep.cli import main
from anisweep.config.project import Project

STUDY = {"question": "What is there?", "replicates": 1, "datasets": {"ellipsoids": {"frames": 1}}}
NAME = "ellipsoids-r1-0123456789ab"
COMMANDS = {
    "plan": ("plan", "study=mine"),
    "plan for programs": ("plan", "study=mine", "--json"),
    "verify": ("verify",),
    "show": ("show", NAME),
    "show the odd one": ("show", "odd-r1-0123456789ab"),
    "prune": ("prune",),
    "inspect": ("inspect", "mine.xyz"),
}
XYZ = """1
Properties=species:S:1:pos:R:3:c_q:R:4:c_diameter:R:3
C 0 0 0 1 0 0 0 3 3 1
"""


def a_folder(path: Path) -> None:
    path.mkdir(parents=True)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening, chdir(path.parent):
        listening.bind(path.name)


def a_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def other_bytes(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\0")


def other_json(path: Path) -> None:
    path.write_text('{"a": [1, NaN]}')


def nested_json(path: Path) -> None:
    path.write_text("[" * 100_000)


KINDS = [a_folder, a_pipe, a_socket, a_dangling_link, a_device, other_bytes, other_json, nested_json]

#: Files that some command of a project reads.
PLACES = [
    "results/artifacts/odd-r1-0123456789ab.tar.gz",
    f"results/.anisweep/index/{NAME}.json",
    f"results/.anisweep/index/{NAME}.arrow",
    f"results/.anisweep/index/{NAME}.points",
    "results/packs/odd.json",
    "results/mine/cells.json",
    "results/mine/configuration.yaml",
]


@pytest.fixture
def filled(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a study and one sound artifact, which the index knows."""
    project.study_file("mine").write_text(yaml.safe_dump({**STUDY, "modes": ["numpy_only"]}))
    (project.root / "mine.xyz").write_text(XYZ)
    project.artifacts.mkdir(parents=True)
    examples.write_artifact(project.artifacts, examples.pack(name=NAME))
    assert [entry.sound for entry in Store(project.artifacts, project.state).entries()] == [True]
    monkeypatch.chdir(project.root)
    return project


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_no_file_in_results_stops_a_command(filled: Project, make: Callable[[Path], None]) -> None:
    for place in PLACES:
        path = filled.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        make(path)

    for what, command in COMMANDS.items():
        result = CliRunner().invoke(main, list(command))

        assert result.exception is None or isinstance(result.exception, SystemExit), f"{what}: {result}"
        assert result.exit_code in ((0, 1) if what in ("verify", "show the odd one") else (0,)), result.output
        assert len(result.output) < 10_000


def test_a_damaged_artifact_is_named(filled: Project) -> None:
    a_pipe(filled.artifacts / "odd-r1-0123456789ab.tar.gz")

    assert (
        "odd-r1-0123456789ab.tar.gz: cannot be read (It is a pipe)"
        in CliRunner().invoke(main, ["verify"]).output
    )
    assert "(damaged)" in CliRunner().invoke(main, ["prune"]).output
