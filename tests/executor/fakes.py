"""A queue without HTCondor: what is submitted lies in memory, and tells its story in real event logs."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlretrieve

from snakemake_executor_plugin_condorsweep import schedd
from snakemake_executor_plugin_condorsweep.submit_file import Shape

SHAPE = Shape(rule="make", image="image.sif")

WHEN = "2026-11-21 10:00:"

TEXTS = {
    "cluster": "035 ({c:03}.-01.000) {when} Cluster submitted from host: <127.0.0.1:9618>\n",
    "submitted": "000 ({c:03}.{p:03}.000) {when} Job submitted from host: <127.0.0.1:9618>\n",
    "executing": (
        "001 ({c:03}.{p:03}.000) {when} Job executing on host: <127.0.0.1:9620?alias=ep1>\n"
        "\tSlotName: slot1_1@ep1\n"
    ),
    "evicted": (
        "004 ({c:03}.{p:03}.000) {when} Job was evicted.\n\t(0) Job terminated and was requeued\n"
        "\t\tUsr 0 00:00:00, Sys 0 00:00:00  -  Run Remote Usage\n"
        "\t\tUsr 0 00:00:00, Sys 0 00:00:00  -  Run Local Usage\n"
        "\t10  -  Run Bytes Sent By Job\n\t20  -  Run Bytes Received By Job\n"
        "\t(1) Normal termination (return value {value})\n\tOnExitRemove is false\n"
    ),
    "terminated": (
        "005 ({c:03}.{p:03}.000) {when} Job terminated.\n\t(1) Normal termination (return value {value})\n"
        "\t\tUsr 0 00:00:00, Sys 0 00:00:00  -  Run Remote Usage\n"
        "\t\tUsr 0 00:00:00, Sys 0 00:00:00  -  Run Local Usage\n"
        "\t\tUsr 0 00:00:00, Sys 0 00:00:00  -  Total Remote Usage\n"
        "\t\tUsr 0 00:00:00, Sys 0 00:00:00  -  Total Local Usage\n"
        "\t1000  -  Run Bytes Sent By Job\n\t2000  -  Run Bytes Received By Job\n"
        "\t1000  -  Total Bytes Sent By Job\n\t2000  -  Total Bytes Received By Job\n"
    ),
    "held": "012 ({c:03}.{p:03}.000) {when} Job was held.\n\tthe reason\n\tCode {value} Subcode 0\n",
    "released": "013 ({c:03}.{p:03}.000) {when} Job was released.\n\tvia condor_release\n",
    "aborted": "009 ({c:03}.{p:03}.000) {when} Job was aborted.\n\tvia condor_rm (by user zoe)\n",
    "finished": "036 ({c:03}.-01.000) {when} Cluster removed\n\tMaterialized 1 jobs from 1.\tComplete\n",
}


def tell(log: Path, event: str, cluster: int = 1, proc: int = 0, value: int = 0, second: int = 0) -> None:
    """Add an event to a log, as HTCondor writes it."""
    text = TEXTS[event].format(c=cluster, p=proc, value=value, when=f"{WHEN}{second:02}")
    with log.open("a") as stream:
        stream.write(f"{text}...\n")


@dataclass
class FakeSchedd:
    """Stands in for the module `schedd`.

    Attributes
    ----------
    runs : how often the job of each output ran
    up : whether it answers
    executes : whether jobs run their scripts, each in a folder of its own with the files that it is sent
    """

    runs: dict[str, int] = field(default_factory=dict)
    up: bool = True
    executes: bool = False
    _clusters: list[tuple[str, Path]] = field(default_factory=list)
    _waiting: dict[int, list[tuple[int, str, str]]] = field(default_factory=dict)

    def submit(self, description: str) -> int:
        self._answer()
        batch, root, table = (
            re.findall(pattern, description)[-1]
            for pattern in (r'My.SweepBatch = "(.*)"', "initialdir = (.*)", "inputs from (.*)")
        )
        self._clusters.append((batch, Path(root)))
        cluster = len(self._clusters)
        columns = [line.split("\x1f") for line in Path(table).read_text().splitlines()]
        self._waiting[cluster] = [(proc, line[1], line[2]) for proc, line in enumerate(columns)]

        for proc, _, _ in self._waiting[cluster]:
            tell(self.log(cluster), "submitted", cluster, proc)
        return cluster

    def in_queue(self, batches: list[str]) -> dict[str, set[tuple[int, int | None]]]:
        self._answer()
        found: dict[str, set[tuple[int, int | None]]] = {}
        for cluster, jobs in self._waiting.items():
            batch = self._clusters[cluster - 1][0]
            if batch in set(batches) and jobs:
                found[batch] = {(cluster, None), *((cluster, proc) for proc, _, _ in jobs)}
        return found

    def remove(self, batches: list[str], reason: str) -> None:
        self._answer()
        for cluster, jobs in self._waiting.items():
            if self._clusters[cluster - 1][0] in set(batches):
                for proc, _, _ in jobs:
                    tell(self.log(cluster), "aborted", cluster, proc)
                jobs.clear()

    def remove_jobs(self, jobs: list[tuple[int, int]], reason: str) -> None:
        self._answer()
        for cluster, proc in jobs:
            tell(self.log(cluster), "aborted", cluster, proc)
            self._waiting[cluster] = [job for job in self._waiting[cluster] if job[0] != proc]

    def work(self, text: str = "sound\n") -> None:
        """Run every job that waits; its output arrives in the inbox."""
        for cluster, jobs in self._waiting.items():
            root = self._clusters[cluster - 1][1]
            for proc, output, arrival in jobs:
                tell(self.log(cluster), "executing", cluster, proc)
                self.runs[output] = self.runs.get(output, 0) + 1
                status = 0
                if self.executes:
                    status = self._execute(cluster, proc)
                else:
                    (root / arrival).write_text(text)
                tell(self.log(cluster), "terminated", cluster, proc, value=status)
            jobs.clear()

    def _execute(self, cluster: int, proc: int) -> int:
        root, batch = self._clusters[cluster - 1][1], self.log(cluster).parent
        name, result, arrival, inputs = (batch / "jobs.txt").read_text().splitlines()[proc].split("\x1f")

        with tempfile.TemporaryDirectory() as scratch:
            for file in filter(None, inputs.split(", ")):
                if "://" in file:
                    urlretrieve(file, Path(scratch, file.rpartition("/")[2]))
                else:
                    _transfer(root / file, Path(scratch, file))
            with (batch / "logs" / f"{name}.log").open("wb") as said:
                script = ["bash", str(batch / "jobs" / f"{name}.sh")]
                done = subprocess.run(script, cwd=scratch, stdout=said, stderr=said, check=False)
            brings = "transfer_output_files = $(result)" in (batch / "jobs.sub").read_text()
            if done.returncode == 0 and brings:
                _transfer(Path(scratch, result), root / arrival)
        return done.returncode

    def log(self, cluster: int) -> Path:
        batch, root = self._clusters[cluster - 1]
        return next(root.rglob(batch)) / "events.log"

    def _answer(self) -> None:
        if not self.up:
            raise schedd.Unreachable("no answer")


def _transfer(source: Path, target: Path) -> None:
    """Copy a file or a folder, links as what they lead to; HTCondor refuses those that lead to folders."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        assert not any(path.is_symlink() and path.is_dir() for path in (source, *source.rglob("*")))
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy(source, target)
