"""Find the rows, job records, profiles, tables and question of a study that was run."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from anisweep.artifacts.reading import read_folder
from anisweep.artifacts.store import Entry, Store, chosen_of, rows_of
from anisweep.cell import MOST_REPLICATES, Cell, cells_from_json, digest, repeated
from anisweep.config.project import BATCHES, Project
from anisweep.errors import UserError
from anisweep.files import read_bytes, write_bytes
from anisweep.parsing.json_text import read_json
from anisweep.parsing.schema import Within, build

if TYPE_CHECKING:
    import pyarrow as pa

    from anisweep.tables import GrownCells, PackJobRecord, PackSource, Profile

#: Of the file that holds a study's cells, in bytes; a million points have half of it.
LARGEST_STUDY = 2**31

#: Tables that the report reads. A study of an earlier version that lacks one is left out until it runs again.
REPORTED = ("cells.parquet", "summary.parquet", "job_records.parquet", "platforms.json", "missing.json")


@dataclass(frozen=True)
class StudyCells:
    """Hold the cells of a study: those given, and where there are several replicates each in all of them."""

    replicates: Annotated[int, Within(1, MOST_REPLICATES)]
    cells: tuple[Cell, ...]


def study_rows(project: Project, study: str) -> tuple[pa.Table, dict[str, PackSource], list[str]]:
    """Return the rows of a study as columns, where each pack comes from, and labels of what is missing."""
    from anisweep.artifacts.columns import joined
    from anisweep.tables import PackSource, Platform

    cells = study_cells(project, study)
    store = Store(project.artifacts, project.state)
    sources = {}

    def rows_of_each() -> Iterator[pa.Table]:
        for entry, keys in chosen_of(store, cells):
            pack = store.columns(entry.name)
            platform = Platform.of(pack.host, pack.environment)
            sources[entry.name] = PackSource(f"artifacts/{entry.name}.tar.gz", entry.sha256, platform)
            yield pack.rows if len(keys) == len(entry.keys) else pack.of_cells(keys).rows

    rows = joined(rows_of_each())
    return rows, sources, _missing(cells, rows)


def study_table(project: Project, study: str) -> tuple[GrownCells, list[str]]:
    """Return the cells table of a study, and labels of what is missing; only rows of new packs are read."""
    from anisweep.tables import PackRows, PackSource, Platform, grown_cells

    cells = study_cells(project, study)
    store = Store(project.artifacts, project.state)

    def rows_of_pack(entry: Entry, keys: set[str]) -> tuple[pa.Table, PackSource]:
        pack = store.columns(entry.name)
        platform = Platform.of(pack.host, pack.environment)
        rows = pack.rows if len(keys) == len(entry.keys) else pack.of_cells(keys).rows
        return rows, PackSource(f"artifacts/{entry.name}.tar.gz", entry.sha256, platform)

    packs = {
        entry.name: PackRows(_origin(entry, keys), partial(rows_of_pack, entry, keys))
        for entry, keys in chosen_of(store, cells)
    }
    made = grown_cells(packs, project.kept_cells(study))
    return made, _missing(cells, made.table)


def _origin(entry: Entry, keys: set[str]) -> str:
    """Return what a pack's rows come from: the artifact, and its cells where not all of them count."""
    return entry.sha256 if len(keys) == len(entry.keys) else digest([entry.sha256, *sorted(keys)])


def study_cells(project: Project, study: str) -> list[Cell]:
    """Return the cells that the last run of a study asked for.

    Raises
    ------
    UserError
        when nobody has run it, or the file that holds them is damaged
    """
    file = project.results / study / "cells.json"
    try:
        return cells_of_file(read_bytes(file, LARGEST_STUDY))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{file}: it cannot be read ({error}). Allowed: the file that a run writes.\n"
            f"`make run STUDY={study}` writes it anew; nothing that was measured is lost."
        ) from error


def cells_in_file(cells: Sequence[Cell]) -> dict[str, Any]:
    """Return the cells of a study as a file holds them: those of one replicate, and how often these come."""
    last = max((cell.replicate for cell in cells), default=1)
    each = [cell for cell in cells if cell.replicate == 1]
    alike = list(repeated(each, last)) == list(cells)
    held = StudyCells(last, tuple(each)) if alike else StudyCells(1, tuple(cells))
    return asdict(held)


def cells_of_file(content: bytes) -> list[Cell]:
    """Return the cells of a study, as `cells_in_file` or an earlier version has written them down.

    Raises
    ------
    ValueError
        naming what does not fit
    """
    plain = read_json(content)
    if isinstance(plain, list):
        return cells_from_json(content)

    held = build(StudyCells, plain)
    return list(repeated(held.cells, held.replicates)) if held.replicates > 1 else list(held.cells)


def _missing(cells: Sequence[Cell], rows: pa.Table) -> list[str]:
    """Return labels of the cells that nobody has measured here or, where nothing is from here, anywhere."""
    here = {cell.site for cell in cells} & set(rows["site"].unique().to_pylist())
    present = set(rows["key" if here else "point"].unique().to_pylist())
    return [cell.label for cell in cells if (cell.key if here else cell.point) not in present]


def study_job_records(project: Project, study: str) -> list[PackJobRecord]:
    """Return what clusters did with the packs of a study's rows."""
    if not brought_job_records(project) and not (project.root / BATCHES).exists():
        return []
    from anisweep.cluster.arrivals import job_records_of  # here, since it brings the whole plan along

    rows, _, _ = study_rows(project, study)
    packs = rows["pack"].to_pylist()
    sites = dict(zip(packs, rows["site"].to_pylist(), strict=True))

    measured_s: dict[str, float] = defaultdict(float)
    for pack, seconds in zip(packs, rows["seconds"].to_pylist(), strict=True):
        measured_s[pack] += seconds or 0.0

    brought = {each.pack: each for each in _brought(project) if each.pack in sites}
    own = {each.pack: each for each in job_records_of(project, sites, measured_s)}
    return list({**brought, **own}.values())


def keep_job_records(project: Project, study: str, table: bytes) -> None:
    """Remember what a bundle says of a cluster: no artifact holds it, and tables are collected again.

    Raises
    ------
    ValueError, KeyError
        when it is no ``job_records.csv``
    """
    from anisweep.tables.job_records import job_records_of_csv

    if job_records_of_csv(table.decode()):
        name = hashlib.sha256(table).hexdigest()[:12]
        write_bytes(project.results / study / "job_records" / f"{name}.csv", table)


def brought_job_records(project: Project) -> list[Path]:
    """Return the files of job records that came in bundles; the former version kept them in ``journeys``."""
    folders = ("job_records", "journeys")
    return [file for folder in folders for file in sorted(project.results.glob(f"*/{folder}/*.csv"))]


def _brought(project: Project) -> Iterator[PackJobRecord]:
    """Return the job records that came in bundles, of all studies, since these share packs."""
    from anisweep.tables.job_records import job_records_of_csv

    for file in brought_job_records(project):
        yield from job_records_of_csv(file.read_text())


def study_profiles(project: Project, study: str) -> Iterator[Profile]:
    """Return what was profiled of a study's cells."""
    from anisweep.tables import Profile

    cells = study_cells(project, study)
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
    """Return the folders of tables of every study that has been run."""
    return [project.tables(study) for study in _finished(project)]


def reported_studies(project: Project) -> list[str]:
    """Return the studies that have been run and whose tables are all there that the report reads."""
    return [
        study
        for study in _finished(project)
        if all((project.tables(study) / table).exists() for table in REPORTED)
    ]


def _finished(project: Project) -> list[str]:
    """Return the studies that have been run, and whose cells are there."""
    made = project.studies_with("cells.parquet")
    return [study for study in made if (project.results / study / "configuration.yaml").exists()]


def measured_tables(project: Project, studies: Sequence[str] = ()) -> list[Path]:
    """Return the folders of tables of these studies, or of all.

    Raises
    ------
    UserError
        when there are none, with the command that makes them
    """
    there = study_tables(project)
    found = [folder for folder in there if not studies or folder.parent.name in studies]
    lacking = sorted({*studies} - {folder.parent.name for folder in found})

    if lacking or not found:
        known = ", ".join(folder.parent.name for folder in there) or "none yet"
        raise UserError(
            f"{', '.join(lacking) or 'results'}: no tables. Allowed: studies that have been run ({known}).\n"
            f"`make run STUDY={lacking[0] if lacking else 'first_look'}` makes them."
        )
    return found


def study_question(project: Project, study: str) -> str:
    """Return the question of a study that has been run."""
    from anisweep.config.load import read_yaml  # here, since it brings every section along

    file = project.results / study / "configuration.yaml"
    return str(read_yaml(file).get("question", ""))
