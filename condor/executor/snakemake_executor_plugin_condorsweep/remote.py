"""Have jobs run by Snakemake itself, where what they run in has Snakemake of the same version."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snakemake_interface_executor_plugins.settings import DeploymentMethod, SharedFSUsage

from snakemake_executor_plugin_condorsweep.refusals import INNER, SNAKEMAKE

#: The exit status of a job that finds no Snakemake of this version; another attempt would not find it either.
NO_SNAKEMAKE = 78

#: Looks for Snakemake before anything else is done.
CHECK = """\
: "${{HOME:=$PWD}}"; export HOME PATH
found=$(python3 -c 'import snakemake; print(snakemake.__version__)' 2> /dev/null) || found=none
if [ "$found" != {version} ]; then
    printf '%s\\n' {words} "Found: $found." >&2
    exit {status}
fi
"""

#: To a job that works in a folder of its own this is as if it were shared: it lies there when the job starts.
LIES_THERE = frozenset({SharedFSUsage.INPUT_OUTPUT, SharedFSUsage.STORAGE_LOCAL_COPIES})


def jobs_of(job: Any) -> list[Any]:
    """Return the jobs of a group in an order that is the same in each run, or the one job."""
    if not job.is_group():
        return [job]
    return sorted(job.jobs, key=lambda each: (each.rule.name, sorted(map(str, each.output))))


def made_by(job: Any) -> list[Any]:
    """Return the outputs that a job, or a group, brings home."""
    jobs = jobs_of(job)
    return [
        file for each in jobs for file in each.output if not (job.is_group() and _stays(each, file, jobs))
    ]


def _stays(job: Any, file: Any, group: Sequence[Any]) -> bool:
    """Return True if an output is of no use outside the group."""
    if any(flag in file.flags for flag in INNER):
        return True
    users: list[Any] = [user for user, files in job.dag.depending[job].items() if file in files]
    inside = bool(users) and all(user in group for user in users)
    return "temp" in file.flags and inside and file not in job.dag.targetfiles


@contextmanager
def as_jobs_see_it(workflow: Any, in_place: bool) -> Iterator[None]:
    """Let Snakemake write a command for a job that sees nothing but its own folder.

    HTCondor starts the image, so Snakemake is not to start one in it.
    """
    storage, deployment = workflow.storage_settings, workflow.deployment_settings
    before = storage.shared_fs_usage, deployment.deployment_method
    storage.shared_fs_usage = before[0] if in_place else LIES_THERE
    deployment.deployment_method = set(before[1]) - {DeploymentMethod.APPTAINER}
    try:
        yield
    finally:
        storage.shared_fs_usage, deployment.deployment_method = before


def command_of(line: str, image: str | None) -> str:
    """Return the command of a job that Snakemake runs.

    Parameters
    ----------
    line : a command line of Snakemake
    image : what the job runs in; None for the execute point itself
    """
    words = (
        f"Snakemake has to run this job: {image or 'the execute point'} must have Snakemake {SNAKEMAKE}, "
        "as the machine has that submits it, under the name python3."
    )
    check = CHECK.format(version=SNAKEMAKE, words=shlex.quote(words), status=NO_SNAKEMAKE)
    return check + _in_order(line)


def _in_order(line: str) -> str:
    """Return a command line that is the same in each run: the values of options come from sets.

    What Snakemake would remove early is removed by the run that submits.
    """
    options: list[list[str]] = [[]]
    for word in shlex.split(line):
        if word.startswith("--"):
            options.append([])
        options[-1].append(word)

    words = options[0]
    for name, *values in options[1:]:
        if name != "--unneeded-temp-files":
            words += [name, *(values if name == "--configfiles" else sorted(values))]
    return shlex.join(words)


def sources_of(workflow: Any, jobs: Sequence[Any], named: Sequence[str]) -> tuple[str, ...]:
    """Return the files that Snakemake has to read in a job, relative to the project.

    Parameters
    ----------
    jobs : one, or those of a group
    named : what the user says beside
    """
    files = {os.path.relpath(file) for file in workflow.configfiles}
    files |= set(filter(None, map(_local, workflow.included)))
    for job in jobs:
        files |= set(_of_rule(job))
    return tuple(sorted({*files, *named}))


def _local(source: Any) -> str:
    """Return the path of a source; empty for one that the job gets from the network."""
    path = _path_of(str(source.get_path_or_uri(secret_free=True)))
    remote = "://" in path or path.startswith("git+")
    return "" if remote else os.path.relpath(path)


def _path_of(source: str) -> str:
    """Return the path that a `file:` names; anything else stays as it is."""
    return source.removeprefix("file://").removeprefix("file:")


def _of_rule(job: Any) -> Iterator[str]:
    """Yield script, notebook, wrapper and environment of a rule that are files here.

    What lies beside a script with the same ending comes along, because the script may import it.
    """
    rule = job.rule
    for script in filter(None, (rule.script, rule.notebook)):
        path = Path(
            _local(rule.basedir.join(script)) if not os.path.isabs(script) else os.path.relpath(script)
        )
        yield from (str(file) for file in path.parent.glob(f"*{path.suffix}") if file.is_file())

    wrapper = f"{rule.workflow.workflow_settings.wrapper_prefix or ''}{rule.wrapper or ''}"
    if wrapper.startswith("file:"):
        yield os.path.relpath(_path_of(wrapper))

    environment = job.conda_env_spec
    if environment and environment.is_file and not rule.wrapper:
        yield from filter(None, [_local(environment.file)])
