"""Run the controller as a job: Snakemake in the local universe, so that its user can log out."""

from __future__ import annotations

import os
import re
import shlex
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from anisweep.cluster.schedd_errors import QueuedController, controllers_in_queue, troubles_in_words
from anisweep.config.project import Project
from anisweep.config.site import PLAIN_PATH, Site, path_in_the_way
from anisweep.errors import UserError
from anisweep.files import write_text
from anisweep.plan.run_lock import another_runs, holder
from snakemake_executor_plugin_condorsweep import schedd
from snakemake_executor_plugin_condorsweep.events import EventLog, Job

#: What Snakemake and the image's address need of the user's environment; local jobs have none of it.
INHERITED = ("HOME", "USER", "LOGNAME", "LANG", "STAGING", "ANISWEEP_IMAGES", "XDG_CACHE_HOME", "PYTHONPATH")

#: Below results: the files of each controller's job.
FOLDER = "controllers"

SCRIPT = """\
#!/bin/sh
# The controller of {study}; written by `anisweep submit --controller`.

# It says everything here, also after a restart; HTCondor itself would begin the file anew.
exec >> {said} 2>&1

{exports}
cd {root}
exec {snakemake} --profile chtc --config {config}
"""

SUBMIT = """\
# The controller of {study}; `condor_submit` of this file does what `anisweep submit --controller` did.
universe = local
executable = {stem}.sh
initialdir = {root}
log = {stem}.log
batch_name = anisweep controller of {study}
My.SweepController = True

# Held, it detaches: its packs go on, and after condor_release it takes them up again. Removed, it takes its
# packs out of the queue, as Ctrl-C does. The signal is the same; the executor asks the queue which it is.
kill_sig = SIGTERM
remove_kill_sig = SIGTERM

# Killed, as by a restart of the access point, it starts again; only its own exit ends it.
on_exit_remove = ExitBySignal =?= False

notification = {notification}
{address}queue
"""


@dataclass(frozen=True)
class ControllerJob:
    """Hold the texts of a controller's job; ``stem`` is the path of its files without their endings."""

    stem: Path
    script: str
    description: str

    def submit(self) -> int:
        """Write the files, submit them, and return the number of the cluster."""
        write_text(Path(f"{self.stem}.sh"), self.script)
        write_text(Path(f"{self.stem}.sub"), self.description)
        Path(f"{self.stem}.sh").chmod(0o755)
        with troubles_in_words():
            return schedd.submit(self.description)

    @property
    def said(self) -> Path:
        """Return the file that the job writes its output to."""
        return Path(f"{self.stem}.out")


@dataclass(frozen=True)
class Known:
    """Describe a controller's job as its own files tell it.

    Attributes
    ----------
    study : what it was submitted for
    said : where it writes what it says, relative to the project
    """

    study: str
    said: str
    job: Job

    @property
    def state(self) -> str:
        """Return its state in words."""
        if self.job.state == "held":
            return self.job.holds[-1].words
        if self.job.state != "terminated":
            return self.job.state

        if self.job.exit_code is None:
            return f"ended by signal {self.job.signal}"
        return "ended well" if self.job.exit_code == 0 else f"ended with status {self.job.exit_code}"

    @property
    def line(self) -> str:
        """Return the line that `anisweep status` shows of it."""
        return f"Controller of {self.study}, job {self.job.cluster}: {self.state}; see {self.said}"


def known_controllers(project: Project) -> list[Known]:
    """Return every controller that was submitted from here, the oldest first."""
    found = []

    for file in sorted((project.results / FOLDER).glob("*.log")):
        log = EventLog(file)
        log.read()
        said = os.path.relpath(file.with_suffix(".out"), project.root)
        found += [Known(_study_of(file.with_suffix(".sub")), said, job) for job in log.jobs.values()]
    return found


def _study_of(description: Path) -> str:
    """Return the study that the submit file of a controller names; the file may be lost."""
    text = description.read_text(errors="replace") if description.exists() else ""
    named = re.search(r"^batch_name = anisweep controller of (.*)$", text, re.MULTILINE)
    return named[1] if named else "a lost study"


def refuse_a_second(project: Project) -> None:
    """Refuse a second controller, which would wait for a lock that the first holds for days.

    Raises
    ------
    UserError
        naming the first one's job and host, and what to do
    """
    known = {each.job.cluster: each for each in known_controllers(project)}
    with troubles_in_words():
        queued = controllers_in_queue()
    mine = [each for each in queued if each.cluster in known or each.runs_in(project.root)]

    if mine:
        raise UserError(_is_there(mine[0], known.get(mine[0].cluster)))

    other = holder(project)
    if other is not None:
        raise UserError(another_runs(other))


def _is_there(first: QueuedController, known: Known | None) -> str:
    """Return the words for a second controller: which one is there, and what to do."""
    study = known.study if known else "a lost study"
    wake = f", wake it with `condor_release {first.cluster}`" if first.state == "held" else ""
    # Only one that runs can take its packs back.
    its_packs = "it and its packs" if first.state == "running" else "it"
    then = "" if first.state == "running" else ", and its packs with `anisweep cancel --all`"
    return (
        f"A controller of {study} is there already: job {first.cluster} on {socket.gethostname()}, "
        f"{first.state}. `anisweep status` says how far it is.\n"
        f"Allowed: one at a time. Wait for its end{wake}, or take {its_packs} back with "
        f"`condor_rm {first.cluster}`{then}. Then submit again."
    )


def controller_job(project: Project, study: str, overrides: Sequence[str]) -> ControllerJob:
    """Return the job that runs Snakemake for a study.

    Parameters
    ----------
    study : what the job is called
    overrides : ``KEY=VALUE`` as ``snakemake --config`` takes them

    Raises
    ------
    UserError
        when a submit file cannot carry the path of the clone
    """
    wrong = path_in_the_way(project.root)
    if wrong:
        raise UserError(f'{wrong}\nAllowed: printable letters but $, " and \\. {PLAIN_PATH}')
    site = Site.read(project)
    stem = project.results / FOLDER / f"{datetime.now(UTC):%Y%m%d-%H%M%SZ}"
    here = {name: os.environ[name] for name in INHERITED if name in os.environ}
    variables = {
        **here,
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    }

    script = SCRIPT.format(
        study=study,
        said=shlex.quote(f"{stem}.out"),
        exports="\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
        root=shlex.quote(str(project.root)),
        snakemake=shlex.quote(str(Path(sys.executable).parent / "snakemake")),
        config=shlex.join(overrides),
    )
    description = SUBMIT.format(
        study=study,
        stem=stem,
        root=project.root,
        notification="Complete" if site.email else "Never",
        address=f"notify_user = {site.email}\n" if site.email else "",
    )

    return ControllerJob(stem, script, description)
