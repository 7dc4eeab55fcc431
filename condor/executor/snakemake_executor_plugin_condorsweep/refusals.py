"""Jobs that cannot go to HTCondor as they are, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snakemake_executor_plugin_condorsweep.describe import why_not

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

#: Outputs that are no single file at the end of the job.
FLAGS = ("directory", "pipe", "service", "update", "storage_object")


def why_refused(job: Any) -> str:
    """Why a job cannot go to HTCondor; empty when it can.

    Parameters
    ----------
    job : Snakemake's
    """
    if job.is_group():
        return f"group {job.groupid}: {GROUPS}"

    words = "; ".join(_complaints(job))
    return f"rule {job.rule.name}: {words}. Or run it here: `localrules: {job.rule.name}`" if words else ""


def missing_inputs(job: Any, image: str) -> list[str]:
    """Files that would have to be sent and are not there."""
    files = [str(file) for file in job.input]
    image_file = [] if "://" in image else [image]
    return [file for file in (*files, *image_file) if not Path(file).exists()]


def _complaints(job: Any) -> Iterator[str]:
    kinds = [words for name, words in KINDS.items() if getattr(job, name)]
    if kinds:
        yield f"has {kinds[0]}; write one `shell:` line that runs a program of the image"
    if job.group is not None:
        yield f"has `group:`; {GROUPS}"
    if job.benchmark:
        yield "has `benchmark:`, which only Snakemake can write; the batch's journeys.jsonl has the times"
    if job.conda_env_spec:
        yield "has `conda:`; what it needs belongs into the image"
    if not job.container_img_url:
        yield "has no `container:`; name the image that it runs in"

    if len(job.output) != 1:
        yield f"declares {len(job.output)} outputs; declare one, for example a .tar.gz of them"
    if len(job.log) > 1:
        yield f"declares {len(job.log)} logs; declare one: it receives what the command prints"

    for output in job.output:
        odd = [flag for flag in FLAGS if flag in getattr(output, "flags", {})]
        if odd:
            yield f"{output} is marked {odd[0]}; declare one plain file"
    yield from filter(None, (why_not(str(file)) for file in (*job.output, *job.log, *job.input)))
