"""Find the artifacts that no study asks for any more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from anisweep.artifacts.store import Store, restore_kept
from anisweep.cell import Cell
from anisweep.config.load import load_config
from anisweep.config.project import Project
from anisweep.datasets import DataError
from anisweep.errors import UserError
from anisweep.files import read_bytes
from anisweep.parsing.json_text import read_json
from anisweep.parsing.schema import shown
from anisweep.plan.expand import NotGiven, cells_of
from anisweep.plan.run_lock import holder


def unwanted(project: Project) -> list[tuple[str, str]]:
    """Return the artifacts of which nobody asks for a cell, and damaged ones, each with the reason.

    Those who ask are every study at either size, and each with what its last run was given by ``--config``
    (`anisweep.workflow.life_cycle` keeps that in ``overrides.json``). Artifacts of other sites count as
    wanted when one of their points is, or where it is not known what a study asks for. Nothing is unwanted
    while a run goes on.
    """
    if holder(project) is not None:
        return []
    restore_kept(project.artifacts)

    unknown: list[str] = []
    cells = list(asked_for(project, unknown=unknown))
    keys = {cell.key for cell in cells}
    points = {cell.point for cell in cells}
    found = []
    store = Store(project.artifacts, project.state)

    for entry in store.entries():
        elsewhere = any(
            seen.site != "local" and (unknown or point in points)
            for point, seen in store.points(entry.name).items()
        )
        if not entry.sound:
            found.append((entry.name, "damaged"))
        elif not elsewhere and not keys.intersection(entry.keys):
            found.append((entry.name, "no study asks for its cells"))

    return found


def _last_overrides(project: Project, study: str) -> dict[str, Any]:
    """Return what the last run of a study was given by ``--config``."""
    file = project.results / study / "overrides.json"
    if not os.path.lexists(file):
        return {}

    try:
        last = read_json(read_bytes(file))
    except (OSError, ValueError) as error:
        last = str(error)
    if not isinstance(last, dict):
        raise UserError(
            f"{file}: it cannot be read ({shown(last)}). Allowed: the file that a run writes.\n"
            f"Remove it, or run the study again: make run STUDY={study}"
        )
    return last


def asked_for(project: Project, site: str | None = None, unknown: list[str] | None = None) -> Iterator[Cell]:
    """Yield the cells of every study at either size, and with what its last run was given.

    Parameters
    ----------
    site : as if the studies ran there; ``None`` leaves each where it ran last
    unknown : is given the names of studies that were never run here and whose file is not given
    """
    where = {"site": site} if site else {}

    for name in project.study_names():
        try:
            last = _last_overrides(project, name)
            for given in ({"size": "small"}, {"size": "full"}, last):
                config, sweeps = load_config(project, {**given, **where, "study": name})
                yield from cells_of(name, sweeps[name], config.site, project)
        except (UserError, DataError) as error:
            if isinstance(error, NotGiven) and not (project.results / name).exists():
                if unknown is not None:
                    unknown.append(name)
                continue
            raise UserError(
                f"What the study {name} asks for is not known: it cannot be read. Nothing was deleted.\n"
                f"{error}"
            ) from error
