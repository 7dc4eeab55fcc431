"""Read the configuration and the plan, once for each run of Snakemake."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from anisweep.cell import Pack
from anisweep.cluster.arrivals import import_finished
from anisweep.cluster.jobs import Jobs
from anisweep.config.load import load_config
from anisweep.config.project import Project
from anisweep.config.sections import Config, Sweep
from anisweep.config.site import LOCAL
from anisweep.errors import escape_what_is_no_text, expected_errors, message
from anisweep.parsing.yaml_text import NotYaml, read_yaml_text
from anisweep.plan import Plan, make_plan, write_packs

#: A file that is there only while a run ends.
JUDGED = "results/.anisweep/judged"


@dataclass(frozen=True)
class Run:
    """Hold what one reading of the Snakefile needs: configuration, plan, packs and jobs."""

    project: Project
    overrides: dict[str, Any]
    config: Config
    sweeps: dict[str, Sweep]
    plan: Plan
    packs: dict[str, Pack]
    jobs: Jobs | None  # on a cluster

    @classmethod
    def read(cls, overrides: dict[str, Any]) -> Run:
        """Read configuration and plan, frozen from here on; wrong input ends the program with its message."""
        escape_what_is_no_text()
        with troubles_in_words():
            project = Project.find()
            given = _typed(overrides)
            config, sweeps = load_config(project, given)
            import_finished(project)
            plan = _lasting_plan(project, config, sweeps)
            if plan.running is None:
                _forget_the_end_of_another(project)
            write_packs(project, plan.packs)
            jobs = None if config.site == LOCAL else Jobs.of(project, plan.awaited, plan.model)
            if jobs:
                jobs.write_description()

        # The packs of this run watch this process, and end when it does.
        os.environ["ANISWEEP_CONTROLLER"] = str(os.getpid())
        return cls(project, given, config, sweeps, plan, {pack.name: pack for pack in plan.awaited}, jobs)

    @property
    def studies(self) -> list[str]:
        """Return the names of the studies."""
        return list(self.sweeps)

    @property
    def profile(self) -> str:
        """Return the name of Snakemake's profile that makes this run."""
        return "chtc" if self.jobs else "local"


def _lasting_plan(project: Project, config: Config, sweeps: dict[str, Sweep]) -> Plan:
    """Make the plan, and keep Python's search for cycles of garbage from its hundred thousand cells.

    They stay until the program ends. To search them again and again took a fifth of its time.
    """
    gc.disable()
    try:
        return make_plan(project, config, sweeps)
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def troubles_in_words() -> Iterator[None]:
    """End the program with a message for wrong input, another run and a disk that refuses."""
    try:
        yield
    except expected_errors() as error:
        raise SystemExit(f"\n{message(error)}\n") from None


def _forget_the_end_of_another(project: Project) -> None:
    """Remove the mark of a run that was killed in its last moment; for this one it would be done already."""
    with suppress(OSError):
        (project.root / JUDGED).unlink()


def _typed(value: Any) -> Any:
    """Read numbers and truths that Snakemake leaves as text inside braces of ``--config``."""
    if isinstance(value, dict):
        return {key: _typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner) for inner in value]

    if not isinstance(value, str):
        return value

    with suppress(NotYaml):
        read = read_yaml_text(value)
        return read if read is None or isinstance(read, bool | int | float) else value
    return value
