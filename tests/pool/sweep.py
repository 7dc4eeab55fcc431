"""A user's clone on the access point: the project in a home, its commands, and what HTCondor did."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import psutil
from jobs import wait_for

from anisweep.artifacts import reading
from clone import ROOT, TIMEOUT_S, Clone
from condor.pool import Pool
from condor.pool.image import BASE, IMAGES, kept, small_image

#: Packs in turn to one execute point and the other.
IN_TURN = 'TARGET.Machine == ((MY.ProcId ?: 0) % 2 == 0 ? "ep1" : "ep2")'

#: Packs wait in the queue until somebody edits them; `hold` does nothing with late materialization. Preflight
#: looks before there is a cluster.
WHEN_READY = "MY.ClusterId =?= undefined || MY.Ready =?= True"

#: Where all nodes see the folder for large data.
STORAGE = "/scratch/large"

#: Modes and a study for tests.
PLANTED = Path(__file__).parent / "planted"

#: What a user fills in; the values are the pool's.
SITE = f"""\
netid: zoe
email: ""
staging: {IMAGES}
image: {{small: true, base: {BASE}}}
submit: {{}}
"""


@dataclass(frozen=True)
class Sweep(Clone):
    """A clone whose commands run as the pool's ordinary user on the access point."""

    pool: Pool | None = None

    @classmethod
    def on(cls, pool: Pool, name: str, site: str = SITE) -> Sweep:
        """A fresh clone in the user's home."""
        made = cls.of_the_tree(pool.home / name)
        (made.root / "condor" / "site.yaml").write_text(site)
        pool.give(made.root)
        return cls(made.root, {}, pool)

    @classmethod
    def planted(cls, pool: Pool, name: str) -> Sweep:
        """A fresh clone with the study `everything`, whose three packs last for some seconds."""
        sweep = cls.on(pool, name)
        modes = [ROOT / "tests" / "faults" / "quick.py", *PLANTED.glob("modes/*.py")]
        copies = [shutil.copy(mode, sweep.root / "src" / "anisweep" / "modes") for mode in modes]
        copies.append(shutil.copy(PLANTED / "everything.yaml", sweep.root / "config" / "studies"))

        for copy in copies:
            pool.give(Path(copy))
        sweep.submits()
        return sweep

    @property
    def there(self) -> str:
        """The clone as its user sees it."""
        assert self.pool is not None
        return f"{self.pool.user.home}/{self.root.name}"

    def submits(self, **lines: str | int | bool) -> None:
        """More lines of site.yaml for every submit file."""
        file = self.root / "condor" / "site.yaml"
        wanted = json.dumps(lines)
        file.write_text(re.sub(r"^submit: .*$", lambda _: f"submit: {wanted}", file.read_text(), flags=re.M))

    def own_image(self) -> Path:
        """Let the clone have a staging folder of its own. Returns the image in it, as the machine sees it."""
        assert self.pool is not None
        shared = kept() / Path(small_image(self.pool)).name
        staging = kept() / f"{self.pool.name}-{self.root.name}"
        staging.mkdir()
        for file in (shared, shared.with_suffix(".json")):
            os.link(file, staging / file.name)

        self.edit("condor/site.yaml", f"staging: {IMAGES}", f"staging: {IMAGES}/{staging.name}")
        return staging / shared.name

    # --- commands ---------------------------------------------------------------------------------------

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command of the user's; its output is one stream."""
        assert self.pool is not None
        code = {"PYTHONPATH": f"{self.there}/src:{self.there}/condor/executor", "OMP_NUM_THREADS": "1"}
        quiet = {"PYTHONWARNINGS": "ignore::FutureWarning"}
        return subprocess.Popen(
            self.pool.as_user(*command, cwd=self.there, **code, **quiet, **environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def chtc(self, *arguments: str, study: str = "tiny", status: int = 0, **environment: str) -> str:
        """`snakemake --profile chtc` on a study."""
        config = ("--config", f"study={study}")
        return self.run("snakemake", "--profile", "chtc", *config, *arguments, status=status, **environment)

    def measure(self, *overrides: str, status: int = 0) -> str:
        """The packs of the study `everything`, without tables."""
        return self.run(*self.measuring(*overrides), status=status)

    @staticmethod
    def measuring(*overrides: str) -> tuple[str, ...]:
        """The command of `measure`, for those who start and disturb it themselves."""
        return "snakemake", "--profile", "chtc", "--config", "study=everything", *overrides, "--", "measure"

    # --- what HTCondor did ------------------------------------------------------------------------------

    def batches(self) -> list[Path]:
        return sorted(path.parent for path in self.root.glob("results/batches/[!.]*/batch.json"))

    def job_records(self) -> list[dict[str, object]]:
        """How packs ended, over all batches."""
        ledgers = [folder / "job_records.jsonl" for folder in self.batches()]
        texts = [ledger.read_text() for ledger in ledgers if ledger.exists()]
        return [json.loads(line) for text in texts for line in text.splitlines()]

    def ends(self) -> Counter[str]:
        return Counter(str(record["end"]) for record in self.job_records())

    def executions(self) -> Counter[str]:
        """How often the job of each pack was started, from the event logs alone."""
        return self._told(r"^001 \(\d+\.(\d+)\.")

    def successes(self) -> Counter[str]:
        """How many jobs of each pack have ended well, from the event logs alone.

        One that ends well twice counts once: a schedd that is killed after a job's last event, and before it
        has written that down for itself, runs the job again.
        """
        ended_well = r"^005 \(\d+\.(\d+)\..*\n\s+\(1\) Normal termination \(return value 0\)"
        return self._told(ended_well, once=True)

    def _told(self, event: str, once: bool = False) -> Counter[str]:
        """How often something happened to each pack, or to how many of its jobs it did."""
        counts: Counter[str] = Counter()

        for folder in self.batches():
            names = [entry["name"] for entry in json.loads((folder / "batch.json").read_text())["entries"]]
            log = folder / "events.log"
            text = log.read_text() if log.exists() else ""
            procs = re.findall(event, text, re.MULTILINE)
            for proc in set(procs) if once else procs:
                counts[names[int(proc)]] += 1
        return counts

    @property
    def jobs(self) -> str:
        """What HTCondor's commands take as the jobs of this clone."""
        return f'regexp("/{self.root.name}$", Iwd)'

    def queue(self) -> list[str]:
        """The jobs of this clone that are in the queue."""
        assert self.pool is not None
        said: list[str] = []

        def answers() -> bool:  # it may just be starting
            asked = self.pool.run("condor_q", "-constraint", self.jobs, "-af:j", "JobStatus")
            said[:] = asked.stdout.splitlines()
            return asked.returncode == 0

        wait_for(answers, "the schedd does not answer")
        return said

    def ready(self) -> None:
        """Let the packs start that wait for it."""
        assert self.pool is not None
        done = self.pool.run("condor_qedit", "-constraint", self.jobs, "Ready", "True")
        assert done.returncode == 0, done.stdout + done.stderr

    def check_complete(self, packs: int) -> None:
        """Each pack has succeeded exactly once, nothing of it is lost, and nothing is left in the queue."""
        artifacts = sorted(self.artifacts.glob("[!.]*.tar.gz"))
        names = [artifact.name.removesuffix(".tar.gz") for artifact in artifacts]

        assert len(names) == packs
        assert self.successes() == Counter(names)
        assert self.ends()["completed"] == packs
        assert self.queue() == []
        for artifact in artifacts:
            assert {row.status for row in reading.read(artifact).rows} == {"ok"}


#: What happens to a sweep, and what must be so then.
Scenario = Callable[[Sweep], None]


def descriptors(run: Clone) -> dict[str, np.ndarray]:
    """What each cell of a run computed, by what it is about."""
    found = {}
    for artifact in sorted(run.artifacts.glob("[!.]*.tar.gz")):
        for cell in reading.read(artifact).pack.cells:
            member = reading.read_member(artifact, f"descriptors/{cell.key}.npy")
            found[cell.point] = np.load(BytesIO(member))
    return found


def program(started: subprocess.Popen[str]) -> psutil.Process:
    """The user's own process, behind those that enter the node."""
    (inner,) = psutil.Process(started.pid).children()
    return inner


def wait_while(started: subprocess.Popen[str], condition: Callable[[], bool], what: str) -> None:
    """Until something is so, while a command runs; if that ends before, the test fails with what it said."""

    def so() -> bool:
        over = started.poll() is not None
        found = condition()
        assert found or not over, f"{what}\n{ended(started)}"
        return found

    wait_for(so, what)


def said_until(started: subprocess.Popen[str], words: str) -> str:
    """What a command says up to a line with some words (a pattern), or up to its end."""
    assert started.stdout is not None
    lines = []

    for line in started.stdout:
        lines.append(line)
        if re.search(words, line):
            break
    return "".join(lines)


def ended(started: subprocess.Popen[str]) -> str:
    """Wait for the end of a command. Returns what it said."""
    said, _ = started.communicate(timeout=TIMEOUT_S)
    return said


__all__ = [
    "IN_TURN",
    "ROOT",
    "SITE",
    "STORAGE",
    "WHEN_READY",
    "Scenario",
    "Sweep",
    "descriptors",
    "ended",
    "program",
    "said_until",
    "wait_while",
]
