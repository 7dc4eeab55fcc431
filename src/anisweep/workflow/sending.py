"""Say what a run sends to a cluster, be it packs of studies or shards of files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from anisweep.cluster.jobs import Jobs, Outgoing
from anisweep.config.project import Project
from anisweep.config.site import CLUSTER
from anisweep.workflow import life_cycle, messages
from anisweep.workflow.feature_run import FeatureRun
from anisweep.workflow.prepare import prepare_dataset
from anisweep.workflow.run import Run


@dataclass(frozen=True)
class Sending:
    """Hold what goes out.

    Attributes
    ----------
    name : of the studies or of the features
    start : becomes the one run of the project, after a check, and writes what jobs read
    afterwards : what to do when all jobs have completed
    """

    project: Project
    name: str
    opening: str
    jobs: Jobs
    outgoing: Sequence[Outgoing]
    start: Callable[[], None]
    afterwards: str


def sending_of(given: dict[str, Any], pilot: int | None = None) -> Sending:
    """Return what a run with these values sends, or its first jobs; wrong input ends the program."""
    return _of_features(str(given["features"]), pilot) if "features" in given else _of_studies(given, pilot)


def _of_studies(given: dict[str, Any], pilot: int | None) -> Sending:
    run = Run.read(given | {"site": CLUSTER})
    assert run.jobs is not None
    packs = run.plan.packs[:pilot]

    def start() -> None:
        life_cycle.start(run, packs)
        for path in sorted({cell.dataset.path for pack in packs for cell in pack.cells}):
            if not (run.project.root / path).exists():
                prepare_dataset(run.project, run.project.root / path)

    outgoing = [*map(run.jobs.outgoing, packs)]
    afterwards = "on your laptop: anisweep fetch HOST:DIR"
    return Sending(
        run.project, "+".join(run.studies), messages.opening(run), run.jobs, outgoing, start, afterwards
    )


def _of_features(name: str, pilot: int | None) -> Sending:
    run = FeatureRun.read(name, CLUSTER)
    assert run.jobs is not None
    keys = run.to_send[:pilot]

    def start() -> None:
        run.start(keys)
        run.split(keys)

    outgoing = [*map(run.outgoing, keys)]
    afterwards = f"snakemake --profile chtc features --config features={name}, which joins the shards"
    return Sending(run.plan.project, name, run.opening, run.jobs, outgoing, start, afterwards)
