"""Give the rules of features what they ask for, and start and end their run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from anisweep.cluster.arrivals import import_finished
from anisweep.cluster.jobs import Jobs
from anisweep.cluster.preflight import pass_or_stop
from anisweep.config.project import Project
from anisweep.config.sections import checked_name
from anisweep.config.site import LOCAL
from anisweep.describe import format_npz
from anisweep.describe.run import of_another_run
from anisweep.environments.lock import environment_of
from anisweep.errors import escape_what_is_no_text
from anisweep.features.cutting import write_pieces
from anisweep.features.feature_file import feature_file
from anisweep.features.shards import FeaturePlan, plan_features
from anisweep.formatting import counted
from anisweep.plan import run_lock
from anisweep.plan.cost import INTERPRETER_MB, CostModel
from anisweep.plan.requests import LONGEST_MINUTES, ROOM, SCRATCH_MB, SHORTEST_MINUTES, up_to_step
from anisweep.workflow.run import troubles_in_words

#: A job may take so many times as long as it was cut for.
LATE = 4


@dataclass(frozen=True)
class FeatureRun:
    """Hold the plan of one reading of the Snakefile; paths are relative to the project."""

    plan: FeaturePlan
    site: str
    jobs: Jobs | None  # on a cluster

    @classmethod
    def read(cls, name: str, site: str = LOCAL) -> FeatureRun:
        """Read what is asked for and find what is there; wrong input ends the program with its message."""
        escape_what_is_no_text()
        with troubles_in_words():
            project = Project.find()
            asked = feature_file(project, checked_name(name, "features"))
            _check_output(project.root / asked.output)
            import_finished(project)

            plan = plan_features(project, name, asked, environment_of(project, site).digest)
            if run_lock.holder(project) is None:
                plan.write()
            jobs = None if site == LOCAL else Jobs.of(project, (), CostModel())

        os.environ["ANISWEEP_CONTROLLER"] = str(os.getpid())
        return cls(plan, site, jobs)

    @property
    def opening(self) -> str:
        """Say how many shards are there, and how many are to be computed."""
        frames = sum(job.cut.frames for job in self.plan.jobs)
        what = f"{counted(frames, 'frame')} in {counted(len(self.plan.jobs), 'shard')}"
        if not self.plan.missing:
            return f"{what}, all computed."
        minutes = self.plan.asked.target_minutes
        return f"{what}: {len(self.plan.missing)} to compute, about {minutes:g} minutes each."

    def inputs(self, key: str) -> list[str]:
        """Return what a job reads: its work, and its frames.

        For a shard that is computed that is a file which nobody can make, so that no trigger of Snakemake
        computes it again.
        """
        if key not in self.plan.missing:
            return [f"results/features/{key} is not planned"]
        return [self.plan.path("jobs", key), self.plan.path("pieces", key)]

    @property
    def minutes(self) -> int:
        """Return after how many minutes a job that still runs is stuck."""
        return min(max(SHORTEST_MINUTES, round(LATE * self.plan.asked.target_minutes)), LONGEST_MINUTES)

    @property
    def memory_mb(self) -> int:
        """Return the memory of a job: features come in parts, and a fit holds sums of their products."""
        sums = 64e-6 * self._columns**2 if self.plan.asked.fit else 0.0
        return up_to_step(ROOM * (INTERPRETER_MB + sums))

    def disk_mb(self, key: str) -> int:
        """Return the disk of a job: its frames, and features twice while they are put together."""
        cut = self.plan.missing[key].cut
        rows = cut.frames if self.plan.asked.average else cut.particles
        features = 0.0 if self.plan.asked.fit else 16e-6 * self._columns * rows
        image = self.jobs.image_mb("cpu") if self.jobs else 0.0
        return up_to_step(1e-6 * cut.bytes + features + image + SCRATCH_MB)

    @property
    def _columns(self) -> int:
        return self.plan.asked.columns(len(self.plan.species))

    def start(self) -> None:
        """Become the one run of this project, and stop on a cluster at what would go wrong there."""
        with troubles_in_words():
            run_lock.hold(self.plan.project, ())
            self.check()

    def check(self) -> None:
        """Stop on a cluster before anything goes out; the size of its slots is not looked at."""
        if self.jobs and self.plan.missing:
            from anisweep.cluster.moved import refuse_where_moved  # it needs the executor

            refuse_where_moved(self.plan.project)
            pass_or_stop(self.jobs, (), len(self.plan.missing))
            self.jobs.write_description()

    def split(self) -> None:
        """Write the frames of each shard that is missing into a file of its own."""
        for file, pieces in self.plan.pieces_by_file(self.plan.missing):
            write_pieces(file, pieces)


def _check_output(output: Path) -> None:
    """Refuse an output that is there already and was made by something else."""
    features = output.suffix in (".npz", ".mts") and output.exists()
    if features and '"shards":' not in format_npz.provenance_of(output):
        raise of_another_run(output)
