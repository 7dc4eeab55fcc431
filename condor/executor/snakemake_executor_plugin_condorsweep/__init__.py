"""Execute Snakemake's jobs on HTCondor: one submission for many jobs, found again after any crash.

docs/ says what it does and what it relies on.
"""

from dataclasses import dataclass, field

from snakemake_interface_executor_plugins.settings import CommonSettings, ExecutorSettingsBase

from snakemake_executor_plugin_condorsweep.executor import Executor

__all__ = ["Executor", "ExecutorSettings", "common_settings"]


def _setting(meaning: str, default: str = "") -> str:
    found: str = field(default=default, metadata={"help": meaning})
    return found


# Snakemake reads the types of the fields, so annotations stay evaluated in this module.
@dataclass
class ExecutorSettings(ExecutorSettingsBase):  # type: ignore[misc]  # Snakemake's interfaces carry no types
    """Define what a profile may say; each is `--condorsweep-NAME`."""

    batches: str = _setting("Folder, relative to the project, where batches lie.", "results/batches")
    description: str = _setting(
        "File with the static part of the submit file: retries, holds, environment, requirements."
    )
    macros: str = _setting("File with lines NAME = value that the description uses; put first.")
    prologue: str = _setting(
        "Shell file, relative to the project, sent along with each job and read before its command."
    )
    accept: str = _setting(
        "module:function(arrived, output) that checks an output and puts it in its place; it raises "
        "ValueError when the file is not sound. Without it, files are moved as they come."
    )
    attach: str = _setting(
        "What a job in flight must have in common with one that is asked for: `everything` (command, image, "
        "content of inputs), or `output` alone, where outputs of other work have other names.",
        "everything",
    )
    remote_jobs: bool = field(
        default=False,
        metadata={
            "help": "Say that images, or execute points, have Snakemake of this version: jobs of `script:`, "
            "`run:`, `wrapper:`, `notebook:`, groups and, if asked for, `conda:` are run by it there."
        },
    )
    sources: str = _setting(
        "Files and folders that such jobs need to read the Snakefile, with blanks between: tables, "
        "schemas, modules. Snakefiles, configuration files and scripts come along anyway."
    )
    give_up: str = _setting(
        "module:function(output, reason) called when no retry helps; it may put a record in the place of "
        "the output."
    )


# To Snakemake, the disk of the access point is shared: files are this plugin's business.
common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_default_storage_provider_args=True,
    pass_default_resources_args=True,  # of jobs that Snakemake runs
    pass_envvar_declarations_to_cmd=False,
    auto_deploy_default_storage_provider=False,
    can_transfer_local_files=True,
)
