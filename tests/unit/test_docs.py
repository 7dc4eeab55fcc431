"""The pages say what is there: links lead somewhere, and commands exist."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from anisweep.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")})

#: The documentation's build writes these pages, and looks at their links itself.
BUILT = "examples/"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    here = [link for link in links if "://" not in link and not link.startswith(BUILT)]
    broken = [link for link in here if not (page.parent / link).exists()]
    assert broken == []


def test_the_commands_that_pages_name_exist() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"(?:^|[`\s|])anisweep ([a-z][a-z-]+)", text, re.MULTILINE))
    prose = {"is", "and", "measures", "has"}
    assert named - prose <= set(main.commands)
    assert {"plan", "show", "verify", "prune", "inspect", "new"} <= named


def test_the_targets_that_pages_name_exist() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"(?:^    |`)make ([a-z-]+)", text, re.MULTILINE))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"run", "test"} <= named <= targets


def test_make_alone_lists_every_target_with_a_description() -> None:
    listed = subprocess.run(
        ["make", "-s", "-C", str(ROOT)], capture_output=True, text=True, check=True
    ).stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert {line.split()[1] for line in listed.splitlines()} == set(phony[1].split())


@pytest.mark.parametrize("folder", ["/data", ""])
def test_make_study_runs_every_study_whose_data_are_given_and_first_what_decides(folder: str) -> None:
    environment = {**os.environ, "ANISWEEP_DATA": folder}
    said = subprocess.run(
        ["make", "-n", "study"], cwd=ROOT, capture_output=True, text=True, check=True, env=environment
    ).stdout
    studies = re.search(r'study=\[([^\]]*)\]"', said)[1].split(",")  # type: ignore[index]
    left_out = set() if folder else {"liquid_benzene"}

    assert studies[0] == "headline"
    assert {*studies, "tiny"} == {file.stem for file in ROOT.glob("config/studies/*.yaml")} - left_out
    assert len(set(studies)) == len(studies)
    assert ("Left out: liquid_benzene. ANISWEEP_DATA is not set" in said) == bool(left_out)
