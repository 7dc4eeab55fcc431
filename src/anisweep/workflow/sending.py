"""Say what a run sends to a cluster, be it packs of studies or shards of files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from anisweep.cell import Pack
from anisweep.cluster.jobs import Jobs, Outgoing
from anisweep.config.project import Project
from anisweep.config.site import CLUSTER
from anisweep.workflow import life_cycle, messages
from anisweep.workflow.feature_run import FeatureRun
from anisweep.workflow.prepare import prepare_dataset
from anisweep.workflow.run import Run


@dataclass(frozen=True)
class Sending:
    """Hold what goes out, and how that is done.

    Attributes
    ----------
    name : of the studies or of the features
    check : stops at what would go wrong
    start : does so too, becomes the one run of the project, and writes what jobs read
    afterwards : what to do when all jobs have completed
    """

    project: Project
    name: str
    opening: str
    jobs: Jobs
    packs: Sequence[Pack]
    shards: Sequence[Outgoing]
    check: Callable[[], None]
    start: Callable[[], None]
    afterwards: str

    @property
    def outgoing(self) -> list[Outgoing]:
        """Return all jobs."""
        return [*map(self.jobs.outgoing, self.packs), *self.shards]


def sending_of(given: dict[str, Any], pilot: int | None = None) -> Sending:
    """Return what a run with these values sends, or the first jobs of it.

    Wrong input ends the program with its message.
    """
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

    return Sending(
        project=run.project,
        name="+".join(run.studies),
        opening=messages.opening(run),
        jobs=run.jobs,
        packs=packs,
        shards=(),
        check=partial(life_cycle.check, run, packs),
        start=start,
        afterwards="on your laptop: anisweep fetch HOST:DIR",
    )


def _of_features(name: str, pilot: int | None) -> Sending:
    run = FeatureRun.read(name, CLUSTER)
    assert run.jobs is not None
    keys = run.to_send[:pilot]

    def start() -> None:
        run.start(keys)
        run.split(keys)

    return Sending(
        project=run.plan.project,
        name=name,
        opening=run.opening,
        jobs=run.jobs,
        packs=(),
        shards=[*map(run.outgoing, keys)],
        check=partial(run.check, keys),
        start=start,
        afterwards=f"snakemake --profile chtc features --config features={name}, which joins the shards",
    )
