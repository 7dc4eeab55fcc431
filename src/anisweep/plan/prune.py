"""Artifacts that nobody asks for any more."""

from __future__ import annotations

import json
from collections.abc import Iterator

from anisweep.cell import Cell
from anisweep.config import ConfigError, Project, load_config
from anisweep.controller import holder
from anisweep.datasets import DataError
from anisweep.plan.expand import cells_of
from anisweep.store import Store, restore_kept


def unwanted(project: Project) -> list[tuple[str, str]]:
    """Names of artifacts of which nobody asks for a cell, and of damaged ones, each with the reason.

    Those who ask are every study at either size, and each with what its last run was given by ``--config``
    (`anisweep.run` keeps that in ``overrides.json``). Artifacts of other sites count as wanted when one of
    their points is. Nothing is unwanted while a run goes on.
    """
    if holder(project) is not None:
        return []
    restore_kept(project.artifacts)

    cells = list(asked_for(project))
    keys = {cell.key for cell in cells}
    points = {cell.point for cell in cells}
    found = []

    for entry in Store(project.artifacts, project.state).entries():
        elsewhere = any(seen["site"] != "local" and point in points for point, seen in entry.points.items())
        if not entry.sound:
            found.append((entry.name, "damaged"))
        elif not elsewhere and not keys.intersection(entry.keys):
            found.append((entry.name, "no study asks for its cells"))

    return found


def asked_for(project: Project, site: str | None = None) -> Iterator[Cell]:
    """The cells of every study at either size, and with what its last run was given.

    Parameters
    ----------
    site : as if the studies ran there; ``None`` leaves each where it ran last
    """
    where = {"site": site} if site else {}

    for name in project.study_names():
        file = project.results / name / "overrides.json"
        last = json.loads(file.read_text()) if file.exists() else {}

        try:
            for given in ({"size": "small"}, {"size": "full"}, last):
                config, sweeps = load_config(project, {**given, **where, "study": name})
                yield from cells_of(name, sweeps[name], config.site, project)
        except (ConfigError, DataError) as error:
            raise ConfigError(
                f"What the study {name} asks for is not known: it cannot be read. Nothing was deleted.\n"
                f"{error}"
            ) from error
