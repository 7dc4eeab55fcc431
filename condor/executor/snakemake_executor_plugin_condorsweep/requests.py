"""Turn the resources of a rule into what HTCondor is asked for, and say which of them cannot be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Any

#: Whole numbers that become parts of the shape of jobs, by Snakemake's names.
NUMBERS = ("mem_mb", "disk_mb", "runtime", "gpus", "gpu")

#: What Snakemake derives from others or keeps for itself.
SNAKEMAKES = {"mem", "mem_mib", "disk", "disk_mib", "tmpdir", "_cores", "_nodes"}

#: Commands of HTCondor by their own names: amounts or expressions, and names.
EXPRESSIONS = {
    *("allowed_execute_duration", "allowed_job_duration", "cuda_version", "gpus_maximum_capability"),
    *("gpus_minimum_capability", "gpus_minimum_memory", "gpus_minimum_runtime", "max_retries", "priority"),
    *("rank", "require_gpus", "requirements", "retry_until"),
    *("retry_request_disk", "retry_request_disk_increase", "retry_request_disk_max"),
    *("retry_request_memory", "retry_request_memory_increase", "retry_request_memory_max"),
}
NAMES = {"accounting_group", "accounting_group_user", "concurrency_limits"}
REQUEST, ATTRIBUTE, ANY = "request_", "classad_", "htcondor_submit_"

REQUESTS = ("request_memory", "request_disk", "request_gpus")

#: An amount with its unit, and a list of names.
AMOUNT = re.compile(r"\d+(\.\d+)?\s*[KMGT]?B?", re.IGNORECASE)
LIST_OF_NAMES = re.compile(r"[\w.@:+-]+(\s*,\s*[\w.@:+-]+)*")

#: What this executor writes itself, and another line would break.
OWN = {
    *("arguments", "batch_name", "container_image", "error", "executable", "getenv", "hold", "initialdir"),
    *("input", "log", "max_idle", "max_materialize", "output", "preserve_relative_paths", "queue"),
    *("should_transfer_files", "transfer_executable", "transfer_input_files", "transfer_output_files"),
    *("transfer_output_remaps", "universe", "when_to_transfer_output", "success_exit_code"),
}

#: Names under which people ask for something that has another name here.
MEANT = {
    **dict.fromkeys(("ngpus", "nvidia_gpu", "gpus_per_task"), "`gpus`"),
    **dict.fromkeys(("cpus", "cpus_per_task", "request_cpus"), "`threads:`"),
    **dict.fromkeys(("time", "time_min", "walltime"), "`runtime`"),
    **dict.fromkeys(("universe", "container_image"), "`container:`"),
    "environment": "`htcondor_submit_environment`",
    "getenv": "`envvars:`",
    **dict.fromkeys(("input", "htcondor_transfer_input_files"), "`input:`"),
    "htcondor_request_mem_mb": "`mem_mb`",
    "htcondor_request_disk_mb": "`disk_mb`",
    "slurm_partition": "`requirements`",
    "job_wrapper": "a prologue, which `--condorsweep-prologue` names",
    "slurm_account": "`accounting_group`",
}
LIMIT = "or count it in this run by `--resources {name}=N`"


def lines_of(resources: Mapping[str, Any], retried: bool) -> tuple[str, ...]:
    """Return the lines of the submit file by which jobs ask for more than their shape says.

    Parameters
    ----------
    resources : of a job, all of them sound
    retried : whether Snakemake itself runs a failed job again; HTCondor does not multiply that then
    """
    lines = {"max_retries": "0"} if retried else {}
    for name, value in resources.items():
        if value is not None and _is_line(name):
            lines.update(_line(name, value))
    return tuple(f"{command} = {value}" for command, value in sorted(lines.items()))


def wrong(name: str, value: Any) -> str:
    """Say what is wrong with a resource; empty when it can be passed on, and is no limit of this run."""
    if name in SNAKEMAKES or value is None:
        return ""
    if name in NUMBERS:
        return "" if _is_number(value) else f"{name}={value!r}; write a whole number, not below 0"
    if not _is_line(name) or _is_misspelt(name):
        return f"the resource `{name}`, which nobody here knows; {_remedy(name)}"
    if re.search(r"[\n\r]|\\$", str(value)):
        return f"{name}={value!r}; write one line"

    command, text = name.removeprefix(ANY).lower(), str(value).strip()
    if name.startswith(ANY) and (command in OWN or not command):
        return f"`{name}`, a line that the executor writes itself; leave it out"
    if name in NAMES and not LIST_OF_NAMES.fullmatch(text):
        return f"{name}={value!r}; write a name, or several with commas between them"
    if name in EXPRESSIONS or name.startswith(REQUEST):
        readable = AMOUNT.fullmatch(text) or _is_expression(text)
        return (
            ""
            if readable
            else f"{name}={value!r}, which HTCondor cannot read; write an amount or an expression"
        )
    return ""


def is_known(name: str) -> bool:
    """Return True if a resource is asked of HTCondor, and no name for a limit of this run."""
    return name in NUMBERS or name in MEANT or _is_line(name)


def _is_line(name: str) -> bool:
    if name in MEANT:
        return False
    return name in EXPRESSIONS | NAMES or name.startswith((REQUEST, ATTRIBUTE, ANY))


def _is_misspelt(name: str) -> bool:
    """Return True if a job would wait for ever for a kind of machine that only a slip asks for."""
    return name not in REQUESTS and bool(get_close_matches(name, REQUESTS, n=1, cutoff=0.85))


def _line(name: str, value: Any) -> dict[str, str]:
    """Return the command of the submit file that a resource becomes, with its value."""
    if name.startswith(ATTRIBUTE):
        return {f"My.{name.removeprefix(ATTRIBUTE)}": _literal(value)}
    if name == "requirements":
        return {name: f"($(requirements:true)) && ({value})"}
    return {name.removeprefix(ANY): str(value).strip()}


def _literal(value: Any) -> str:
    """Return a value as HTCondor's attributes have it; no letter of a text has a meaning."""
    if isinstance(value, bool | int | float):
        return str(value).lower()
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$(DOLLAR)")
    return f'"{escaped}"'


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_expression(text: str) -> bool:
    """Return True if HTCondor can read an expression, or there is no HTCondor to ask."""
    with suppress(ImportError):
        import classad2

        try:
            classad2.ExprTree(re.sub(r"\$\([^()]*\)", "true", text))
        except (classad2.ClassAdException, ValueError, SyntaxError):
            return False
    return True


def _remedy(name: str) -> str:
    if name in MEANT:
        return f"write {MEANT[name]}"

    known = (*NUMBERS, *SNAKEMAKES, *EXPRESSIONS, *NAMES, *REQUESTS)
    near = get_close_matches(name, known, n=1)
    meant = (
        f"write `{near[0]}` if that is meant, " if near else f"write `{ANY}{name}` for a line of HTCondor's, "
    )
    return meant + LIMIT.format(name=name)
