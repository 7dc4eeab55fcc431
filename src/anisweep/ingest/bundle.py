"""Bundles of our own results: the study's formats for old scripts, and the artifacts that prove them."""

from __future__ import annotations

import io
import json
import os
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from anisweep.artifact import SUFFIX, durable
from anisweep.cell import FORMAT, cell_from_plain
from anisweep.config import ConfigError, Project
from anisweep.store import Store, rows_of

#: What makes an archive one of ours.
MANIFEST = "bundle.json"

#: What the tables of a study are made of, beside its artifacts.
STUDY_FILES = ("cells.json", "configuration.yaml")

#: What the access point saw, which no artifact knows.
JOURNEYS = "journeys.csv"

#: Old names; each is made again from the artifacts.
OLD_TABLES = (
    "timings*.csv",
    "summary_*.csv",
    "combined_from_metrics.csv",
    "env_report.json",
    "metrics/*.json",
)


def write(project: Project, study: str, file: Path) -> int:
    """Write the bundle of a study as .tgz, .tar.gz or .zip; returns how many files it holds.

    Raises
    ------
    ConfigError
        when the study has no tables yet, the name is of no archive, or the file exists
    """
    if not (project.results / study / "tables" / "cells.parquet").exists():
        raise ConfigError(
            f"{study}: it has no tables in results/{study}/tables. Allowed: a study that has been run. "
            f"`make run STUDY={study}` runs it."
        )
    if file.exists():
        raise ConfigError(f"{file} exists. Allowed: a new name. Choose another one, or move that file.")
    if not file.name.endswith((".tgz", ".tar.gz", ".zip")):
        raise ConfigError(
            f"{file}: not allowed. Allowed: names that end in .tgz, .tar.gz or .zip. Rename it."
        )

    members = dict(_members(project, study))
    temporary = file.with_name(f".{file.name}.{os.getpid()}")

    try:
        with durable(temporary) as stream:
            (_write_zip if file.suffix == ".zip" else _write_tar)(stream, members)
        os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
    return len(members)


def _members(project: Project, study: str) -> Iterator[tuple[str, bytes]]:
    folder = project.results / study
    yield MANIFEST, (json.dumps({"format": FORMAT, "study": study}) + "\n").encode()

    for name in STUDY_FILES:
        yield f"study/{name}", (folder / name).read_bytes()
    yield f"study/{JOURNEYS}", (folder / "tables" / JOURNEYS).read_bytes()

    for pack in _packs(project, folder / "cells.json"):
        yield f"artifacts/{pack}{SUFFIX}", (project.artifacts / f"{pack}{SUFFIX}").read_bytes()
        log = project.results / "logs" / f"{pack}.log"
        if log.exists():
            yield f"logs/{log.name}", log.read_bytes()

    for pattern in OLD_TABLES:
        for table in sorted((folder / "tables").glob(pattern)):
            yield f"results/{table.name}", table.read_bytes()

    for picture in sorted((folder / "figures").glob("*.svg")):
        yield f"figures/{picture.name}", picture.read_bytes()


def _packs(project: Project, cells_file: Path) -> list[str]:
    """The sound artifacts that the tables of a study rest on."""
    cells = [cell_from_plain(plain) for plain in json.loads(cells_file.read_text())]
    return [entry.name for entry, _ in rows_of(Store(project.artifacts, project.state), cells)]


def _write_tar(stream: IO[bytes], members: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=stream, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def _write_zip(stream: IO[bytes], members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
