"""Print a plan, an artifact and a cell, for people and as JSON for programs."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from anisweep.artifacts.store import Entry, Store
from anisweep.formatting import counted, duration
from anisweep.plan import CellToMeasure, Plan
from anisweep.plan.unavailable import unavailable_cells
from anisweep.row import Row

#: A plan of more packs than this is shown by its first ones.
SHOWN = 20


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """Return numbers of cells, keys without a time by reason, and what is to be measured in which pack."""
    packs = {cell.key: pack.name for pack in plan.packs for cell in pack.cells}
    return {
        "cells": len(plan.cells),
        "measured": len(plan.measured) - len(plan.failed),
        "failed": len(plan.failed),
        "in_flight": len(plan.in_flight),
        "to_measure": [
            {
                "key": wanted.cell.key,
                "cell": wanted.cell.label,
                "reason": wanted.reason,
                "pack": packs[wanted.cell.key],
                "estimated_s": round(plan.model.cell_s(wanted.cell), 2),
            }
            for wanted in plan.to_measure
        ],
        "unavailable": {
            reason: [cell.key for cell in cells]
            for reason, cells in unavailable_cells(plan.cells.values(), plan.model.root).items()
        },
        "packs": len(plan.packs),
        "estimated_s": round(plan.estimated_s, 1),
        "damaged": [entry.damage for entry in plan.damaged],
    }


def plan_as_text(plan: Plan) -> str:
    """Return the answer first, then the packs, then the reasons."""
    failed = f"{len(plan.failed)} failed or stalled, " if plan.failed else ""
    lines = [
        f"{counted(len(plan.cells), 'cell')}: {len(plan.measured) - len(plan.failed)} measured, {failed}"
        f"{len(plan.in_flight)} in flight, {len(plan.to_measure)} to measure."
    ]

    if plan.running:
        lines.append(f"A run is going on: {plan.running.who}.")
    if plan.failed:
        lines.append(
            "What failed or stalled is measured again only with retry=True, in a run or here (as --retry)."
        )
    lines += _unavailable(plan)
    if not plan.to_measure:
        return "\n".join([*lines, "Nothing to measure."])

    lines.append(f"{counted(len(plan.packs), 'pack')}, about {duration(plan.estimated_s)}.")
    lines += ["", *_packs(plan), "", *_reasons(plan.to_measure)]
    return "\n".join(lines)


def _unavailable(plan: Plan) -> list[str]:
    """Return why some cells have no time, and will have none."""
    by_reason = unavailable_cells(plan.cells.values(), plan.model.root)
    return [
        f"{counted(len(cells), 'cell')} without a time, `unavailable`: {reason}."
        for reason, cells in by_reason.items()
    ]


def _packs(plan: Plan) -> list[str]:
    width = max(len(pack.name) for pack in plan.packs[:SHOWN])
    lines = [
        f"  {pack.name:<{width}}  {counted(len(pack.cells), 'cell'):>11}  {duration(pack.estimated_s)}"
        for pack in plan.packs[:SHOWN]
    ]
    more = len(plan.packs) - SHOWN
    return [*lines, f"  ... and {counted(more, 'more pack')}"] if more > 0 else lines


def _reasons(wanted: list[CellToMeasure]) -> list[str]:
    """Return each reason with its cells, named when they are few."""
    by_reason = defaultdict(list)
    for each in wanted:
        by_reason[each.reason].append(each.cell)

    lines = ["why:"]
    for reason, cells in sorted(by_reason.items(), key=lambda item: -len(item[1])):
        lines.append(f"  {reason}: {counted(len(cells), 'cell')}")
        lines += [f"    {cell.label}" for cell in cells[:3]]
        if len(cells) > 3:
            lines.append(f"    ... and {len(cells) - 3} more (--json lists them)")
    return lines


def artifact_as_text(store: Store, entry: Entry) -> str:
    """Return what an artifact is and what its cells say."""
    if not entry.sound:
        return f"{entry.name}: damaged\n  {entry.damage}"

    contents = store.contents(entry.name)
    machine = contents.host
    lines = [
        f"{entry.name}: {counted(len(entry.keys), 'cell')}, "
        f"{entry.size / 2**20:.2f} MB, measured {entry.measured}",
        f"  file         {store.path(entry.name)}",
        f"  sha256       {entry.sha256}",
        f"  host         {machine.host}, {machine.cpu_model}, {machine.microarchitecture}",
        f"  environment  {contents.environment.digest[:16]}",
        "",
    ]
    rows = [row for row in contents.rows if row.role == "cell"]
    return "\n".join(lines + [f"  {row.key[:12]}  {_row_line(row)}" for row in rows])


def cell_as_text(store: Store, entry: Entry, key: str) -> str:
    """Return the rows of one cell, complete."""
    contents = store.contents(entry.name)
    cell = next(cell for cell in contents.pack.cells if cell.key == key)
    lines = [f"{cell.label}", f"  key          {key}", f"  artifact     {store.path(entry.name)}"]

    for row in contents.rows:
        if row.key == key:
            lines += [f"  process {row.process}:", *_all_metrics(row)]
    return "\n".join(lines)


def _row_line(row: Row) -> str:
    time = f"{1e3 * row.wall_s:10.2f} ms" if row.wall_s is not None else " " * 13
    reason = f"  {row.reason}" if row.reason else ""
    return f"{row.status:<11} {time}  {row.dataset} {row.output} {row.mode} {row.precision}{reason}"


def _all_metrics(row: Row) -> list[str]:
    shown = {name: value for name, value in row.to_plain().items() if value not in (None, "", [], {})}
    return [f"    {name:<20} {value}" for name, value in shown.items() if name != "key"]
