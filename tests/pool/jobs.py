"""Jobs as a user submits them: a folder in the home, a submit file, a log."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from condor.pool import Pool, SystemPool

#: A safety net and never a measure.
PATIENCE_S = 600

#: Sweeps that one process tries side by side. More than four, over all processes, on two cores only wait for
#: each other.
AT_ONCE = max(1, 4 // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


@dataclass(frozen=True)
class Job:
    """A job that has been submitted."""

    pool: Pool | SystemPool
    folder: Path
    cwd: str
    cluster: str

    def wait(self) -> None:
        """Until it has left the queue."""
        done = self.pool.run("condor_wait", "-wait", str(PATIENCE_S), "log", cwd=self.cwd)
        assert done.returncode == 0, self.story()

    def ask(self, attribute: str) -> str:
        """An attribute of the job in the queue; empty when it is not there."""
        return self.pool.run("condor_q", self.cluster, "-af", attribute).stdout.strip()

    def remove(self) -> None:
        self.pool.run("condor_rm", self.cluster)
        self.wait()

    def story(self) -> str:
        """All that is known of it."""
        files = [path for path in sorted(self.folder.iterdir()) if path.name in ("log", "out", "err")]
        return "\n".join(f"--- {path.name}\n{path.read_text()}" for path in files)


def submit(pool: Pool | SystemPool, folder: Path, description: str) -> Job:
    """Submit the job that ``description`` describes from a folder in the user's home."""
    common = "log = log\noutput = out\nerror = err\nshould_transfer_files = YES\n"
    resources = "request_cpus = 1\nrequest_memory = 256MB\nrequest_disk = 100MB\n"
    folder.mkdir(exist_ok=True)
    (folder / "job.sub").write_text(f"{common}{resources}{description}\nqueue\n")
    cwd = pool.give(folder)

    said = pool.run("condor_submit", "job.sub", cwd=cwd)
    assert said.returncode == 0, said.stderr
    found = re.search(r"cluster (\d+)", said.stdout)
    assert found, said.stdout
    return Job(pool, folder, cwd, found[1])


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Until something is so."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.2)
