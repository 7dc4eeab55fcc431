"""Refuse jobs that cannot run on HTCondor as they are written, and say what to change.

Whatever Snakemake would do for a job that runs here, and this executor does not pass on, is refused in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from snakemake_interface_executor_plugins.settings import DeploymentMethod

from snakemake_executor_plugin_condorsweep.carrying import (
    is_outside,
    is_url,
    name_of,
    why_no_text,
    why_not,
    why_not_fetched,
)
from snakemake_executor_plugin_condorsweep.requests import is_known, wrong

#: Snakemake as it runs here, and as it would have to be in the image. The plugin can be listed without it.
SNAKEMAKE = version("snakemake") if find_spec("snakemake") else "none"

#: How a user says that it is there.
REMOTE = (
    f"where an image with Snakemake {SNAKEMAKE} is at hand, name it and say `--condorsweep-remote-jobs`; else"
)

#: Kinds of rules that need Snakemake in the image, by its properties of a job, and what to write without it.
PROGRAM = "write one `shell:` line that runs a program of the image"
SCRIPT = 'declare the script as an input and call it: `shell: "python {input.script} ..."`'
KINDS = {
    "is_run": ("`run:`", f"put its Python into a script, {SCRIPT}"),
    "is_script": ("`script:`", SCRIPT),
    "is_notebook": (
        "`notebook:`",
        "declare the notebook as an input and run it by `jupyter nbconvert --execute`",
    ),
    "is_wrapper": (
        "`wrapper:`",
        "write the command that the wrapper runs as `shell:`, with an image that has it",
    ),
    "is_cwl": ("`cwl:`", PROGRAM),
    "is_template_engine": ("`template_engine:`", PROGRAM),
    "is_norun": ("no `shell:`", PROGRAM),
}

GROUPS = f"{REMOTE} leave it out: jobs go out together anyway"

#: Outputs of a group that its own jobs alone see, by their flags.
INNER = ("pipe", "service", "nodelocal")

#: Outputs that are not whole and here at the end of the job.
FLAGS = (*INNER, "update")

#: What Snakemake writes for a value that it evaluates where the job runs, as it does for `tmpdir`.
NOT_YET_KNOWN = "<TBD>"

#: The folder for temporary files in a container, which HTCondor gives each job for itself.
TMPDIR = "/tmp"

#: What a workflow may ask for all of its jobs, and what to do instead.
WAYS_OUT = {
    "`shell.executable()`": "jobs run bash; call the other shell in the command",
    "`--precommand`": "write it into the file that `--condorsweep-prologue` names",
    "`--apptainer-args`": "HTCondor starts the image; leave it out",
    "`--immediate-submit`": "leave it out: jobs are submitted when their inputs are there",
    "`--cache`": "leave it out: what a cluster made is not put into the cache between workflows",
}


def needs_snakemake(job: Any) -> bool:
    """Return True if a job is more than a command, so that Snakemake has to run it."""
    if job.is_group() or job.group is not None or any(getattr(job, kind) for kind in KINDS):
        return True
    return bool(job.conda_env_spec) and _is_asked_for(DeploymentMethod.CONDA, job)


def _is_asked_for(method: DeploymentMethod, job: Any) -> bool:
    return method in job.rule.workflow.deployment_settings.deployment_method


def why_refused(job: Any, remote: bool = False) -> str:
    """Say why a job cannot go to HTCondor; empty when it can.

    Parameters
    ----------
    job : Snakemake's
    remote : whether Snakemake is where jobs run
    """
    if job.is_group():
        each = {_why_mixed(job), *(why_refused(member, remote) for member in job.jobs)}
        return "\n".join(sorted(filter(None, each)))

    words = "; ".join(_complaints(job, remote and needs_snakemake(job)))
    if not words:
        return ""
    return f"rule {job.rule.name}: {words}. Only what takes seconds may run here instead (`localrules:`)"


def _why_mixed(group: Any) -> str:
    """Say that a group would need several images; empty when it needs one, or none."""
    images = {str(job.container_img_url or "none") for job in group.jobs}
    if len(images) == 1:
        return ""
    return (
        f"group {group.groupid}: its rules name several images ({', '.join(sorted(images))}); "
        "it is one job, so give them the same `container:`, or take rules out of the group"
    )


def why_refused_now(job: Any, remote: bool = False) -> str:
    """Say why a job whose inputs are there cannot go to HTCondor after all; empty when it can."""
    words = why_refused(job, remote)
    unknown = [name for name, value in job.resources.items() if value == NOT_YET_KNOWN and name != "tmpdir"]
    if not words and unknown:
        words = f"{job.name}: the value of {', '.join(unknown)} is not known; write a number"
    return f"Not for HTCondor: {words}" if words else ""


def why_workflow_refused(workflow: Any) -> list[str]:
    """List what a workflow asks for all of its jobs, by Snakefile or command line, and cannot have."""
    shell = workflow.globals["shell"]
    program = Path(shell.get_executable() or "bash").name
    remote = workflow.remote_execution_settings
    asked = {
        "`shell.executable()`": program != "bash",
        "`--precommand`": remote.precommand,
        "`--apptainer-args`": workflow.deployment_settings.apptainer_args,
        "`--immediate-submit`": remote.immediate_submit,
        "`--cache`": workflow.workflow_settings.cache is not None,
    }
    return [f"the workflow has {name}: {WAYS_OUT[name]}" for name, there in asked.items() if there]


def missing_inputs(job: Any, image: str | None) -> list[str]:
    """Return the files that would have to be sent and are not there."""
    files = [file for file in map(name_of, job.input) if not is_url(file)]
    image_file = [image] if image and "://" not in image else []
    return [file for file in (*files, *image_file) if not Path(file).exists()]


def _complaints(job: Any, remote: bool) -> Iterator[str]:
    yield from _about_the_rule(job, remote)
    yield from _about_software(job, remote)
    yield from _about_resources(job)
    if not remote:
        yield from _about_the_command(job)
    yield from _about_files(job, remote)


def _about_the_rule(job: Any, remote: bool) -> Iterator[str]:
    for name, (kind, remedy) in KINDS.items():
        if getattr(job, name) and not remote:
            yield f"has {kind}, which Snakemake itself has to run; {REMOTE} {remedy}"
            break
    if job.rule.shadow_depth not in (None, "minimal", "copy-minimal"):
        yield 'has `shadow:` with the whole project; write `shadow: "minimal"`, for inputs alone are sent'
    if job.group is not None and not remote:
        yield f"has `group:`; {GROUPS}"
    extended = job.rule.workflow.output_settings.benchmark_extended
    if job.benchmark and not remote and (extended or str(job.benchmark).endswith(".jsonl")):
        yield "has an extended benchmark; jobs measure time and memory alone, in a .tsv"
    if job.rule.is_handover:
        yield f"has `handover:`; {PROGRAM}"


def _about_software(job: Any, remote: bool) -> Iterator[str]:
    """Complain of software that nobody would install, which counts beside an image if it is asked for."""
    by_conda = _is_asked_for(DeploymentMethod.CONDA, job)
    provided = job.container_img_url or (remote and (by_conda or job.is_wrapper))
    if job.conda_env_spec and not provided:
        yield (
            "has `conda:` without `container:`; name an image with what `conda:` names in it, or, where jobs "
            f"find conda and Snakemake {SNAKEMAKE}, say `--software-deployment-method conda` and "
            "`--condorsweep-remote-jobs`"
        )
    for there, name in (
        (job.conda_env_spec and by_conda and not remote, "conda"),
        (job.env_modules and _is_asked_for(DeploymentMethod.ENV_MODULES, job), "envmodules"),
    ):
        if there:
            yield (
                f"has `{name}:`, which is asked for by `--software-deployment-method`; leave it out there, "
                "and have in the image what the rule needs"
            )


def _about_resources(job: Any) -> Iterator[str]:
    limits = job.rule.workflow.global_resources
    for name, value in job.resources.items():
        if value == NOT_YET_KNOWN:
            continue
        words = wrong(name, value)
        if words and not (name in limits and not is_known(name)):  # Snakemake keeps to its limits itself
            yield f"asks for {words}"

    if job.resources.get("tmpdir", NOT_YET_KNOWN) != NOT_YET_KNOWN:
        yield f"asks for the resource `tmpdir`; leave it out: jobs have {TMPDIR} to themselves"


def _about_the_command(job: Any) -> Iterator[str]:
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


def _about_files(job: Any, remote: bool) -> Iterator[str]:
    if not job.output:
        yield "declares no output; declare one, by which its job is known: `touch()` makes one from nothing"

    for output in job.output:
        for flag in FLAGS:
            inner = remote and flag in INNER and job.group is not None
            if flag in getattr(output, "flags", {}) and not inner:
                yield f"{output} is marked {flag}; jobs can bring home plain files and folders alone"
        if _is_protected(output):
            yield f"{output} is there and write-protected; remove it, or leave `protected()` out"

    benchmark = [job.benchmark] if job.benchmark else []
    yield from filter(None, (why_not(str(file)) for file in (*job.output, *job.log, *benchmark)))
    yield from filter(None, (why_no_text(str(file)) for file in job.input))
    if not remote:
        yield from why_not_fetched(filter(is_url, map(name_of, job.input)))
    for file in filter(is_outside, map(str, job.input if remote else ())):
        yield f"needs {file}, which lies outside the project; name it by a link that lies inside"


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
