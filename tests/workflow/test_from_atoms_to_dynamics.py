"""A user's road, as its page tells it: an all-atom trajectory, a model, dynamics, and their structure."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from clone import ROOT
from tests.conformance.real_lammps import start

PAGE = (ROOT / "docs" / "how-to" / "from-atoms-to-dynamics.md").read_text()
SCRIPT = (ROOT / "docs" / "gallery" / "0_from_atoms_to_dynamics.py").read_text()

#: The commands of the page, each on its line; comments are left out.
COMMANDS = [
    line.partition("  #")[0].strip()
    for block in re.findall(
        r"^```sh\n(.*?)^```", PAGE.partition("## Options of the fit")[0], re.DOTALL | re.MULTILINE
    )
    for line in block.splitlines()
]


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder that the page's first command fills, and what it said."""
    start().close()
    folder = tmp_path_factory.mktemp("road")
    (folder / "docs").symlink_to(ROOT / "docs")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
    }

    done = subprocess.run(COMMANDS[0].split(), cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / COMMANDS[0].split()[-1], done.stdout


def test_the_script_gives_the_commands_of_the_page(road: tuple[Path, str]) -> None:
    _, said = road
    given = [line.removeprefix("$ ") for line in said.splitlines() if line.startswith("$ ")]
    assert given == COMMANDS[1:]
    assert [command.split()[1] for command in given] == ["coarsen", "coarsen", "fit", "evaluate"]


def test_it_leaves_two_figures(road: tuple[Path, str]) -> None:
    folder, _ = road
    for name in ("parity.png", "dynamics.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_the_error_of_forces_is_what_the_page_says(road: tuple[Path, str]) -> None:
    _, said = road
    stated = float(re.search(r"the error of forces is ([\d.]+) of the root mean square", PAGE)[1])
    found = float(re.search(r"^forces .* ([\d.]+)%", said, re.MULTILINE)[1]) / 100
    assert found <= stated + 0.07


def test_both_runs_have_the_structure_of_the_atoms(road: tuple[Path, str]) -> None:
    _, said = road
    line = r"^(all atoms|discs, \w+) +highest ([\d.]+) at ([\d.]+) A, mean \|dg\| ([\d.]+)$"
    (_, *atoms), *discs = re.findall(line, said, re.MULTILINE)
    highest, distance, _ = map(float, atoms)

    assert len(discs) == 2
    for _, *numbers in discs:
        peak, place, apart = map(float, numbers)
        assert abs(peak - highest) <= 0.2 * highest
        assert abs(place - distance) <= 0.51
        assert apart <= 0.12


def test_the_page_shows_the_script() -> None:
    blocks = re.findall(
        r"^```python\n(.*?)^```", PAGE.partition("## Options of the fit")[0], re.DOTALL | re.MULTILINE
    )
    assert len(blocks) == 2
    assert all(block in SCRIPT for block in blocks)
