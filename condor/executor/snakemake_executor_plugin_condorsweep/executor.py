"""Snakemake's side: jobs come in, ends go out; signals decide whether jobs stay."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.real import RealExecutor
from snakemake_interface_executor_plugins.settings import ExecMode

from snakemake_executor_plugin_condorsweep import schedd
from snakemake_executor_plugin_condorsweep.batch import Batch, remove_leftovers
from snakemake_executor_plugin_condorsweep.describe import Shape, Site
from snakemake_executor_plugin_condorsweep.gathering import Task
from snakemake_executor_plugin_condorsweep.loop import Loop, Plan, Reports
from snakemake_executor_plugin_condorsweep.refusals import missing_inputs, why_refused
from snakemake_executor_plugin_condorsweep.settle import function


class Executor(RealExecutor):  # type: ignore[misc]  # Snakemake's interfaces carry no types
    """Gathers jobs, submits them as few clusters, and finds them again after whatever happens."""

    def __post_init__(self) -> None:
        self._handed_over: set[Any] = set()
        self._detaches = False
        self._refuse()

        reports = Reports(done=self._done, failed=self._failed, say=say)
        plan = plan_of(self.workflow.executor_settings)
        self._loop = Loop(plan, reports, self._something_else_runs, _left_behind(plan))

    # --- Snakemake calls these, in the main thread ------------------------------------------------------

    def run_jobs(self, jobs: Sequence[Any]) -> None:
        """Take jobs that are ready. Returns at once."""
        self._detach_on_signals()
        self._handed_over.update(jobs)
        tasks = []

        for job in jobs:
            self.run_job_pre(job)
            self.report_job_submission(SubmittedJobInfo(job), register_job=False)
            reason = why_refused(job) or _what_is_missing(job)
            if reason:
                self.report_job_error(SubmittedJobInfo(job), msg=reason)
            else:
                tasks.append(task_of(job))

        self._loop.take(tasks, self._still_to_come())
        if not self._loop.is_alive():
            self._loop.start()

    def run_job(self, job: Any) -> None:
        self.run_jobs([job])

    def cancel(self) -> None:
        """A Ctrl-C removes the jobs. Any other reason is an error somewhere, which must not cost them."""
        if isinstance(sys.exc_info()[1], KeyboardInterrupt):
            self._loop.cancel()
            return

        self._loop.stop()
        say(f"{self._loop.waited_for()} jobs stay in the queue; the same command finds them again.")

    def shutdown(self) -> None:
        self._loop.stop()

    @property
    def cores(self) -> str:
        return "all"

    def get_exec_mode(self) -> ExecMode:
        return ExecMode.REMOTE

    def get_python_executable(self) -> str:
        return "python3"  # asked for by the interface, used by nobody: no Snakemake runs in a job

    # --- the loop calls these, in its thread ------------------------------------------------------------

    def _done(self, task: Task) -> None:
        self.report_job_success(SubmittedJobInfo(task.job))

    def _failed(self, task: Task, reason: str) -> None:
        say(f"{task.output}: {reason}")
        self.report_job_error(SubmittedJobInfo(task.job), msg=reason)

    def _something_else_runs(self) -> bool:
        """Whether a job runs here that may make more of ours ready."""
        return any(job not in self._handed_over for job in list(self.workflow.scheduler.running))

    # --- inner parts ------------------------------------------------------------------------------------

    def _refuse(self) -> None:
        """Before anything runs: every rule of this workflow that HTCondor cannot run."""
        jobs = [job for job in self.workflow.dag.needrun_jobs() if not job.is_local]
        words = dict.fromkeys(filter(None, map(why_refused, jobs)))
        if words:
            raise WorkflowError("Not for HTCondor:\n" + "\n".join(words))

    def _still_to_come(self) -> dict[str, int]:
        """How many jobs of each rule the workflow still has to run beside those that have come."""
        dag = self.workflow.dag
        left = (job for job in dag.needrun_jobs() if job not in self._handed_over and not dag.finished(job))
        return Counter(job.rule.name for job in left)

    def _detach_on_signals(self) -> None:
        """With the first jobs: Snakemake installs its own handlers after it has made this executor."""
        if self._detaches:
            return
        self._detaches = True
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, self._detach)

    def _detach(self, number: int, frame: FrameType | None) -> None:
        """End at once and leave the jobs alone; but if this is a job itself that somebody removes, take
        them back as Ctrl-C does.

        The exit status is that of a program which the signal has ended: whoever chains commands must
        not go on as if the workflow were complete, and HTCondor must not take a controller that it
        evicts for one that has finished.
        """
        if schedd.removes_me():
            raise KeyboardInterrupt

        name = signal.Signals(number).name
        say(f"{name}: {self._loop.waited_for()} jobs stay in the queue; the same command finds them again.")
        self.workflow.persistence.unlock()
        os._exit(128 + number)


def plan_of(settings: Any) -> Plan:
    """The settings, read and looked up.

    Raises
    ------
    WorkflowError
        naming the setting that leads nowhere
    """
    try:
        site = Site(_text(settings.macros), _text(settings.description), settings.prologue or "")
        accept, give_up = function(settings.accept), function(settings.give_up)
        if site.prologue and not Path(site.prologue).is_file():
            raise ValueError(f"{site.prologue}: there is no such prologue. Correct the profile.")
    except ValueError as error:
        raise WorkflowError(str(error)) from error
    return Plan(Path.cwd(), settings.batches.rstrip("/"), site, accept, give_up)


def task_of(job: Any) -> Task:
    """What the loop needs of a job of Snakemake."""
    wanted = job.resources
    shape = Shape(
        rule=job.rule.name,
        image=str(job.container_img_url),
        cpus=job.threads,
        memory_mb=_number(wanted.get("mem_mb")),
        disk_mb=_number(wanted.get("disk_mb")),
        runtime_min=_number(wanted.get("runtime")),
        gpus=_number(wanted.get("gpus")),
    )
    return Task(
        job=job,
        shape=shape,
        output=str(job.output[0]),
        inputs=tuple(dict.fromkeys(str(file) for file in job.input)),
        command=job.shellcmd,
        log=str(job.log[0]) if job.log else "",
    )


def _left_behind(plan: Plan) -> list[Batch]:
    """The batches of earlier runs that have not ended."""
    remove_leftovers(plan.root, plan.batches)
    try:
        return list(Batch.open_ones(plan.root, plan.batches))
    except ValueError as error:
        raise WorkflowError(str(error)) from error


def say(words: str) -> None:
    """A line for the user, also where Snakemake is told to be quiet."""
    print(words, file=sys.stderr, flush=True)


def _what_is_missing(job: Any) -> str:
    missing = missing_inputs(job, str(job.container_img_url))
    return (
        f"{', '.join(missing)}: not here, so it cannot be sent. Make it or correct the rule"
        if missing
        else ""
    )


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _text(file: str) -> str:
    """The content of a file that a setting names."""
    if not file:
        return ""
    try:
        return Path(file).read_text()
    except OSError as error:
        raise ValueError(f"{file}: cannot be read ({error.strerror}). Correct the profile.") from error
