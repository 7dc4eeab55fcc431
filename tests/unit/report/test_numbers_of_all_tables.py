"""Every number of every table of a report, followed to its artifacts and recomputed from their rows."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import synthetic
from anisweep import report, tables
from anisweep.row import Row
from numbers_of_a_report import (
    FIRST,
    ONE_CALL,
    OTHERS,
    RECOMPUTED,
    THREADS,
    Line,
    Page,
    known,
    numbers,
    recompute,
    rows_behind,
)

INVARIANCES = ("inversion", "orientations_alone", "permutation", "rotation", "sign", "translation")


def rich() -> list[Row]:
    """The study `first_look` with larger crystals, starts, invariances and a learned energy."""
    rows = synthetic.first_look(noise=0.03)
    crystals = [row for row in rows if row.dataset == "one_species"]
    for times in (2, 4):
        rows += [larger(row, times) for row in crystals]
    return [told(row, k) for k, row in enumerate(rows)]


def larger(row: Row, times: int) -> Row:
    return replace(
        row,
        dataset=f"crystal_{times}",
        pack=f"crystal_{times}-{row.pack}",
        key=row.key and f"{row.key}-{times}",
        particles=times * row.particles,
        pairs=times * (row.pairs or 0),
        wall_s=times**1.2 * (row.wall_s or 0.0),
    )


def told(row: Row, k: int) -> Row:
    """Numbers that differ from row to row."""
    spectrum = row.output == "power_spectrum" and row.role == "cell"
    wall = row.wall_s or 0.0
    return replace(
        row,
        species_products=row.particles**2 // row.species,
        prepare_s=0.01 * (1 + k % 7),
        first_call_s=wall * (3 + k % 5),
        invariances={name: 1e-15 * (k + j) for j, name in enumerate(INVARIANCES)} if spectrum else {},
        downstream={"r2": 1 - 1e-3 * k, "rmse": 0.1 + 1e-4 * k, "r2_shuffled": -1e-3 * k} if spectrum else {},
    )


def one_call() -> list[Row]:
    """Crystals of three sizes, each mode once in a fresh interpreter; who starts slowly wins in the end."""
    rows = [row for row in synthetic.first_look(noise=0.03) if row.dataset == "one_species"]
    rows = [larger(row, times) for row in rows for times in (1, 40, 1600)]
    start = {"numpy_only": 0.1}
    return [
        replace(row, one_off_s=start.get(row.mode, 1.0) + (row.wall_s or 0.0)) if row.role == "cell" else row
        for row in rows
    ]


def threads() -> list[Row]:
    """Everything with one thread, with two, and not pinned."""
    rows = [row for row in synthetic.first_look(noise=0.03) if row.dataset == "one_species"]
    return [pinned_to(row, count) for row in rows for count in (1, 2, 0)]


def pinned_to(row: Row, count: int) -> Row:
    wall = (row.wall_s or 0.0) / (1 + 0.4 * count)
    names = {"pack": f"{count}-{row.pack}", "key": row.key and f"{row.key}-{count}"}
    return replace(row, threads=count, wall_s=wall, cpu_s=(1 + 0.9 * count) * wall, **names)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reported(rich(), tmp_path_factory.mktemp("results"))


def reported(rows: list[Row], folder: Path) -> Path:
    """The folder, with the artifacts of the rows and their report."""
    sources = synthetic.sources(rows)
    (folder / "artifacts").mkdir()

    for pack, source in sources.items():
        text = "".join(json.dumps(row.to_plain()) + "\n" for row in rows if row.pack == pack).encode()
        with tarfile.open(folder / source.artifact, "w:gz") as archive:
            member = tarfile.TarInfo("rows.jsonl")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))

    tables.write_all(rows, sources, folder / "rich" / "tables")
    report.write(
        [report.Study("rich", "Is it all there?", folder / "rich" / "tables", folder / "rich" / "figures")],
        folder / "report.html",
    )
    return folder


@pytest.fixture(scope="module")
def lines(results: Path) -> list[Line]:
    return [line for line in Page((results / "report.html").read_text()).lines if line.cells]


def test_every_number_is_that_of_the_artifacts(lines: list[Line], results: Path) -> None:
    compared = list(differences(lines, results))

    assert len(compared) > 500
    assert [each for each in compared if each[-1] > 1e-12] == []


def differences(lines: list[Line], results: Path, only: str = "") -> Iterator[tuple[str, str, str, float]]:
    """Table, column, line, and how far its number is from that of the artifacts."""
    for (table, head), entries in numbers(lines).items():
        for line, shown in entries if known(table, head) and only in (table, "") else ():
            found = recompute(line, head, rows_behind(line, lines, results))
            where = " ".join(cell.text.strip() for cell in line.cells[:3])
            yield table, head, where, abs(shown - found) / max(abs(found), 1e-300) if shown != found else 0.0


def test_all_tables_are_there(lines: list[Line]) -> None:
    """Those of measurements, each with every column that this test knows."""
    shown = set(numbers(lines))
    lacking = {column for column in RECOMPUTED if column not in shown}

    assert {column for column in shown if not known(*column)} <= OTHERS
    assert {table for table, _ in RECOMPUTED} <= {table for table, _ in shown} | {FIRST, ONE_CALL, THREADS}
    # Stages of other modes, and tables of other studies.
    assert {table for table, _ in lacking} <= {"Where the time goes", ONE_CALL, THREADS}


@pytest.mark.parametrize(("rows", "table"), [(one_call, ONE_CALL), (threads, THREADS)])
def test_tables_of_their_own_studies(rows: Callable[[], list[Row]], table: str, tmp_path: Path) -> None:
    folder = reported(rows(), tmp_path)
    page = [line for line in Page((folder / "report.html").read_text()).lines if line.cells]
    compared = list(differences(page, folder, table))

    assert {head for name, head in RECOMPUTED if name == table} == {head for _, head, _, _ in compared}
    assert [each for each in compared if each[-1] > 1e-12] == []
