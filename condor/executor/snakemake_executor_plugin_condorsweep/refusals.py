"""Refuse jobs that cannot run on HTCondor as they are written, and say what to change.

Whatever Snakemake would do for a job that runs here, and this executor does not pass on, is refused in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from snakemake_executor_plugin_condorsweep.carrying import why_no_text, why_not

#: Kinds of rules, by Snakemake's properties of a job, that would need Snakemake or more in the image.
KINDS = {
    "is_run": "`run:`",
    "is_script": "`script:`",
    "is_notebook": "`notebook:`",
    "is_wrapper": "`wrapper:`",
    "is_cwl": "`cwl:`",
    "is_template_engine": "`template_engine:`",
    "is_shadow": "`shadow:`",
    "is_norun": "no `shell:`",
}

GROUPS = "groups are all or nothing; leave it out: jobs go out together anyway"

#: Outputs that are not whole and here at the end of the job, by their flags.
FLAGS = ("pipe", "service", "update", "nodelocal", "storage_object")

#: What becomes a line of the submit file, and what Snakemake keeps for itself.
REQUESTS = ("mem_mb", "disk_mb", "runtime", "gpus")
PASSED_ON = {*REQUESTS, "mem", "mem_mib", "disk", "disk_mib", "tmpdir", "_cores", "_nodes"}

#: Names under which people ask for something that has another name here.
MEANT = {
    "gpu": "write `gpus`",
    "ngpus": "write `gpus`",
    "nvidia_gpu": "write `gpus`",
    "request_gpus": "write `gpus`",
    "request_memory": "write `mem_mb`",
    "request_disk": "write `disk_mb`",
    "request_cpus": "write `threads:`",
    "cpus": "write `threads:`",
    "cpus_per_task": "write `threads:`",
    "time": "write `runtime`",
    "time_min": "write `runtime`",
    "walltime": "write `runtime`",
}
IN_THE_DESCRIPTION = "write it as a line of the file that `--condorsweep-description` names, or leave it out"

#: A command that names the folder for temporary files of this machine, or of any.
TMPDIR = re.compile(r"\{\s*resources\s*(?:\.\s*tmpdir|\[\s*['\"]?tmpdir)")

#: What Snakemake writes for a value that it evaluates where the job runs.
NOT_YET_KNOWN = "<TBD>"

#: What Snakemake puts before a shell command, and the scripts of jobs, too.
STRICT = "set -euo pipefail"


#: What a workflow may ask for all of its jobs, and what to do instead.
WAYS_OUT = {
    "`envvars:`": (
        'jobs see no variables of this machine; write `environment = "NAME=value"` into the file that '
        "`--condorsweep-description` names, or give what is secret as an input file"
    ),
    "`shell.prefix()`": (
        "jobs run their command alone; write it into the commands, or into the file that "
        "`--condorsweep-prologue` names"
    ),
    "`shell.suffix()`": "jobs run their command alone; write it into the commands",
    "`shell.executable()`": "jobs run bash; call the other shell in the command",
    "`--precommand`": "write it into the file that `--condorsweep-prologue` names",
    "`--apptainer-args`": "HTCondor starts the image; leave it out",
    "`--immediate-submit`": "leave it out: jobs are submitted when their inputs are there",
    "`--cache`": "leave it out: what a cluster made is not put into the cache between workflows",
}


def why_refused(job: Any) -> str:
    """Say why a job cannot go to HTCondor; empty when it can.

    Parameters
    ----------
    job : Snakemake's
    """
    if job.is_group():
        return f"group {job.groupid}: {GROUPS}"

    words = "; ".join(_complaints(job))
    if not words:
        return ""
    return f"rule {job.rule.name}: {words}. Only what takes seconds may run here instead (`localrules:`)"


def why_refused_now(job: Any) -> str:
    """Say why a job whose inputs are there cannot go to HTCondor after all; empty when it can."""
    words = why_refused(job)
    if not words and NOT_YET_KNOWN in (job.shellcmd or ""):
        words = (
            f"rule {job.rule.name}: its command holds {NOT_YET_KNOWN}, a value that Snakemake evaluates "
            "where the job runs; write `${{TMPDIR:-/tmp}}` for {resources.tmpdir}"
        )
    return f"Not for HTCondor: {words}" if words else ""


def why_workflow_refused(workflow: Any) -> list[str]:
    """List what a workflow asks for all of its jobs, by Snakefile or command line, and cannot have."""
    shell = workflow.globals["shell"]
    prefix, program = shell._process_prefix, Path(shell.get_executable() or "bash").name
    remote = workflow.remote_execution_settings
    asked = {
        "`envvars:`": workflow.envvars,
        "`shell.prefix()`": prefix is not None and prefix.strip(" ;\n") != STRICT,
        "`shell.suffix()`": shell._process_suffix.strip(),
        "`shell.executable()`": program != "bash",
        "`--precommand`": remote.precommand,
        "`--apptainer-args`": workflow.deployment_settings.apptainer_args,
        "`--immediate-submit`": remote.immediate_submit,
        "`--cache`": workflow.workflow_settings.cache is not None,
    }
    return [f"the workflow has {name}: {WAYS_OUT[name]}" for name, there in asked.items() if there]


def missing_inputs(job: Any, image: str) -> list[str]:
    """Return the files that would have to be sent and are not there."""
    files = [str(file) for file in job.input]
    image_file = [] if "://" in image else [image]
    return [file for file in (*files, *image_file) if not Path(file).exists()]


def _complaints(job: Any) -> Iterator[str]:
    yield from _about_the_rule(job)
    yield from _about_resources(job)
    yield from _about_the_command(job)
    yield from _about_files(job)


def _about_the_rule(job: Any) -> Iterator[str]:
    kinds = [words for name, words in KINDS.items() if getattr(job, name)]
    if kinds:
        yield f"has {kinds[0]}; write one `shell:` line that runs a program of the image"
    if job.group is not None:
        yield f"has `group:`; {GROUPS}"
    extended = job.rule.workflow.output_settings.benchmark_extended
    if job.benchmark and (extended or str(job.benchmark).endswith(".jsonl")):
        yield "has an extended benchmark; jobs measure time and memory alone, in a .tsv"
    if job.conda_env_spec:
        yield "has `conda:`; what it needs belongs into the image"
    if job.env_modules:
        yield "has `envmodules:`; what it loads belongs into the image"
    if job.rule.is_handover:
        yield "has `handover:`; write one `shell:` line that runs a program of the image"
    if not job.container_img_url:
        yield "has no `container:`; name the image that it runs in"


def _about_resources(job: Any) -> Iterator[str]:
    limits = job.rule.workflow.global_resources
    wanted = job.resources
    for name, value in wanted.items():
        if name in REQUESTS and not _is_request(value):
            yield f"asks for {name}={value!r}; write a whole number, not below 0"
        if name in PASSED_ON or (name in limits and name not in MEANT):
            continue  # Snakemake keeps to its limits itself
        yield f"asks for the resource `{name}`, which is not passed on; {MEANT.get(name, IN_THE_DESCRIPTION)}"

    if wanted.get("tmpdir", NOT_YET_KNOWN) != NOT_YET_KNOWN:
        yield "asks for the resource `tmpdir`; leave it out: jobs have folders of their own, $TMPDIR or /tmp"


def _is_request(value: Any) -> bool:
    """Return True if a number can be asked for, or is not known yet."""
    if value is None or value == NOT_YET_KNOWN:
        return True
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _about_the_command(job: Any) -> Iterator[str]:
    if TMPDIR.search(job.rule.shellcmd or ""):
        yield "names {resources.tmpdir}, a folder of this machine; write `${{TMPDIR:-/tmp}}`"

    with suppress(Exception):  # what a value still waits for; Snakemake says the rest
        command = job.shellcmd or ""
        if "\0" in command or not _is_text(command):
            yield "has a command that is no UTF-8 text; write it without such bytes"
        for file in _files_of_parameters(job, command):
            yield f"names the file {file} by a parameter, so it is not sent; declare it as an input"


def _files_of_parameters(job: Any, command: str) -> list[str]:
    """Return the files of the project that the command knows from `params:` alone."""
    declared = {str(Path(file)) for file in (*job.input, *job.output, *job.log)}
    named = [str(value) for value in _flat(job.params) if isinstance(value, str | Path)]
    return [
        file
        for file in dict.fromkeys(named)
        if file in command and not why_not(file) and Path(file).is_file() and not _is_in(file, declared)
    ]


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        else:
            yield value


def _is_in(file: str, declared: set[str]) -> bool:
    """Return True if a file is declared, or lies in a folder that is."""
    return any(str(path) in declared for path in (Path(file), *Path(file).parents))


def _about_files(job: Any) -> Iterator[str]:
    if not job.output:
        yield "declares no output; declare one, by which its job is known: `touch()` makes one from nothing"

    for output in job.output:
        for flag in FLAGS:
            if flag in getattr(output, "flags", {}):
                yield f"{output} is marked {flag}; jobs can bring home plain files and folders alone"
        if _is_protected(output):
            yield f"{output} is there and write-protected; remove it, or leave `protected()` out"

    benchmark = [job.benchmark] if job.benchmark else []
    yield from filter(None, (why_not(str(file)) for file in (*job.output, *job.log, *benchmark)))
    yield from filter(None, (why_no_text(str(file)) for file in job.input))


def _is_protected(output: Any) -> bool:
    """Return True if an output was protected when it was made, as Snakemake does it."""
    file = Path(output)
    return "protected" in getattr(output, "flags", {}) and file.exists() and not file.stat().st_mode & 0o222


def _is_text(words: str) -> bool:
    try:
        words.encode()
    except UnicodeEncodeError:
        return False
    return True
