"""Write the submit file, table and scripts of a batch."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from snakemake_executor_plugin_condorsweep.batch import VARIABLES, Batch, Entry
from snakemake_executor_plugin_condorsweep.carrying import SEPARATOR
from snakemake_executor_plugin_condorsweep.parcel import PARCEL
from snakemake_executor_plugin_condorsweep.script import script
from snakemake_executor_plugin_condorsweep.speech import jobs_that

#: Jobs of a cluster that wait in the queue at a time; the rest comes into being as these go.
MAX_IDLE = 1000

#: What all jobs have in common, wherever they run.
DEFAULT = Path(__file__).with_name("default.sub")

#: How files get to the jobs and back, and how they do where they are there already: scripts alone travel.
TRANSFERRED = (
    "should_transfer_files = YES",
    "preserve_relative_paths = true",
    "transfer_input_files = $(inputs)",
    "transfer_output_files = $(result)$(also_files:)",
    "# Into the inbox: what is there has not been looked at yet.",
    'transfer_output_remaps = "$(result) = $(arrival)$(also_remaps:)"',
)
IN_PLACE = ("should_transfer_files = YES", 'transfer_output_files = ""')

#: The line of the static part by which a user does.
ASKS_FOR_COMMON_IMAGE = re.compile(r"^\s*container_is_common\s*=\s*true\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Shape:
    """Describe what the jobs of a batch have in common.

    Attributes
    ----------
    image : a file, relative to the project or absolute, or a URL; None for jobs that need none
    memory_mb, disk_mb, runtime_min, gpus : None leaves it to the static part and the pool
    lines : of the submit file, for what else the rule asks for
    in_place : whether jobs work in the project's folder, which execute points see
    """

    rule: str
    image: str | None
    cpus: int = 1
    memory_mb: int | None = None
    disk_mb: int | None = None
    runtime_min: int | None = None
    gpus: int | None = None
    lines: tuple[str, ...] = ()
    in_place: bool = False


@dataclass(frozen=True)
class Site:
    """Hold what the user says of the pool.

    Attributes
    ----------
    macros : lines put first, ``NAME = value``, which the description may use
    description : what the submit file says beside ``default.sub``: environment, requirements; lines between
        ``if defined job_gpus`` and ``endif`` are for jobs with GPUs only
    prologue : a shell file, relative to the project, sent along and read before each command
    variables : names of variables that jobs get with the values that they have here
    """

    macros: str = ""
    description: str = ""
    prologue: str = ""
    variables: tuple[str, ...] = ()

    def read_first(self, batch: Batch) -> list[str]:
        """Return the shell files that are read before each command, relative to the project."""
        variables = f"{batch.path}/{VARIABLES}" if self.variables else ""
        return [file for file in (variables, self.prologue) if file]

    def exports(self) -> dict[str, str]:
        """Return the file with the variables; HTCondor's own lines would pass through shells on their way."""
        lines = [f"export {name}={shlex.quote(os.environ[name])}\n" for name in self.variables]
        return {VARIABLES: "".join(lines)} if lines else {}


def files_of(batch: Batch, shape: Shape, site: Site) -> dict[str, str]:
    """Return the texts of a batch's folder, by their names in it."""
    sent = batch.sent_inputs()
    table = "".join(_line(batch, entry, site, sent) for entry in batch.entries)
    scripts = {
        f"jobs/{entry.name}.sh": script(entry, sent, site.read_first(batch), batch.root)
        for entry in batch.entries
    }
    return {"jobs.sub": description(batch, shape, site), "jobs.txt": table, **scripts, **site.exports()}


def description(batch: Batch, shape: Shape, site: Site) -> str:
    """Return the submit file; what stands last wins, so a rule's resources win over the static part."""
    parts = [
        f"# {jobs_that(len(batch.entries))} of rule {batch.rule}, {batch.created}.",
        "# `condor_submit jobs.sub` does what the executor did.",
        site.macros.strip(),
        f"# The lines below may ask: if defined job_gpus\njob_gpus = {shape.gpus}" if shape.gpus else "",
        DEFAULT.read_text().strip(),
        site.description.strip(),
        "\n".join(_dynamic(batch, shape, site)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _dynamic(batch: Batch, shape: Shape, site: Site) -> list[str]:
    folder = batch.folder.absolute()
    return [
        "# --- this batch -----------------------------------------------------------",
        f"batch_name = {batch.rule} {batch.id}",
        "# The executor finds the jobs of a batch by this.",
        f'My.SweepBatch = "{batch.id}"',
        "",
        *_universe(batch, shape, site),
        "",
        f"request_cpus = {shape.cpus}",
        *_requests(shape),
        *shape.lines,
        "",
        "# Paths are those of the project, here and there.",
        f"initialdir = {batch.root.absolute()}",
        f"executable = {folder}/jobs/$(entry).sh",
        f"log = {folder}/events.log",
        f"output = {folder}/logs/$(entry).log",
        f"error = {folder}/logs/$(entry).log",
        *(IN_PLACE if shape.in_place else TRANSFERRED),
        "",
        f"queue entry, result, arrival, inputs from {folder}/jobs.txt",
    ]


def _universe(batch: Batch, shape: Shape, site: Site) -> list[str]:
    """Return the lines that say what jobs run in, and how image and jobs get into the pool.

    HTCondor 25.14 can send an image file once to each machine, not once for each job. But then a machine may
    wait for ever after one of the jobs was evicted, and nothing materializes late: only for those who ask.
    """
    late = [
        "# Late materialization: the queue holds no more waiting jobs than this.",
        f"max_idle = {min(len(batch.entries), MAX_IDLE)}",
    ]
    if shape.image is None:
        return ["universe = vanilla", *late]

    image = shape.image if "://" in shape.image else str((batch.root / shape.image).absolute())
    container = ["universe = container", f"container_image = {image}"]
    if ASKS_FOR_COMMON_IMAGE.search(site.description):
        return container
    return [*container, "container_is_common = false", *late]


def _requests(shape: Shape) -> list[str]:
    wanted = {
        "request_memory": shape.memory_mb and f"{shape.memory_mb}MB",
        "request_disk": shape.disk_mb and f"{shape.disk_mb}MB",
        "request_gpus": shape.gpus,
        "allowed_execute_duration": shape.runtime_min and shape.runtime_min * 60,
    }
    return [f"{command} = {value}" for command, value in wanted.items() if value]


def _line(batch: Batch, entry: Entry, site: Site, sent: Mapping[str, str]) -> str:
    inputs = (
        [] if entry.in_place else [*(sent.get(file, file) for file in entry.inputs), *site.read_first(batch)]
    )
    result = PARCEL if entry.parcel else entry.output
    return SEPARATOR.join([entry.name, result, batch.inbox(entry), ", ".join(inputs)]) + "\n"
