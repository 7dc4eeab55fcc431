"""Make rows before they are measured, and write and read them in a pack's working folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from anisweep.cell import Cell, Pack
from anisweep.parsing.schema import Unfit
from anisweep.row import Role, Row


def row_of(pack: Pack, role: Role, cell: Cell) -> Row:
    """Return the row of a cell with all that the plan knows of it."""
    counts = role == "cell"
    return Row(
        key=cell.key if counts else "",
        point=cell.point if counts else "",
        role=role,
        pack=pack.name,
        dataset=cell.dataset.name,
        dataset_digest=cell.dataset.digest,
        frames=cell.dataset.frames,
        output=cell.output,
        mode=cell.mode,
        precision=cell.precision,
        device=cell.device,
        threads=cell.threads,
        replicate=cell.replicate,
        site=cell.site,
        hypers=asdict(cell.hypers),
        environment=cell.environment,
        code=cell.code if counts else "",
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def append_row(folder: Path, row: Row) -> None:
    """Append a row to the file of the pack's working folder."""
    with (folder / "rows.jsonl").open("a") as stream:
        stream.write(json.dumps(_sound(row).to_plain()) + "\n")


def _sound(row: Row) -> Row:
    """Return the row without values that are no finite number; a warning names each."""
    plain = row.to_plain()
    plain["reason"] = row.reason.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")

    while True:
        try:
            return Row.from_plain(plain)
        except Unfit as unfit:
            name = unfit.path[0]
            if name in Row.NEEDED:
                raise
            del plain[name]
            plain["warnings"] = [*plain.get("warnings", []), f"left out: {unfit}"]


def rows_in(folder: Path) -> list[Row]:
    """Return the rows that have been written so far; one that is being written does not count yet."""
    file = folder / "rows.jsonl"
    text = file.read_text() if file.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    return [Row.from_plain(json.loads(line)) for line in whole.splitlines()]
