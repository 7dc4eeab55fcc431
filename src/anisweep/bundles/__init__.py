"""Read bundles of results that come from elsewhere safely, file them, and keep their rows apart from ours.

`unbundle` takes one archive of either kind. A bundle of the study's formats has no record of what really ran:
its rows go to ``results/tables``, flagged. A bundle that `anisweep bundle` wrote holds artifacts: these are
verified, become part of ``results/artifacts``, and the study's tables are made from them.
"""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import pandas as pd

from anisweep.artifacts.store import Store
from anisweep.artifacts.writing import SUFFIX
from anisweep.bundles import restore
from anisweep.bundles.archive import Member, Refused, members
from anisweep.bundles.filing import file_away, folder_of, safe_name
from anisweep.bundles.old_tables import parse, table_name
from anisweep.bundles.write import MANIFEST
from anisweep.config.project import Project
from anisweep.files import sha256_of
from anisweep.formatting import counted
from anisweep.parsing.schema import shown
from anisweep.tables.bundles import Taken, note_bundle
from anisweep.tables.old_rows import OldRow, old_rows_table, read_old_rows, write_old_rows

__all__ = ["Outcome", "unbundle"]

#: Of what was refused, so much is named.
SHOWN = 20


@dataclass
class Outcome:
    """Report what became of one archive.

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
    def stops(self) -> bool:
        """Return True if something was refused without which a bundle of ours is not whole."""
        needed = ("artifacts/", "study", self.file)
        return any(each.name.startswith(needed) for each in self.refused)

    @property
    def useful(self) -> bool:
        """Return True if a row or a file was taken."""
        return bool(self.rows or self.filed)

    def render(self) -> str:
        """Return what was taken, and a line for each thing that was refused, for the terminal."""
        folders = Counter(str(PurePosixPath(path).parent) for path in self.filed)
        tables = Counter(row.table for row in self.rows)
        lines = [f"{self.file}: {counted(len(self.rows), 'row')}, {counted(len(self.filed), 'file')}"]
        lines += [
            f"  {counted(count, 'row')} of {table} -> results/tables"
            for table, count in sorted(tables.items())
        ]
        lines += [
            f"  {counted(count, 'file')} -> results/{folder}" for folder, count in sorted(folders.items())
        ]

        if self.left_out:
            lines.append(
                f"  left out, of no kind that is kept: {', '.join(sorted(self.left_out)[:5])}"
                + (f" and {len(self.left_out) - 5} more" if len(self.left_out) > 5 else "")
            )
        lines += [f"  refused: {each.name}: {each.why}" for each in self.refused[:SHOWN]]
        if len(self.refused) > SHOWN:
            lines.append(f"  and {len(self.refused) - SHOWN} more were refused")
        return "\n".join(lines)


def unbundle(project: Project, file: Path, site: str) -> Outcome:
    """Take what is good in an archive, and say what is not. Taking it again changes nothing.

    A bundle of ours is taken as a whole, or not at all.

    Parameters
    ----------
    site : where a bundle of the study's formats was measured: ``local``, ``chtc``, ...
    """
    outcome = Outcome(file.name)
    manifest = _manifest(file)
    study = restore.study_of(manifest) if manifest is not None else ""

    if isinstance(study, Refused):
        outcome.refused.append(study)
    elif study:
        outcome = _whole(project, file, study)
    else:
        _take_old(project, file, site, outcome)

    if outcome.taken and outcome.taken.checked:
        note_bundle(project.bundle_tables, outcome.taken)
    return outcome


def _manifest(file: Path) -> bytes | None:
    """Return the first member, if it is that of a bundle of ours."""
    first = next(members(file), None)
    return first.content if isinstance(first, Member) and first.name == MANIFEST else None


def _whole(project: Project, file: Path, study: str) -> Outcome:
    """Take a bundle of ours where it can be taken as a whole, which is tried in an empty place first."""
    with TemporaryDirectory() as empty:
        tried = _tried(Project(Path(empty)), file, study)
    if tried.stops:
        return Outcome(file.name, refused=tried.refused)

    is_new = not (project.results / study).exists()
    outcome = Outcome(file.name)
    complete = False

    try:
        _take_ours(project, file, study, outcome)
        complete = not outcome.stops
    finally:
        if not complete:
            _undo(project, study if is_new else "", outcome)

    if outcome.differ:  # other measurements of the same came into the tables
        outcome.taken, outcome.differ = tried.taken, tried.differ
    return outcome


def _tried(project: Project, file: Path, study: str) -> Outcome:
    """Take a bundle of ours in an empty place; tables that cannot be made are a refusal, too."""
    outcome = Outcome(file.name)

    try:
        _take_ours(project, file, study, outcome)
    except OSError:
        raise
    except Exception as error:  # whatever tables do with values that are allowed and make no sense
        why = f"its tables cannot be made ({type(error).__name__}: {shown(str(error))})"
        outcome.refused.append(Refused(f"study {study}", why))
    return outcome


def _take_ours(project: Project, file: Path, study: str, outcome: Outcome) -> None:
    files = {}
    beside = {}
    logs = []

    for found in members(file):
        if isinstance(found, Refused):
            outcome.refused.append(found)
        elif found.name.startswith("artifacts/"):
            _note(outcome, restore.take_artifact(project, found))
        elif found.name.startswith("study/"):
            files[found.name.removeprefix("study/")] = found.content
        elif found.name.startswith("results/"):
            beside[found.name.removeprefix("results/")] = found.content
        elif found.name.startswith("logs/"):
            logs.append(found)

    if outcome.stops:
        return

    restored = restore.restore_study(project, study, files)
    if isinstance(restored, Refused):
        outcome.refused.append(restored)
        return
    for log in logs:
        _file(project, log, "logs", outcome)

    if restored:
        outcome.filed += restored
        outcome.differ = restore.not_reproduced(project, study, beside)
        passed = len(beside) - len(outcome.differ)
        outcome.taken = Taken(file.name, sha256_of(file), "ours", len(beside), passed)


def _undo(project: Project, study: str, outcome: Outcome) -> None:
    """Remove what was put there of a bundle that cannot be taken as a whole.

    Parameters
    ----------
    study : the one that is new; empty when it was here before
    """
    store = Store(project.artifacts, project.state)

    for path in outcome.filed:
        if path.startswith("artifacts/"):
            store.delete(PurePosixPath(path).name.removesuffix(SUFFIX))
    if study:
        shutil.rmtree(project.results / study, ignore_errors=True)
    outcome.filed = []


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

    tables = project.bundle_tables
    _add_rows(tables, outcome.rows)
    there = read_old_rows(tables)
    flagged = there[(there["bundle_sha256"] == sha256) & (there["unproven"] != "")]
    outcome.taken = Taken(file.name, sha256, "old", len(outcome.rows), len(flagged))


def _file(project: Project, member: Member, folder: str, outcome: Outcome) -> None:
    written = file_away(member.content, project.results / folder, safe_name(member.name))
    outcome.filed.append(str(written.relative_to(project.results)))


def _add_rows(folder: Path, rows: list[OldRow]) -> None:
    """Add the rows of a bundle; rows of other bundles stay, older ones of this bundle are replaced."""
    if not rows:
        return

    before = read_old_rows(folder)
    others = before[before["bundle_sha256"] != rows[0].bundle_sha256]
    added = old_rows_table(rows)
    write_old_rows(pd.concat([others, added], ignore_index=True) if len(others) else added, folder)
