"""Bundles that `anisweep bundle` wrote: their artifacts prove their rows, and make their tables again."""

from __future__ import annotations

import csv
import json
import os
import re
from pathlib import PurePosixPath

import yaml

from anisweep import artifact, decision, tables
from anisweep.cell import FORMAT, cell_from_plain
from anisweep.config import RESERVED_NAMES, Project
from anisweep.ingest.archive import Member, Refused
from anisweep.ingest.bundle import JOURNEYS, MANIFEST, STUDY_FILES
from anisweep.reading import DamagedArtifact, read
from anisweep.store import write_bytes
from anisweep.studies import keep_journeys, study_journeys, study_profiles, study_rows

ARTIFACT = re.compile(r"artifacts/([a-z0-9_]+-r\d+-[0-9a-f]{12}(?:-\d+)?)\.tar\.gz")
STUDY_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def study_of(manifest: bytes) -> str | Refused:
    """The study of a bundle of ours, by its manifest."""
    try:
        plain = json.loads(manifest)
        written, study = plain["format"], plain["study"]
    except (ValueError, KeyError, TypeError) as error:
        return Refused(MANIFEST, f"cannot be understood ({error!r})")

    if written != FORMAT:
        return Refused(MANIFEST, f"format {written!r}; this version reads {FORMAT}")
    if not isinstance(study, str) or not STUDY_NAME.fullmatch(study) or study in RESERVED_NAMES:
        return Refused(MANIFEST, f"{study!r} is no name of a study")
    return study


def take_artifact(project: Project, member: Member) -> str | Refused:
    """Put an artifact to the others if every byte of it is right; an artifact is never overwritten."""
    found = ARTIFACT.fullmatch(member.name)
    if not found:
        return Refused(member.name, "no name of an artifact")

    target = project.artifacts / PurePosixPath(member.name).name
    if target.exists():
        same = target.read_bytes() == member.content
        return "" if same else Refused(member.name, "another artifact of this name is there")

    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)

    try:
        with artifact.durable(temporary) as stream:
            stream.write(member.content)
        if read(temporary).pack.name != found[1]:
            return Refused(member.name, "it is the artifact of another pack")
        artifact.put(temporary, target)
    except DamagedArtifact as damage:
        return Refused(member.name, str(damage).replace(temporary.name, target.name))
    finally:
        temporary.unlink(missing_ok=True)

    artifact.kept_link(target).unlink()
    return f"artifacts/{target.name}"


def restore_study(project: Project, study: str, files: dict[str, bytes]) -> list[str] | Refused:
    """Write down what the study asked for, and make its tables from the artifacts.

    A study that is here already keeps its own configuration; its next run makes its tables.

    Returns
    -------
    list of str
        what was written, relative to ``results/``; or why nothing was
    """
    folder = project.results / study
    here = (folder / "cells.json").exists()

    missing = [] if here else [name for name in (*STUDY_FILES, JOURNEYS) if name not in files]
    if missing:
        return Refused(
            f"study {study}", f"the bundle has no {' and no '.join(missing)}; its artifacts were taken"
        )

    try:
        if not here:
            _check(files)
        keep_journeys(project, study, files.get(JOURNEYS, b""))
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error, yaml.YAMLError) as error:
        return Refused(f"study {study}", f"its files cannot be understood ({error!r})")

    return [] if here else _write_down(project, study, files)


def _check(files: dict[str, bytes]) -> None:
    for plain in json.loads(files["cells.json"]):
        cell_from_plain(plain)
    str(yaml.safe_load(files["configuration.yaml"])["question"])


def _write_down(project: Project, study: str, files: dict[str, bytes]) -> list[str]:
    folder = project.results / study
    for name in STUDY_FILES:
        write_bytes(folder / name, files[name])

    rows, sources, missing = study_rows(project, study)
    tables.write_all(rows, sources, folder / "tables", missing)
    tables.write_journeys(study_journeys(project, study), folder / "tables")
    decision.write(tables.read(folder / "tables", "summary"), folder / "tables" / "decision.json")
    if profiles := list(study_profiles(project, study)):
        tables.write_profiles(profiles, folder)
    return [f"{study}/{name}" for name in (*STUDY_FILES, "tables")]


def not_reproduced(project: Project, study: str, beside: dict[str, bytes]) -> list[str]:
    """The tables beside a bundle's artifacts that differ from those made of these artifacts."""
    folder = project.results / study / "tables"
    places = {name: [folder / name, folder / "metrics" / name] for name in beside}
    return [
        name
        for name, content in sorted(beside.items())
        if not any(place.is_file() and place.read_bytes() == content for place in places[name])
    ]
