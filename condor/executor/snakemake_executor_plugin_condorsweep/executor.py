"""Connect to Snakemake: take its jobs, report their ends, and decide at a signal whether jobs stay."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.real import RealExecutor
from snakemake_interface_executor_plugins.settings import ExecMode, SharedFSUsage

from snakemake_executor_plugin_condorsweep import schedd
from snakemake_executor_plugin_condorsweep.batch import Batch, remove_leftovers
from snakemake_executor_plugin_condorsweep.carrying import is_outside
from snakemake_executor_plugin_condorsweep.follower import function
from snakemake_executor_plugin_condorsweep.following import Followed, follow
from snakemake_executor_plugin_condorsweep.gathering import Task
from snakemake_executor_plugin_condorsweep.loop import Loop, Plan, Reports
from snakemake_executor_plugin_condorsweep.refusals import (
    missing_inputs,
    needs_snakemake,
    why_refused,
    why_refused_now,
    why_workflow_refused,
)
from snakemake_executor_plugin_condorsweep.remote import (
    LIES_THERE,
    NO_SNAKEMAKE,
    as_jobs_see_it,
    command_of,
    jobs_of,
    sources_of,
)
from snakemake_executor_plugin_condorsweep.speech import jobs_that, outlive_the_listeners, say
from snakemake_executor_plugin_condorsweep.submit_file import Site
from snakemake_executor_plugin_condorsweep.tasks import task_of

#: What a job in flight must have in common with one that is asked for, to be waited for.
ATTACH = ("everything", "output")


class Executor(RealExecutor):  # type: ignore[misc]  # Snakemake's interfaces carry no types
    """Collect jobs, submit them as few clusters, and find them again after whatever happens."""

    def __post_init__(self) -> None:
        """Read the settings, and refuse what HTCondor cannot run."""
        outlive_the_listeners(self.logger)
        self._handed_over: set[Any] = set()
        self._loop: Loop | None = None
        self._plan = plan_of(self.workflow.executor_settings, self.workflow.envvars)
        settings = self.workflow.executor_settings
        self._remote, self._named = bool(settings.remote_jobs), shlex.split(settings.sources or "")
        storage = self.workflow.storage_settings
        self._shared = _is_shared(storage.shared_fs_usage) and not self._plan.accept
        # What jobs need is sent to them and comes home: this run retrieves and stores what a storage keeps.
        storage.shared_fs_usage = storage.shared_fs_usage | LIES_THERE
        self._refuse()

    # --- Snakemake calls these, in the main thread ------------------------------------------------------

    def run_jobs(self, jobs: Sequence[Any]) -> None:
        """Take jobs that are ready, and return at once."""
        loop = self._loop or self._begin()
        self._handed_over.update(jobs, *map(jobs_of, jobs))
        tasks = []

        for job in jobs:
            self.run_job_pre(job)
            reason = why_refused_now(job, self._remote) or _what_is_missing(job)
            task = None if reason else self._task_of(job)
            # Outputs that are written in their places are incomplete until their job has ended.
            in_place = task is not None and task.shape.in_place
            self.report_job_submission(SubmittedJobInfo(job), register_job=in_place)
            if task is None:
                self._end_badly(job, reason)
            else:
                tasks.append(task)

        loop.take(tasks, self._still_to_come())
        if loop.ident is None:
            loop.start()

    def run_job(self, job: Any) -> None:
        """Hand over one job."""
        self.run_jobs([job])

    def cancel(self) -> None:
        """Remove the jobs on a Ctrl-C.

        Any other reason is an error somewhere, which must not cost them.
        """
        if self._loop is None:
            return
        if isinstance(sys.exc_info()[1], KeyboardInterrupt):
            self._loop.cancel()
            return

        self._loop.stop()
        jobs = jobs_that(self._loop.waited_for(), "stays", "stay")
        say(f"{jobs} in the queue; the same command finds them again.")

    def shutdown(self) -> None:
        """Stop following; jobs that are in the queue stay."""
        if self._loop is not None:
            self._loop.stop()

    @property
    def cores(self) -> str:
        """Return what Snakemake writes for the number of cores of a job."""
        return "all"

    def get_exec_mode(self) -> ExecMode:
        """Return Snakemake's mode of jobs that run on other machines."""
        return ExecMode.REMOTE

    def get_python_executable(self) -> str:
        """Return the name of the Python with Snakemake, where jobs run."""
        return "python3"

    def get_snakefile(self) -> str:
        """Return the Snakefile's path in the project, and in a job."""
        return os.path.relpath(str(self.workflow.main_snakefile))

    def get_job_args(self, job: Any, **named: Any) -> str:
        """Return Snakemake's options for one job, which has no more cores than it has asked for."""
        return str(super().get_job_args(job, cores=job.threads, **named))

    def additional_general_args(self) -> str:
        """Return a further option: this run, and no job, removes what is temporary."""
        return "--notemp"

    # --- the loop calls these, in its thread ------------------------------------------------------------

    def _done(self, task: Task) -> None:
        self.report_job_success(SubmittedJobInfo(task.job))

    def _failed(self, task: Task, reason: str) -> None:
        self._end_badly(task.job, reason)

    def _end_badly(self, job: Any, reason: str) -> None:
        say(f"{', '.join(map(str, job.output))}: {reason}")
        with suppress(Exception):  # only the words of it; the scheduler must hear of it
            self.print_job_error(SubmittedJobInfo(job), reason)
        self.workflow.scheduler.error_callback(job)

    def _broken(self, words: str) -> None:
        self.workflow.scheduler.executor_error_callback(WorkflowError(words))

    def _something_else_runs(self) -> bool:
        """Return True if a job runs here that may make more of ours ready."""
        return any(job not in self._handed_over for job in list(self.workflow.scheduler.running))

    # --- inner parts ------------------------------------------------------------------------------------

    def _begin(self) -> Loop:
        """Take up what earlier runs have left, and follow it; done with the first jobs."""
        self._look_for_htcondor()
        folder = self._plan.root / self._plan.batches
        try:
            self._lock = follow(folder)  # held until the process ends
        except Followed as error:
            self._stop(str(error))
        except OSError as error:
            self._stop(f"{folder} cannot be locked ({error}). It must be writable.")

        reports = Reports(done=self._done, failed=self._failed, say=say, broken=self._broken)
        self._loop = Loop(self._plan, reports, self._something_else_runs, _left_behind(self._plan))
        self._detach_on_signals()
        return self._loop

    def _refuse(self) -> None:
        """Refuse, before anything runs, every rule of this workflow that HTCondor cannot run."""
        jobs = [job for job in self.workflow.dag.needrun_jobs() if not job.is_local]
        everywhere = why_workflow_refused(self.workflow) if jobs else []
        wholes = dict.fromkeys(self.workflow.dag.get_job_group(job) or job for job in jobs)
        refused = [why_refused(whole, self._remote) for whole in wholes]
        refused += self._why_sources_refused(jobs) if self._remote and not self._shared else []
        words = dict.fromkeys(filter(None, (*everywhere, *refused)))
        if words:
            self._stop("Not for HTCondor:\n" + "\n".join(words))
        if jobs:
            self._look_for_htcondor()

    def _why_sources_refused(self, jobs: Sequence[Any]) -> list[str]:
        """Say which files Snakemake has to read in jobs that cannot be sent to them."""
        remote = [job for job in jobs if needs_snakemake(job)]
        sources = sources_of(self.workflow, remote, self._named) if remote else ()
        lost = [file for file in self._named if not Path(file).exists()]
        words = "jobs need it and it lies outside the project; start there"
        outside = [f"{file}: {words}" for file in filter(is_outside, sources)]
        return outside + [f"{file}: there is none; correct `--condorsweep-sources`" for file in lost]

    def _task_of(self, job: Any) -> Task:
        task = task_of(job, self._shared)
        if not needs_snakemake(job):
            return task

        in_place = task.shape.in_place
        with as_jobs_see_it(self.workflow, in_place):
            line = self.format_job_exec(job)
        sources = () if in_place else sources_of(self.workflow, jobs_of(job), self._named)
        shape = replace(task.shape, lines=(f"retry_until = {NO_SNAKEMAKE}", *task.shape.lines))
        return replace(
            task,
            shape=shape,
            inputs=tuple(dict.fromkeys((*task.inputs, *sources))),
            command=command_of(line, shape.image),
        )

    def _look_for_htcondor(self) -> None:
        """Stop within seconds where jobs would only wait to be submitted.

        A schedd that has jobs of this project already is waited for, however long it is away.
        """
        with suppress(ValueError):
            if any(Batch.open_ones(self._plan.root, self._plan.batches)):
                return

        reason = schedd.why_unusable()
        if reason:
            self._stop(f"No jobs can go to HTCondor: {reason}.")

    def _stop(self, words: str) -> NoReturn:
        """End the run with an error, which Snakemake does not show where it is told to be quiet."""
        if "ALL" in {kind.name for kind in self.workflow.output_settings.quiet or ()}:
            say(words)
        raise WorkflowError(words)

    def _still_to_come(self) -> dict[str, int]:
        """Count, for each rule, the jobs that the workflow still has to run beside those that have come."""
        dag = self.workflow.dag
        left = (job for job in dag.needrun_jobs() if job not in self._handed_over and not dag.finished(job))
        return Counter(job.group or job.rule.name for job in left)

    def _detach_on_signals(self) -> None:
        """Install handlers of signals after which jobs stay.

        This waits for the first jobs: Snakemake installs its own handlers after it has made this executor.
        """
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, self._detach)

    def _detach(self, number: int, frame: FrameType | None) -> None:
        """End at once and leave the jobs alone.

        If this is a job itself that somebody removes, take them back as Ctrl-C does.

        The exit status is that of a program which the signal has ended: whoever chains commands must
        not go on as if the workflow were complete, and HTCondor must not take a controller that it
        evicts for one that has finished.
        """
        if schedd.removes_me():
            raise KeyboardInterrupt

        name = signal.Signals(number).name
        jobs = self._loop.waited_for() if self._loop else 0
        say(f"{name}: {jobs_that(jobs, 'stays', 'stay')} in the queue; the same command finds them again.")
        try:
            self.workflow.persistence.unlock()
        finally:
            os._exit(128 + number)


def plan_of(settings: Any, variables: Iterable[str] = ()) -> Plan:
    """Read the settings, and look up the files and functions that they name.

    Parameters
    ----------
    settings : Snakemake's, of this executor
    variables : names of variables of this machine that jobs get

    Raises
    ------
    WorkflowError
        naming the setting that leads nowhere
    """
    try:
        if settings.attach not in ATTACH:
            raise ValueError(
                f"attach: {settings.attach!r}. Allowed: {', '.join(ATTACH)}. Correct the profile."
            )
        macros, description = _text(settings.macros), _text(settings.description)
        site = Site(macros, description, settings.prologue or "", tuple(sorted(variables)))
        accept, give_up = function(settings.accept), function(settings.give_up)
        if site.prologue and not Path(site.prologue).is_file():
            raise ValueError(f"{site.prologue}: there is no such prologue. Correct the profile.")
    except ValueError as error:
        raise WorkflowError(str(error)) from error
    by_output = settings.attach == "output"
    return Plan(Path.cwd(), settings.batches.rstrip("/"), site, accept, give_up, by_output)


def _is_shared(usage: Collection[SharedFSUsage]) -> bool:
    """Return True if somebody says that execute points see the project; that all is shared is a default."""
    return SharedFSUsage.INPUT_OUTPUT in usage and usage != SharedFSUsage.all()


def _left_behind(plan: Plan) -> list[Batch]:
    """Return the batches of earlier runs that have not ended."""
    remove_leftovers(plan.root, plan.batches)
    try:
        return list(Batch.open_ones(plan.root, plan.batches))
    except ValueError as error:
        raise WorkflowError(str(error)) from error


def _what_is_missing(job: Any) -> str:
    missing = missing_inputs(job, jobs_of(job)[0].container_img_url)
    words = "not here, so it cannot be sent. Make it or correct the rule"
    return f"{', '.join(missing)}: {words}" if missing else ""


def _text(file: str) -> str:
    """Return the content of a file that a setting names."""
    if not file:
        return ""
    try:
        return Path(file).read_text()
    except OSError as error:
        raise ValueError(f"{file}: cannot be read ({error.strerror}). Correct the profile.") from error
