"""Print what a run will do, what it found, and what to do next."""

from __future__ import annotations

import shlex
from pathlib import Path

from anisweep.artifacts.store import Store
from anisweep.config.project import Project
from anisweep.formatting import counted, duration
from anisweep.plan import run_lock
from anisweep.plan.outcome import command_of, words_of
from anisweep.plan.pending import frozen_packs
from anisweep.workflow.run import Run


def opening(run: Run) -> str:
    """Say how many cells are there, how many are to be measured, and how long that takes."""
    plan = run.plan
    if plan.running and plan.in_flight:
        another = f"another run (pid {plan.running.pid}) is measuring some of them"
        return f"{counted(len(plan.cells), 'cell')}; {another}."
    if not plan.awaited and not plan.failed:
        measured = "all measured: nothing to measure"
        then = "A run brings tables, figures and results/report.html up to date"
        return f"{counted(len(plan.cells), 'cell')}, {measured}. {then}."

    said = [f"{counted(len(plan.cells), 'cell')}, {len(plan.measured) - len(plan.failed)} measured"]
    if plan.failed:
        said.append(f"{len(plan.failed)} failed or stalled before, which only `retry=True` measures again")
    if plan.attached:
        said.append(f"waiting for {counted(len(plan.attached), 'pack that is', 'packs that are')} under way")
    if plan.packs:
        said.append(
            f"{len(plan.to_measure)} to measure in {counted(len(plan.packs), 'pack')}, "
            f"about {duration(plan.estimated_s)}. `anisweep plan` says why."
        )
    return "; ".join(said)


def closing(run: Run) -> str:
    """Return the answer, where everything lies, how large it is, and what to do next."""
    project = run.project
    size = sum(entry.size for entry in Store(project.artifacts, project.state).entries())
    answers = {study: project.tables(study) / "answer.txt" for study in run.studies}
    made = [study for study, file in answers.items() if file.exists()]  # none after `measure`
    lines = [*(answers[study].read_text().rstrip() for study in made), ""]

    if made:
        tables, figures = (_shown(project, folder(made[0])) for folder in (project.tables, project.figures))
        lines.append("report     results/report.html")
        lines.append(f"tables     {tables}    figures  {figures}")

    lines.append(f"artifacts  {_shown(project, project.artifacts)} ({size / 2**20:.1f} MB)")
    lines.append(f"next       {_plan_command(run)} | anisweep show ARTIFACT | anisweep inspect YOUR_FILE.xyz")
    return "\n".join(["", *lines])


def failed(run: Run) -> str:
    """Say what to do when something could not be made."""
    return (
        "\nNot everything could be made. What was measured is kept; the messages above say why.\n"
        "Then run the same command again: it goes on where this one stopped.\n"
        f"Of what is there, this writes the report: {command(run, 'report')}"
    )


def command(run: Run, target: str = "", retry: bool = False) -> str:
    """Return the command of a run for a shell, with another target or with ``retry``."""
    overrides = {**run.overrides, "retry": True} if retry else run.overrides
    return command_of(run.project, run.profile, overrides, target)


def _plan_command(run: Run) -> str:
    """Return the command that plans a run again, for a shell."""
    given = {key: value for key, value in run.overrides.items() if key not in ("retry", "study")}
    study = ",".join(run.studies)
    named = f"study=[{study}]" if "," in study else f"study={study}"
    return shlex.join(["anisweep", "plan", named, *words_of(run.project, run.profile, given)])


def _shown(project: Project, folder: Path) -> str:
    """Return a folder as it is shown: relative to the project, with a stroke at its end."""
    return f"{folder.relative_to(project.root)}/"


def packs_left(project: Project) -> str:
    """Say how many packs of the run that goes on are still to come, and for how long."""
    running = run_lock.holder(project)
    names = running.packs if running else ()
    left = [name for name in names if not (project.artifacts / f"{name}.tar.gz").exists()]
    packs = frozen_packs(project, left)
    seconds = sum(pack.estimated_s for pack in packs)
    return f"{len(packs)} of {counted(len(names), 'pack')} left, about {duration(seconds)}" if packs else ""
