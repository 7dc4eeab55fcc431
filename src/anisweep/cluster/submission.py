"""Submit jobs to HTCondor without a controller: the same files and jobs, and no program that waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from anisweep.cluster.jobs import Jobs, Outgoing
from anisweep.cluster.schedd_errors import troubles_in_words
from anisweep.config.project import BATCHES, Project
from anisweep.formatting import counted, duration
from snakemake_executor_plugin_condorsweep import schedd
from snakemake_executor_plugin_condorsweep.batch import Batch, Entry
from snakemake_executor_plugin_condorsweep.submit_file import Shape, files_of
from snakemake_executor_plugin_condorsweep.submit_file import Site as Submitter

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
    def of(cls, outgoing: Sequence[Outgoing], jobs: Jobs) -> Volume:
        """Sum up these jobs; the image counts for each of them, as if every job had a machine of its own."""
        images = [jobs.image_mb(each.device) for each in outgoing]
        return cls(
            jobs=len(outgoing),
            core_hours=sum(each.request.cpus * each.estimated_s for each in outgoing) / 3600,
            longest_s=max((each.estimated_s for each in outgoing), default=0.0),
            gigabytes=sum(images) / 1024,
            without_image=images.count(0),
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
            f"{said}.\nIn parts: `--pilot N` sends the first N jobs; what was computed is not computed again."
        )


def batches_of(
    project: Project, outgoing: Iterable[Outgoing], jobs: Jobs
) -> list[tuple[Batch, dict[str, str]]]:
    """Return a batch for each shape of job, with the texts of its folder; nothing is written yet."""
    by_shape = defaultdict(list)
    for each in outgoing:
        by_shape[_shape(each, jobs)].append(each)

    submitter = Submitter(description=jobs.description, prologue=PROLOGUE)
    made = []
    for shape, members in by_shape.items():
        entries = [_entry(each, jobs) for each in members]
        batch = Batch.new(project.root, BATCHES, shape.rule, entries)
        made.append((batch, files_of(batch, shape, submitter)))
    return made


def submit(batch: Batch, files: dict[str, str]) -> int:
    """Write a batch, submit it, and return the number of the cluster."""
    batch.write(files)
    with troubles_in_words():
        return schedd.submit(files["jobs.sub"])


def _shape(each: Outgoing, jobs: Jobs) -> Shape:
    request = each.request
    return Shape(
        rule=each.rule,
        image=jobs.image(each.device),
        cpus=request.cpus,
        memory_mb=request.memory_mb,
        disk_mb=request.disk_mb,
        runtime_min=request.minutes,
        gpus=request.gpus or None,
    )


def _entry(each: Outgoing, jobs: Jobs) -> Entry:
    return Entry(
        name=each.name,
        output=each.output,
        inputs=(*each.inputs, jobs.wheel),
        command=each.command,
        log=each.log,
    )
