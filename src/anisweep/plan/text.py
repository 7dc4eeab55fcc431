"""The plan, an artifact and a cell, as a person reads them and as a program does."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from anisweep.cell import cell_from_plain
from anisweep.plan import Plan, Wanted
from anisweep.row import Row
from anisweep.store import Entry, Store

#: A plan of more packs than this is shown by its first ones.
SHOWN = 20


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """Cells, measured, in_flight and to_measure, the last with reason, pack and seconds."""
    packs = {cell.key: pack.name for pack in plan.packs for cell in pack.cells}
    return {
        "cells": len(plan.cells),
        "measured": len(plan.measured),
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
        "packs": len(plan.packs),
        "estimated_s": round(plan.estimated_s, 1),
        "damaged": [entry.damage for entry in plan.damaged],
    }


def plan_as_text(plan: Plan) -> str:
    """The answer first, then the packs, then the reasons."""
    lines = [
        f"{len(plan.cells)} cells: {len(plan.measured)} measured, {len(plan.in_flight)} in flight, "
        f"{len(plan.to_measure)} to measure."
    ]

    if plan.running:
        who = plan.running
        lines.append(f"A run is going on: {who.user} on {who.host}, pid {who.pid}.")
    if not plan.to_measure:
        return "\n".join([*lines, "Nothing to measure."])

    lines.append(f"{len(plan.packs)} packs, about {duration(plan.estimated_s)}.")
    lines += ["", *_packs(plan), "", *_reasons(plan.to_measure)]
    return "\n".join(lines)


def _packs(plan: Plan) -> list[str]:
    width = max(len(pack.name) for pack in plan.packs[:SHOWN])
    lines = [
        f"  {pack.name:<{width}}  {len(pack.cells):4d} cells  {duration(pack.estimated_s)}"
        for pack in plan.packs[:SHOWN]
    ]
    more = len(plan.packs) - SHOWN
    return [*lines, f"  ... and {more} more packs"] if more > 0 else lines


def _reasons(wanted: list[Wanted]) -> list[str]:
    """Each reason with its cells, named when they are few."""
    by_reason = defaultdict(list)
    for each in wanted:
        by_reason[each.reason].append(each.cell)

    lines = ["why:"]
    for reason, cells in sorted(by_reason.items(), key=lambda item: -len(item[1])):
        lines.append(f"  {reason}: {len(cells)} cells")
        lines += [f"    {cell.label}" for cell in cells[:3]]
        if len(cells) > 3:
            lines.append(f"    ... and {len(cells) - 3} more (--json lists them)")
    return lines


def artifact_as_text(store: Store, entry: Entry) -> str:
    """What an artifact is and what its cells say."""
    if not entry.sound:
        return f"{entry.name}: damaged\n  {entry.damage}"

    details = store.details(entry.name)
    machine = details["host"]
    lines = [
        f"{entry.name}: {len(entry.keys)} cells, {entry.size / 2**20:.2f} MB, measured {entry.measured}",
        f"  file         {store.path(entry.name)}",
        f"  sha256       {entry.sha256}",
        f"  host         {machine['host']}, {machine['cpu_model']}, {machine['microarchitecture']}",
        f"  environment  {details['environment']['digest'][:16]}",
        "",
    ]
    rows = [row for row in store.rows(entry.name) if row.role == "cell"]
    return "\n".join(lines + [f"  {row.key[:12]}  {_row_line(row)}" for row in rows])


def cell_as_text(store: Store, entry: Entry, key: str) -> str:
    """The rows of one cell, complete."""
    plain = next(p for p in store.details(entry.name)["pack"]["cells"] if cell_from_plain(p).key == key)
    cell = cell_from_plain(plain)
    lines = [f"{cell.label}", f"  key          {key}", f"  artifact     {store.path(entry.name)}"]

    for row in store.rows(entry.name):
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


def duration(seconds: float) -> str:
    """Seconds below two minutes, else minutes or hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"
