"""The controller as a job of its own: Snakemake in the local universe, while its user logs out."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from anisweep.cluster.queue import troubles_in_words
from anisweep.config import Project
from anisweep.site import Site
from anisweep.store import write_text
from snakemake_executor_plugin_condorsweep import schedd

#: What Snakemake and the image's address need of the user's environment; local jobs have none of it.
INHERITED = ("HOME", "USER", "LOGNAME", "LANG", "STAGING", "ANISWEEP_IMAGES", "XDG_CACHE_HOME", "PYTHONPATH")

SCRIPT = """\
#!/bin/sh
# The controller of {study}; written by `anisweep submit --controller`.
{exports}
cd {root}
exec {snakemake} --profile chtc --config {config}
"""

SUBMIT = """\
# The controller of {study}; `condor_submit` of this file does what `anisweep submit --controller` did.
universe = local
executable = {stem}.sh
initialdir = {root}
output = {stem}.out
error = {stem}.out
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
    """The texts of a controller's job; ``stem`` is the path of its files without their endings."""

    stem: Path
    script: str
    description: str

    def submit(self) -> int:
        """Write the files and submit them. Returns the number of the cluster."""
        write_text(Path(f"{self.stem}.sh"), self.script)
        write_text(Path(f"{self.stem}.sub"), self.description)
        Path(f"{self.stem}.sh").chmod(0o755)
        with troubles_in_words():
            return schedd.submit(self.description)

    @property
    def said(self) -> Path:
        """Where it writes what it says."""
        return Path(f"{self.stem}.out")


def controller_job(project: Project, study: str, overrides: Sequence[str]) -> ControllerJob:
    """The job that runs Snakemake for a study.

    Parameters
    ----------
    study : what the job is called
    overrides : ``KEY=VALUE`` as ``snakemake --config`` takes them
    """
    site = Site.read(project)
    stem = project.results / "controllers" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    here = {name: os.environ[name] for name in INHERITED if name in os.environ}
    variables = {
        **here,
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    }

    script = SCRIPT.format(
        study=study,
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
