"""What is known of a study that has been run: its rows, journeys, profiles, tables and question."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from anisweep.cell import Cell, cell_from_plain
from anisweep.cluster.arrivals import journeys_of
from anisweep.config import ConfigError, Project
from anisweep.reading import read_folder
from anisweep.row import Row
from anisweep.store import Store, rows_of, write_bytes

if TYPE_CHECKING:
    from anisweep.tables import PackJourney, Profile


def study_rows(project: Project, study: str) -> tuple[list[Row], dict[str, Any], list[str]]:
    """The rows of a study, where each pack comes from, and the labels of what is missing."""
    from anisweep.tables import Platform, Source

    cells = [cell_from_plain(plain) for plain in json.loads(_cells_file(project, study).read_text())]
    store = Store(project.artifacts, project.state)
    rows: list[Row] = []
    sources = {}

    for entry, found in rows_of(store, cells):
        details = store.details(entry.name)
        environment = details["environment"]
        accelerators = environment.get("accelerators", {})
        platform = Platform.of(details["host"], environment["versions"], accelerators)
        rows += found
        sources[entry.name] = Source(f"artifacts/{entry.name}.tar.gz", entry.sha256, platform)

    return rows, sources, _missing(cells, rows)


def _missing(cells: Sequence[Cell], rows: Sequence[Row]) -> list[str]:
    """Labels of the cells that nobody has measured here or, where nothing is from here, anywhere."""
    here = {cell.site for cell in cells} & {row.site for row in rows}
    present = {row.key if here else row.point for row in rows}
    return [cell.label for cell in cells if (cell.key if here else cell.point) not in present]


def study_journeys(project: Project, study: str) -> list[PackJourney]:
    """What clusters did with the packs of a study's rows."""
    rows, _, _ = study_rows(project, study)
    packs = {row.pack for row in rows}

    brought = {each.pack: each for each in _brought(project) if each.pack in packs}
    own = {each.pack: each for each in journeys_of(project, rows)}
    return list({**brought, **own}.values())


def keep_journeys(project: Project, study: str, table: bytes) -> None:
    """Remember what a bundle says of a cluster: no artifact holds it, and tables are collected again.

    Raises
    ------
    ValueError, KeyError
        when it is no ``journeys.csv``
    """
    from anisweep.tables.journeys import journeys_of_csv

    if journeys_of_csv(table.decode()):
        name = hashlib.sha256(table).hexdigest()[:12]
        write_bytes(project.results / study / "journeys" / f"{name}.csv", table)


def _brought(project: Project) -> Iterator[PackJourney]:
    """Of the bundles of all studies, since these share packs."""
    from anisweep.tables.journeys import journeys_of_csv

    for file in sorted(project.results.glob("*/journeys/*.csv")):
        yield from journeys_of_csv(file.read_text())


def study_profiles(project: Project, study: str) -> Iterator[Profile]:
    """What was profiled of a study's cells."""
    from anisweep.tables import Profile

    cells = [cell_from_plain(plain) for plain in json.loads(_cells_file(project, study).read_text())]
    store = Store(project.artifacts, project.state)

    for entry, rows in rows_of(store, cells):
        files = read_folder(store.path(entry.name), "profiles/")
        imports: dict[tuple[int, str], float] = {}
        for row in rows:
            first = imports.get((row.process, row.mode), 0.0)
            imports[row.process, row.mode] = max(first, row.import_s or 0.0)

        for row in (row for row in rows if row.role == "cell"):
            name = f"{row.key[:16]}-{row.process}"
            if f"{name}.json" in files:
                stacks = files.get(f"{name}.folded", b"")
                artifact = f"artifacts/{entry.name}.tar.gz"
                yield Profile(row, imports[row.process, row.mode], artifact, files[f"{name}.json"], stacks)


def study_tables(project: Project) -> list[Path]:
    """The folders of tables of every study that has been run."""
    made = sorted(project.results.glob("*/tables/summary.parquet"))
    return [file.parent for file in made if (file.parents[1] / "configuration.yaml").exists()]


def measured_tables(project: Project, studies: Sequence[str] = ()) -> list[Path]:
    """The folders of tables of these studies, or of all.

    Raises
    ------
    ConfigError
        when there are none, with the command that makes them
    """
    there = study_tables(project)
    found = [folder for folder in there if not studies or folder.parent.name in studies]
    lacking = sorted({*studies} - {folder.parent.name for folder in found})

    if lacking or not found:
        known = ", ".join(folder.parent.name for folder in there) or "none yet"
        raise ConfigError(
            f"{', '.join(lacking) or 'results'}: no tables. Allowed: studies that have been run ({known}).\n"
            f"`make run STUDY={lacking[0] if lacking else 'first_look'}` makes them."
        )
    return found


def study_question(project: Project, study: str) -> str:
    """The question of a study that has been run."""
    configuration = yaml.safe_load((project.results / study / "configuration.yaml").read_text())
    return str(configuration["question"])


def _cells_file(project: Project, study: str) -> Path:
    return project.results / study / "cells.json"
