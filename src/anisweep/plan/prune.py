"""Artifacts that nobody asks for any more."""

from __future__ import annotations

from pathlib import Path

from anisweep.config import Project, load_study
from anisweep.controller import holder
from anisweep.plan.digests import worker_environment
from anisweep.plan.expand import cells_of
from anisweep.store import Store, restore_kept


def unwanted(project: Project) -> list[tuple[Path, str]]:
    """Artifacts of which no study's configuration, at either size, asks for a cell; and damaged ones.

    Artifacts of other sites count as wanted when a study asks for one of their points. Nothing is
    unwanted while a run goes on.
    """
    if holder(project) is not None:
        return []
    restore_kept(project.artifacts)

    environment = worker_environment(project)
    keys: set[str] = set()
    points: set[str] = set()

    for name in project.study_names():
        for size in ("small", "full"):
            cells = list(cells_of(name, load_study(project, name, size), "local", environment, project))
            keys.update(cell.key for cell in cells)
            points.update(cell.point for cell in cells)

    store = Store(project.artifacts, project.state)
    found = []

    for entry in store.entries():
        elsewhere = any(seen["site"] != "local" and point in points for point, seen in entry.points.items())
        if not entry.sound:
            found.append((store.path(entry.name), "damaged"))
        elif not elsewhere and not keys.intersection(entry.keys):
            found.append((store.path(entry.name), "no study asks for its cells"))

    return found
