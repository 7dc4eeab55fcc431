"""Submit packs to HTCondor without a controller: the same files and jobs, and no program that waits."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from anisweep.cell import Pack
from anisweep.cluster.jobs import Jobs
from anisweep.cluster.schedd_errors import troubles_in_words
from anisweep.config.project import Project
from anisweep.formatting import counted, duration
from anisweep.plan import pack_file
from anisweep.plan.pending import BATCHES
from snakemake_executor_plugin_condorsweep import schedd
from snakemake_executor_plugin_condorsweep.batch import Batch, Entry
from snakemake_executor_plugin_condorsweep.submit_file import Shape, files_of
from snakemake_executor_plugin_condorsweep.submit_file import Site as Submitter

RULE = "measure_pack"

#: What a job reads before its command.
PROLOGUE = "condor/chtc/prologue.sh"


@dataclass(frozen=True)
class Volume:
    """Say what a submission costs, before it is made."""

    jobs: int
    core_hours: float
    longest_s: float
    gigabytes: float
    without_image: int

    @classmethod
    def of(cls, packs: Sequence[Pack], jobs: Jobs) -> Volume:
        """Sum up these packs; the image counts for each of them, as if every job had a machine of its own."""
        requests = [jobs.request(pack) for pack in packs]
        seconds = [pack.estimated_s for pack in packs]
        return cls(
            jobs=len(packs),
            core_hours=sum(r.cpus * s for r, s in zip(requests, seconds, strict=True)) / 3600,
            longest_s=max(seconds, default=0.0),
            gigabytes=sum(jobs.carried_mb(pack) for pack in packs) / 1024,
            without_image=sum(jobs.carried_mb(pack) == 0 for pack in packs),
        )

    def __str__(self) -> str:
        """Return the volume in words."""
        said = (
            f"{counted(self.jobs, 'job')}, {self.core_hours:.2g} core-hours, the longest about "
            f"{duration(self.longest_s)}, at most {self.gigabytes:.1f} GB over the network"
        )
        if self.without_image:
            said += f" beside the image of {counted(self.without_image, 'job')}, which is not there yet"
        if self.jobs == 1:
            return f"{said}."
        return (
            f"{said}.\nIn parts: `--pilot N` sends the first N packs, `replicates=1` the first replicate; "
            "what was measured is not measured again."
        )


def batches_of(project: Project, packs: Sequence[Pack], jobs: Jobs) -> list[tuple[Batch, dict[str, str]]]:
    """Return a batch for each shape of job, with the texts of its folder; nothing is written yet."""
    by_shape = defaultdict(list)
    for pack in packs:
        by_shape[_shape(pack, jobs)].append(pack)

    submitter = Submitter(description=jobs.description, prologue=PROLOGUE)
    made = []
    for shape, members in by_shape.items():
        batch = Batch.new(project.root, BATCHES, RULE, [_entry(project, pack, jobs) for pack in members])
        made.append((batch, files_of(batch, shape, submitter)))
    return made


def submit(batch: Batch, files: dict[str, str]) -> int:
    """Write a batch, submit it, and return the number of the cluster."""
    batch.write(files)
    with troubles_in_words():
        return schedd.submit(files["jobs.sub"])


def _shape(pack: Pack, jobs: Jobs) -> Shape:
    request = jobs.request(pack)
    return Shape(
        rule=RULE,
        image=jobs.container(pack),
        cpus=request.cpus,
        memory_mb=request.memory_mb,
        disk_mb=request.disk_mb,
        runtime_min=request.minutes,
        gpus=request.gpus or None,
    )


def _entry(project: Project, pack: Pack, jobs: Jobs) -> Entry:
    """Return what the rule measure_pack says of a pack; a test holds the two together."""
    plan = pack_file(project, pack.name)
    output = f"results/artifacts/{pack.name}.tar.gz"
    log = f"results/logs/{pack.name}.log"

    return Entry(
        name=pack.name,
        output=output,
        inputs=(plan, *sorted({cell.dataset.path for cell in pack.cells}), jobs.wheel),
        command=f"anisweep run-pack {shlex.quote(plan)} {shlex.quote(output)} | tee {shlex.quote(log)}",
        log=log,
    )
