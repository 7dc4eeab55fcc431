"""Bundles of results that come from elsewhere: read safely, filed, and their rows kept apart from ours.

`ingest` takes one archive of either kind. A bundle of the study's formats has no record of what really ran:
its rows go to ``results/tables``, flagged. A bundle that `anisweep bundle` wrote holds artifacts: these are
verified, become part of ``results/artifacts``, and the study's tables are made from them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import pandas as pd

from anisweep.artifact import sha256_of
from anisweep.config import Project
from anisweep.ingest import ours
from anisweep.ingest.archive import Member, Refused, members
from anisweep.ingest.bundle import MANIFEST
from anisweep.ingest.filing import file_away, folder_of, safe_name
from anisweep.ingest.formats import parse, table_name
from anisweep.tables.bundles import Taken, note_bundle
from anisweep.tables.ingested import OldRow, ingested_table, read_ingested, write_ingested

__all__ = ["Outcome", "ingest"]


@dataclass
class Outcome:
    """What became of one archive.

    Attributes
    ----------
    filed : files that were written, relative to ``results/``
    left_out : files of no kind that is kept
    taken : what was checked of it
    differ : tables of a bundle of ours that its artifacts do not give again
    """

    file: str
    rows: list[OldRow] = field(default_factory=list)
    filed: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    taken: Taken | None = None
    differ: list[str] = field(default_factory=list)

    @property
    def useful(self) -> bool:
        return bool(self.rows or self.filed)

    def render(self) -> str:
        """For the terminal: what was taken, and a line for each thing that was refused."""
        folders = Counter(str(PurePosixPath(path).parent) for path in self.filed)
        tables = Counter(row.table for row in self.rows)
        lines = [f"{self.file}: {len(self.rows)} rows, {len(self.filed)} files"]
        lines += [f"  {count} rows of {table} -> results/tables" for table, count in sorted(tables.items())]
        lines += [f"  {count} files -> results/{folder}" for folder, count in sorted(folders.items())]

        if self.left_out:
            lines.append(
                f"  left out, of no kind that is kept: {', '.join(sorted(self.left_out)[:5])}"
                + (f" and {len(self.left_out) - 5} more" if len(self.left_out) > 5 else "")
            )
        return "\n".join(lines + [f"  refused: {each.name}: {each.why}" for each in self.refused])


def ingest(project: Project, file: Path, site: str) -> Outcome:
    """Take what is good in an archive, and say what is not. Taking it again changes nothing.

    Parameters
    ----------
    site : where a bundle of the study's formats was measured: ``local``, ``chtc``, ...
    """
    outcome = Outcome(file.name)
    manifest = _manifest(file)
    study = ours.study_of(manifest) if manifest is not None else ""

    if isinstance(study, Refused):
        outcome.refused.append(study)
    elif study:
        _take_ours(project, file, study, outcome)
        if outcome.differ:
            outcome.taken, outcome.differ = _taken_alone(file, study)
    else:
        _take_old(project, file, site, outcome)

    if outcome.taken and outcome.taken.checked:
        note_bundle(project.results / "tables", outcome.taken)
    return outcome


def _taken_alone(file: Path, study: str) -> tuple[Taken | None, list[str]]:
    """What a bundle gives in an empty place: here, other measurements of the same came into the tables."""
    alone = Outcome(file.name)
    with TemporaryDirectory() as empty:
        _take_ours(Project(Path(empty)), file, study, alone)
    return alone.taken, alone.differ


def _manifest(file: Path) -> bytes | None:
    """The first member, if it is that of a bundle of ours."""
    first = next(members(file), None)
    return first.content if isinstance(first, Member) and first.name == MANIFEST else None


def _take_ours(project: Project, file: Path, study: str, outcome: Outcome) -> None:
    files = {}
    beside = {}

    for found in members(file):
        if isinstance(found, Refused):
            outcome.refused.append(found)
        elif found.name.startswith("artifacts/"):
            _note(outcome, ours.take_artifact(project, found))
        elif found.name.startswith("study/"):
            files[found.name.removeprefix("study/")] = found.content
        elif found.name.startswith("results/"):
            beside[found.name.removeprefix("results/")] = found.content
        elif found.name.startswith("logs/"):
            _file(project, found, "logs", outcome)

    restored = ours.restore_study(project, study, files)
    if isinstance(restored, Refused):
        outcome.refused.append(restored)
    elif restored:
        outcome.filed += restored
        outcome.differ = ours.not_reproduced(project, study, beside)
        passed = len(beside) - len(outcome.differ)
        outcome.taken = Taken(file.name, sha256_of(file), "ours", len(beside), passed)


def _note(outcome: Outcome, taken: str | Refused) -> None:
    if isinstance(taken, Refused):
        outcome.refused.append(taken)
    elif taken:
        outcome.filed.append(taken)


def _take_old(project: Project, file: Path, site: str, outcome: Outcome) -> None:
    sha256 = sha256_of(file)

    for found in members(file):
        if isinstance(found, Refused):
            outcome.refused.append(found)
            continue

        if table_name(found.name):
            parsed = parse(found, site)
            outcome.rows += [replace(row, bundle=file.name, bundle_sha256=sha256) for row in parsed.rows]
            outcome.refused += parsed.refused
            if found.name.endswith(".json") and parsed.rows:
                _file(project, found, "tables", outcome)
        elif folder := folder_of(found.name, site):
            _file(project, found, folder, outcome)
        else:
            outcome.left_out.append(found.name)

    tables = project.results / "tables"
    _add_rows(tables, outcome.rows)
    there = read_ingested(tables)
    flagged = there[(there["bundle_sha256"] == sha256) & (there["unproven"] != "")]
    outcome.taken = Taken(file.name, sha256, "old", len(outcome.rows), len(flagged))


def _file(project: Project, member: Member, folder: str, outcome: Outcome) -> None:
    written = file_away(member.content, project.results / folder, safe_name(member.name))
    outcome.filed.append(str(written.relative_to(project.results)))


def _add_rows(folder: Path, rows: list[OldRow]) -> None:
    """Rows of other bundles stay; those of this one are replaced."""
    if not rows:
        return

    before = read_ingested(folder)
    others = before[before["bundle_sha256"] != rows[0].bundle_sha256]
    added = ingested_table(rows)
    write_ingested(pd.concat([others, added], ignore_index=True) if len(others) else added, folder)
