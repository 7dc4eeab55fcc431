"""What pre-commit runs is what `make check` runs before its tests, and with the same tools."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]

#: `make check` runs these, too: they take more than a commit may, or read what is not in the commit.
OF_CHECK_ALONE = {"pytest", "python"}


def test_the_tools_are_those_of_make_check() -> None:
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    commands = re.findall(r"^\t@(.*)", recipe[1].replace("ruff ", "ruff-"), re.MULTILINE)
    tools = {command.split()[0] for command in commands} - OF_CHECK_ALONE

    assert {hook["id"] for hook in hooks()} == tools


def test_every_tool_is_taken_from_the_environment() -> None:
    for hook in hooks():
        program = hook["entry"].split()[0]
        assert hook["language"] == "system"
        assert program.startswith(".venv/bin/")
        assert (ROOT / program).exists(), program


def hooks() -> list[dict[str, str]]:
    configuration = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    return [hook for repository in configuration["repos"] for hook in repository["hooks"]]
