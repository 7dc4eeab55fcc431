"""Start and end a run: take the lock, record what it works on, and report what it did not measure."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

import yaml

from anisweep.artifacts.store import remove_leftovers, restore_kept
from anisweep.cell import Pack
from anisweep.cluster.jobs import Jobs, Outgoing
from anisweep.cluster.preflight import pass_or_stop
from anisweep.config.project import Project
from anisweep.files import write_json
from anisweep.plan import run_lock
from anisweep.plan.outcome import in_words, unmeasured
from anisweep.workflow import messages
from anisweep.workflow.run import JUDGED, Run, troubles_in_words
from anisweep.workflow.studies import cells_in_file


def start(run: Run, packs: Sequence[Pack] | None = None) -> None:
    """Become the controller and write down what this run works on, for the programs of its rules.

    Parameters
    ----------
    packs : what goes out; all that the plan holds when left out
    """
    with troubles_in_words():
        run_lock.hold(run.project, list(run.packs))
        if run.jobs:
            check(
                run.project, run.jobs, [*map(run.jobs.outgoing, run.plan.packs if packs is None else packs)]
            )
        remove_leftovers(run.project.artifacts)
        _write_down(run)


def check(project: Project, jobs: Jobs, outgoing: Sequence[Outgoing]) -> None:
    """Stop at what would go wrong on a cluster, before anything goes out."""
    from anisweep.cluster.moved import refuse_where_moved  # it needs the executor

    refuse_where_moved(project)
    pass_or_stop(jobs, outgoing)


def _write_down(run: Run) -> None:
    """Write the resolved configuration and the cells of each study."""
    for study, sweep in run.sweeps.items():
        folder = run.project.results / study
        folder.mkdir(parents=True, exist_ok=True)
        resolved = {**run.config.model_dump(mode="json"), **sweep.model_dump(mode="json"), "study": study}
        (folder / "configuration.yaml").write_text(yaml.safe_dump(resolved, sort_keys=False))
        write_json(folder / "overrides.json", run.overrides)
        cells = [run.plan.cells[key] for key in run.plan.studies[study]]
        write_json(folder / "cells.json", cells_in_file(cells))


def succeed(run: Run, targets: Collection[str]) -> None:
    """Say the last words of a run whose rules have all been made.

    Raises
    ------
    SystemExit
        with status 1 when cells have no measurement, unless only a report of the others was asked for
    """
    end_at_once()
    restore_kept(run.project.artifacts)
    print(messages.closing(run))
    if set(targets) != {"report"}:
        _end_incomplete(run)


def fail(run: Run) -> None:
    """Say what to do when something could not be made, and end with status 1."""
    end_at_once()
    restore_kept(run.project.artifacts)
    print(messages.failed(run))
    _end_incomplete(run)
    raise SystemExit(1)


def end_at_once() -> None:
    """Cancel the next look that Snakemake takes at its jobs, for which it would wait a second at its exit."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


def _end_incomplete(run: Run) -> None:
    """End with status 1 where cells have no measurement; the last line says how many."""
    (run.project.root / JUDGED).unlink(missing_ok=True)
    left = unmeasured(run.project, run.plan.cells)
    if left:
        again = messages.command(run, retry=any(each.status != "missing" for each in left))
        print(in_words(left, len(run.plan.cells), again), flush=True)
        raise SystemExit(1)
