"""A section, its figure and what they show have one name, and the folder lists the sections."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import anisweep
from anisweep import figures
from anisweep.report import sections

PACKAGE = Path(anisweep.__file__).parent
ANALYSES = sorted(path.stem for path in (PACKAGE / "analysis").glob("[!_]*.py"))
COMMANDS = {path.stem for path in (PACKAGE / "cli").glob("*.py")}


@pytest.mark.parametrize("name", ANALYSES)
def test_an_analysis_is_a_section_or_a_command(name: str) -> None:
    assert name in sections.names() or name in COMMANDS


def test_an_analysis_that_is_drawn_has_a_figure_of_its_name() -> None:
    texts = [(figures.FOLDER / f"{name}.py").read_text() for name in figures.names()]
    drawn = {name for text in texts for name in re.findall(r"from anisweep\.analysis\.(\w+) import", text)}

    assert {"growth", "thread_scaling"} <= drawn <= set(figures.names())


def test_sections_have_places_of_their_own() -> None:
    places = [
        re.search(r"^PLACE = (\d+)$", (sections.FOLDER / f"{name}.py").read_text(), re.MULTILINE)
        for name in sections.names()
    ]

    assert None not in places
    assert len({place[1] for place in places if place}) == len(places)
