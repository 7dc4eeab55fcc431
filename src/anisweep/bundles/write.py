"""Write a bundle of our own results: artifacts, and tables in the formats of the AniSOAP profiling study."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from anisweep.artifacts.store import Store, chosen_of
from anisweep.artifacts.writing import SUFFIX
from anisweep.cell import FORMAT
from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.files import whole
from anisweep.workflow.studies import study_cells

#: What makes an archive one of ours.
MANIFEST = "bundle.json"

#: What the tables of a study are made of, beside its artifacts.
STUDY_FILES = ("cells.json", "configuration.yaml")

#: What the access point saw, which no artifact knows.
JOB_RECORDS = "job_records.csv"

#: What the former version called it; its bundles are still taken.
FORMER_JOB_RECORDS = "journeys.csv"

#: Old names; each is made again from the artifacts.
OLD_TABLES = (
    "timings*.csv",
    "summary_*.csv",
    "combined_from_metrics.csv",
    "env_report.json",
    "metrics/*.json",
)


def write(project: Project, study: str, file: Path) -> int:
    """Write the bundle of a study as .tgz, .tar.gz or .zip, and return how many files it holds.

    Raises
    ------
    UserError
        when the study has no tables yet, the name is of no archive, or the file exists
    """
    there = project.studies_with("cells.parquet")
    if study not in there:
        raise UserError(
            f"{study}: it has no tables in results. Allowed: studies that have been run "
            f"({', '.join(there) or 'none yet'}). `make run STUDY=NAME` runs one."
        )
    if file.exists() or file.is_symlink():
        raise UserError(f"{file} exists. Allowed: a new name. Choose another one, or move that file.")
    if not file.name.endswith((".tgz", ".tar.gz", ".zip")):
        raise UserError(f"{file}: not allowed. Allowed: names that end in .tgz, .tar.gz or .zip. Rename it.")

    members = dict(_members(project, study))
    with whole(file) as stream:
        (_write_zip if file.suffix == ".zip" else _write_tar)(stream, members)
    return len(members)


def _members(project: Project, study: str) -> Iterator[tuple[str, bytes]]:
    folder, tables = project.results / study, project.tables(study)
    yield MANIFEST, (json.dumps({"format": FORMAT, "study": study}) + "\n").encode()

    for name in STUDY_FILES:
        yield f"study/{name}", (folder / name).read_bytes()
    yield f"study/{JOB_RECORDS}", (tables / JOB_RECORDS).read_bytes()

    for pack in _packs(project, study):
        yield f"artifacts/{pack}{SUFFIX}", (project.artifacts / f"{pack}{SUFFIX}").read_bytes()
        log = project.results / "logs" / f"{pack}.log"
        if log.exists():
            yield f"logs/{log.name}", log.read_bytes()

    for pattern in OLD_TABLES:
        for table in sorted(tables.glob(pattern)):
            yield f"results/{table.name}", table.read_bytes()

    for picture in sorted(project.figures(study).glob("*.svg")):
        yield f"figures/{picture.name}", picture.read_bytes()


def _packs(project: Project, study: str) -> list[str]:
    """Return the names of the sound artifacts that the tables of a study rest on."""
    cells = study_cells(project, study)
    return [entry.name for entry, _ in chosen_of(Store(project.artifacts, project.state), cells)]


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
