"""Give the rules of features what they ask for, and start and end their run."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from anisweep.cluster.arrivals import import_finished
from anisweep.cluster.jobs import Jobs, Outgoing
from anisweep.config.project import Project
from anisweep.config.sections import checked_name
from anisweep.config.site import LOCAL, place_of_large_outputs
from anisweep.describe import format_npz
from anisweep.describe.run import of_another_run
from anisweep.environments.lock import environment_of
from anisweep.errors import escape_what_is_no_text
from anisweep.features.cutting import write_pieces
from anisweep.features.failures import last_error, record_failure
from anisweep.features.feature_file import feature_file
from anisweep.features.job import CORE_TYPES, FeatureFile
from anisweep.features.shards import FeaturePlan, output_mb, plan_features
from anisweep.formatting import counted
from anisweep.plan import run_lock
from anisweep.plan.cost import INTERPRETER_MB, CostModel
from anisweep.plan.pending import outputs_under_way
from anisweep.plan.requests import (
    LONGEST_MINUTES,
    ROOM,
    SCRATCH_MB,
    SHORTEST_MINUTES,
    ResourceRequest,
    up_to_step,
)
from anisweep.workflow.life_cycle import check
from anisweep.workflow.run import troubles_in_words

#: A job may take so many times as long as it was cut for.
LATE = 4

#: What comes home in place of a shard that stays where jobs leave large ones.
RECEIPT_MB = 0.01

#: So many shards that failed are named; all of them have a record.
FAILURES_SHOWN = 10


@dataclass(frozen=True)
class FeatureRun:
    """Hold the plan of one reading of the Snakefile; paths are relative to the project."""

    plan: FeaturePlan
    site: str
    jobs: Jobs | None  # on a cluster
    under_way: frozenset[str] = frozenset()  # the shards whose jobs somebody has sent before

    @classmethod
    def read(cls, name: str, site: str = LOCAL) -> FeatureRun:
        """Read what is asked for and find what is there; wrong input ends the program with its message."""
        escape_what_is_no_text()
        with troubles_in_words():
            project = Project.find()
            asked = feature_file(project, checked_name(name, "features"))
            _check_output(project.root / asked.output)
            import_finished(project)

            run = cls.look(project, name, site)
            if run_lock.holder(project) is None:
                run.plan.write()
            if run.jobs:
                run.jobs.write_description()

        os.environ["ANISWEEP_CONTROLLER"] = str(os.getpid())
        return run

    @classmethod
    def look(cls, project: Project, name: str, site: str) -> FeatureRun:
        """Find what is there, and change nothing that counts.

        Raises
        ------
        UserError, DataError
            for wrong input
        """
        asked = feature_file(project, checked_name(name, "features"))
        plan = plan_features(project, name, asked, environment_of(project, site).digest)
        jobs = None if site == LOCAL else Jobs.of(project, (), CostModel())
        coming = set(outputs_under_way(project))
        under_way = frozenset(key for key in plan.missing if plan.path("shards", key) in coming)
        return cls(plan, site, jobs, under_way)._with_large_outputs()

    def _with_large_outputs(self) -> FeatureRun:
        """Return this run with a place for its shards where they are too large to come home."""
        if self.jobs is None:
            return self
        largest = max(map(self.output_mb, self.plan.missing), default=0.0)
        place = place_of_large_outputs(self.jobs.site)
        if largest <= self.jobs.site.large_outputs.above_mb or not place:
            return self
        return replace(self, jobs=replace(self.jobs, large_outputs=f"{place}/{self.plan.name}"))

    def large_option(self, key: str) -> str:
        """Return the option by which a job leaves its shard elsewhere; empty where it brings it home."""
        if self.jobs is None or not self.jobs.large_outputs:
            return ""
        return f" --large {self.jobs.large_url(self.plan.shard(key))}"

    @property
    def opening(self) -> str:
        """Say how many shards are there, and how many are to be computed."""
        frames = sum(job.cut.frames for job in self.plan.jobs)
        what = f"{counted(frames, 'frame')} in {counted(len(self.plan.jobs), 'shard')}"
        if not self.plan.missing:
            return f"{what}, all computed."
        minutes = self.plan.asked.target_minutes
        said = f"{what}: {len(self.plan.missing)} to compute, about {minutes:g} minutes each"
        return f"{said}; {len(self.under_way)} under way." if self.under_way else f"{said}."

    @property
    def to_send(self) -> list[str]:
        """Return the shards that are to be computed and have no job yet."""
        return [key for key in self.plan.missing if key not in self.under_way]

    def inputs(self, key: str) -> list[str]:
        """Return what a job reads: its work, and its frames.

        For a shard that is computed that is a file which nobody can make, so that no trigger of Snakemake
        computes it again.
        """
        if key not in self.plan.missing:
            return [f"results/features/{key} is not planned"]
        return [self.plan.path("jobs", key), self.plan.path("pieces", key)]

    def request(self, key: str) -> ResourceRequest:
        """Return what a job asks for: room for its frames, and twice for features, which come in parts.

        A fit holds sums of the products of features. One that lasts far longer than it was cut for is stuck.
        """
        asked = self.plan.asked
        sums_mb = 64e-6 * asked.columns(len(self.plan.species)) ** 2 if asked.fit else 0.0
        frames_mb = 1e-6 * self.plan.missing[key].cut.bytes
        image_mb = self.jobs.image_mb("cpu") if self.jobs else 0.0

        return ResourceRequest(
            cpus=1,
            memory_mb=up_to_step(ROOM * (INTERPRETER_MB + sums_mb)),
            disk_mb=up_to_step(frames_mb + 2 * self.output_mb(key) + image_mb + SCRATCH_MB),
            minutes=min(max(SHORTEST_MINUTES, round(LATE * asked.target_minutes)), LONGEST_MINUTES),
            gpus=0,
        )

    def output_mb(self, key: str) -> float:
        """Return about how large a shard is: features, or the sums of a fit."""
        asked, cut = self.plan.asked, self.plan.missing[key].cut
        kinds = self.plan.kinds if asked.fit else ()
        return output_mb(asked, len(self.plan.species), cut.frames, cut.particles, kinds)

    def outgoing(self, key: str) -> Outgoing:
        """Return the job of a shard, as the rule describe_shard says it; a test holds the two together."""
        kinds = ("jobs", "pieces", "shards", "logs")
        work, piece, output, log = (self.plan.path(kind, key) for kind in kinds)
        asked, large = self.plan.asked, self.large_option(key)
        files = f"{work} {piece} {output}"

        return Outgoing(
            rule="describe_shard",
            name=Path(output).stem,
            output=output,
            log=log,
            inputs=(work, piece),
            command=f"{blas_of(asked)}anisweep features shard {files}{large} 2>&1 | tee {log}",
            device="cpu",
            request=self.request(key),
            estimated_s=60 * asked.target_minutes,
            output_mb=RECEIPT_MB if large else self.output_mb(key),
            large_mb=self.output_mb(key) if large else 0.0,
        )

    def start(self, keys: Sequence[str] | None = None) -> None:
        """Become the one run of this project, and stop on a cluster at what would go wrong there.

        Parameters
        ----------
        keys : the shards that go out; all that have no job yet when left out
        """
        with troubles_in_words():
            run_lock.hold(self.plan.project, ())
            keys = self.to_send if keys is None else keys
            if self.jobs and keys:
                check(self.plan.project, self.jobs, [*map(self.outgoing, keys)])
            for key in keys:
                for kind in ("failed", "logs"):
                    self._file(kind, key).unlink(missing_ok=True)

    def fail(self) -> None:
        """Say which shards failed for good, why, and what to do; each has a record."""
        left = [key for key in self.plan.missing if not self._file("shards", key).exists()]
        for key in left:
            if last_error(self._file("logs", key)) and not self._file("failed", key).exists():
                record_failure(self._file("shards", key), "its job has ended")

        failed = [file for key in left if (file := self._file("failed", key)).exists()]
        if failed:
            shards = counted(len(self.plan.jobs), "shard")
            print(f"\n{len(failed)} of {shards} could not be computed; what was computed is kept.")
            print("".join(f"  {file.read_text()}" for file in failed[:FAILURES_SHOWN]), end="")
            print(f"Each is described in {os.path.relpath(failed[0].parent)}. Mend what is said there,")
            print("and run the same command again: it computes what is missing.", flush=True)

    def _file(self, kind: str, key: str) -> Path:
        return self.plan.project.root / self.plan.path(kind, key)

    def split(self, keys: Collection[str]) -> None:
        """Write the frames of some shards into a file for each, unless they are there."""
        write_pieces(self.plan.project.root, self.plan.pieces(set(keys) & set(self.plan.to_split)))


def _check_output(output: Path) -> None:
    """Refuse an output that is there already and was made by something else."""
    features = output.suffix in (".npz", ".mts") and output.exists()
    if features and '"shards":' not in format_npz.provenance_of(output):
        raise of_another_run(output)


def blas_of(asked: FeatureFile) -> str:
    """Return what stands before a command so that OpenBLAS computes with the one instruction set, too."""
    return f"OPENBLAS_CORETYPE={CORE_TYPES[asked.instruction_set]} "
