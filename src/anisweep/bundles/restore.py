"""Restore the artifacts and tables of a bundle that `anisweep bundle` wrote.

Their artifacts prove their rows, and make their tables again.
"""

from __future__ import annotations

import csv
import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from anisweep import report, tables
from anisweep.analysis import conversion
from anisweep.artifacts import writing
from anisweep.artifacts.reading import DamagedArtifact, read
from anisweep.artifacts.store import Store
from anisweep.bundles.archive import Member, Refused
from anisweep.bundles.write import FORMER_JOB_RECORDS, JOB_RECORDS, MANIFEST, STUDY_FILES
from anisweep.cell import FORMAT
from anisweep.config.load import RESERVED_NAMES
from anisweep.config.project import Project
from anisweep.files import durable, write_bytes
from anisweep.parsing.json_text import read_json
from anisweep.parsing.schema import Word, build
from anisweep.parsing.yaml_text import read_yaml_text
from anisweep.workflow.studies import (
    cells_of_file,
    keep_job_records,
    study_job_records,
    study_profiles,
    study_rows,
)

ARTIFACT = re.compile(r"artifacts/([a-z0-9_]+-r\d+-[0-9a-f]{12}(?:-\d+)?)\.tar\.gz")
STUDY_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class BundleManifest:
    """State what the first member of a bundle says."""

    format: int
    study: Word


def study_of(manifest: bytes) -> str | Refused:
    """Return the study of a bundle of ours, by its manifest."""
    try:
        plain = build(BundleManifest, read_json(manifest))
    except ValueError as error:
        return Refused(MANIFEST, f"cannot be understood ({error})")

    if plain.format != FORMAT:
        return Refused(MANIFEST, f"format {plain.format}; this version reads {FORMAT}")
    if not STUDY_NAME.fullmatch(plain.study) or plain.study in RESERVED_NAMES:
        return Refused(MANIFEST, f"{plain.study!r} is no name of a study")
    return plain.study


def take_artifact(project: Project, member: Member) -> str | Refused:
    """Put an artifact to the others if every byte of it is right; an artifact is never overwritten."""
    found = ARTIFACT.fullmatch(member.name)
    if not found:
        return Refused(member.name, "no name of an artifact")

    target = project.artifacts / PurePosixPath(member.name).name
    if os.path.lexists(target):
        same = target.is_file() and target.read_bytes() == member.content
        return "" if same else Refused(member.name, "another artifact of this name is there")

    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)

    try:
        with durable(temporary) as stream:
            stream.write(member.content)
        contents = read(temporary)
        if contents.pack.name != found[1]:
            return Refused(member.name, "it is the artifact of another pack")
        writing.put(temporary, target)
        Store(project.artifacts, project.state).keep(found[1], contents)
    except DamagedArtifact as damage:
        return Refused(member.name, str(damage).replace(temporary.name, target.name))
    finally:
        temporary.unlink(missing_ok=True)

    writing.kept_link(target).unlink()
    return f"artifacts/{target.name}"


def restore_study(project: Project, study: str, files: dict[str, bytes]) -> list[str] | Refused:
    """Write down what the study asked for, and make its tables from the artifacts.

    A study that is here already keeps its own configuration; its next run makes its tables.

    Returns
    -------
    list of str
        what was written, relative to ``results/``; or why nothing was
    """
    if FORMER_JOB_RECORDS in files:
        files = {JOB_RECORDS: files[FORMER_JOB_RECORDS], **files}

    missing = [name for name in (*STUDY_FILES, JOB_RECORDS) if name not in files]
    if missing:
        return Refused(f"study {study}", f"the bundle has no {' and no '.join(missing)}")

    try:
        _check(files)
        keep_job_records(project, study, files[JOB_RECORDS])
    except (ValueError, KeyError, csv.Error) as error:
        return Refused(f"study {study}", f"its files cannot be understood ({error})")

    here = (project.results / study / "cells.json").exists()
    return [] if here else _write_down(project, study, files)


def _check(files: dict[str, bytes]) -> None:
    """Raise ``ValueError`` when the study cannot be run again from its files."""
    cells_of_file(files["cells.json"])
    configuration = read_yaml_text(files["configuration.yaml"].decode())
    if not isinstance(configuration, dict) or not isinstance(configuration.get("question"), str):
        raise ValueError("configuration.yaml: no question")


def _write_down(project: Project, study: str, files: dict[str, bytes]) -> list[str]:
    folder = project.results / study
    for name in STUDY_FILES:
        write_bytes(folder / name, files[name])

    rows, sources, missing = study_rows(project, study)
    target = project.tables(study)
    tables.write_all(rows, sources, target, missing)
    tables.write_job_records(study_job_records(project, study), target)
    conversion.write(tables.read(target, "summary"), target / "conversion.json")
    report.write_answer(target)
    if profiles := list(study_profiles(project, study)):
        tables.write_profiles(profiles, target, folder / "profiles")
    return [f"{study}/{name}" for name in (*STUDY_FILES, target.name)]


def not_reproduced(project: Project, study: str, beside: dict[str, bytes]) -> list[str]:
    """Return the tables beside a bundle's artifacts that differ from those made of these artifacts."""
    folder = project.tables(study)
    places = {name: [folder / name, folder / "metrics" / name] for name in beside}
    return [
        name
        for name, content in sorted(beside.items())
        if not any(place.is_file() and place.read_bytes() == content for place in places[name])
    ]
