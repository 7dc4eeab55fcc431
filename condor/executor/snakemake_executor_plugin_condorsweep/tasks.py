"""Turn jobs of Snakemake into tasks: what the loop needs of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from snakemake_executor_plugin_condorsweep.carrying import is_plain, is_url, name_of
from snakemake_executor_plugin_condorsweep.gathering import Task
from snakemake_executor_plugin_condorsweep.parcel import Parcel
from snakemake_executor_plugin_condorsweep.refusals import NOT_YET_KNOWN, TMPDIR, needs_snakemake
from snakemake_executor_plugin_condorsweep.remote import jobs_of, made_by
from snakemake_executor_plugin_condorsweep.requests import lines_of
from snakemake_executor_plugin_condorsweep.submit_file import Shape

#: What Snakemake puts before a shell command where a workflow has no prefix, and scripts of jobs have, too.
STRICT = "set -euo pipefail"


def task_of(job: Any, shared: bool = False) -> Task:
    """Return what the loop needs of a job of Snakemake.

    Parameters
    ----------
    shared : whether execute points see the project; containers do not, and a shadow is a folder of its own
    """
    wanted = job.resources
    jobs = jobs_of(job)
    image = jobs[0].container_img_url
    logs = [str(log) for each in jobs for log in each.log]
    shape = Shape(
        rule=job.groupid if job.is_group() else job.rule.name,
        image=image and str(image),
        cpus=job.threads,
        memory_mb=_number(wanted.get("mem_mb")),
        disk_mb=_number(wanted.get("disk_mb")),
        runtime_min=_number(wanted.get("runtime")),
        gpus=_number(wanted.get("gpus", wanted.get("gpu"))),
        lines=lines_of(wanted, retried=bool(job.restart_times)),
        in_place=shared and not image and not any(each.rule.shadow_depth for each in jobs),
    )
    remote = needs_snakemake(job)
    inputs = {name_of(file): file for file in (sorted(job.input) if job.is_group() else job.input)}
    return Task(
        job=job,
        shape=shape,
        output=str(made_by(job)[0]),
        # Snakemake in the job asks the storage itself.
        inputs=tuple(file for file in inputs if not (remote and is_url(file))),
        command="" if remote else _command(job),
        log=logs[0] if logs else "",
        ancient=frozenset(name for name, file in inputs.items() if "ancient" in file.flags),
        parcel=parcel_of(job, logs),
    )


def _command(job: Any) -> str:
    """Return the command as Snakemake runs it, which has no strict mode where the workflow has a prefix."""
    shell = job.rule.workflow.globals["shell"]
    prefix, suffix = shell._process_prefix, shell._process_suffix
    command = str(job.shellcmd).replace(NOT_YET_KNOWN, TMPDIR)
    for file in job.input:  # it runs with the URLs of what is not retrieved, and `shellcmd` has paths
        command = command.replace(str(file), name_of(file))

    if prefix is None or prefix.strip(" ;\n") == STRICT:
        return f"{command} {suffix}" if suffix else command
    return f"set +eu +o pipefail\n{prefix} {command} {suffix}"


def parcel_of(job: Any, logs: Sequence[str]) -> Parcel | None:
    """Return what a job makes where that is more than one plain file, and one log.

    What Snakemake runs it also touches and measures.
    """
    made = made_by(job)
    outputs = [str(output) for output in made]
    folders = [output for output in made if "directory" in output.flags]
    touched = tuple(str(output) for output in made if "touch" in output.flags)
    benchmarks = [str(each.benchmark) for each in jobs_of(job) if each.benchmark]

    plain = len(outputs) == 1 and is_plain(outputs[0]) and len(logs) < 2
    if plain and not (folders or touched or benchmarks):
        return None

    remote = needs_snakemake(job)
    return Parcel(
        outputs=(*outputs, *benchmarks),
        touched=() if remote else touched,
        benchmark="" if remote or not benchmarks else benchmarks[0],
        repeats=1 if remote else job.benchmark_repeats or 1,
        logs=tuple(logs[1:]),
    )


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None
