"""A toy workflow in the user's home, run through the executor as the user runs it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from jobs import PATIENCE_S, wait_for

from condor.pool import Pool, SystemPool
from condor.pool.pool import PROJECT

#: Waits after a failed transfer that suit a test.
MACROS = "transfer_wait_s = 2\n"


@dataclass
class Toy:
    """One folder, one workflow."""

    pool: Pool | SystemPool
    name: str
    image: str
    options: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    folder: Path = field(init=False)
    cwd: str = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.pool.home / f"toy_{self.name}"
        shutil.copytree(Path(__file__).parent / "toy", self.folder)
        (self.folder / "site.sub").write_text(MACROS)
        self.cwd = self.pool.give(self.folder)

    def command(self, *config: str, options: tuple[str, ...] = ()) -> list[str]:
        """The command line; ``config`` is what `--config` takes, beside the image."""
        settings = {
            "description": f"{PROJECT}/condor/chtc/pack.sub",
            "macros": "site.sub",
            "accept": "accepting:accept",
            "give-up": "accepting:give_up",
        }
        given = [part for name, value in settings.items() for part in (f"--condorsweep-{name}", value)]
        usual = ["--executor", "condorsweep", "--jobs", "unlimited", "--nolock", "--keep-going"]
        quiet = ["--rerun-incomplete", "--quiet", "progress", "rules"]
        return [
            "snakemake",
            *usual,
            *quiet,
            *given,
            *self.options,
            *options,
            "--config",
            f"image={self.image}",
            *config,
        ]

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": f"{PROJECT}/condor/executor:{self.cwd}", **self.variables}

    def run(self, *config: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        command = self.command(*config, options=options)
        return self.pool.run(*command, cwd=self.cwd, timeout=PATIENCE_S, **self.environment)

    def start(self, *config: str) -> Controller:
        """Run it beside the test."""
        assert isinstance(self.pool, Pool)
        as_it_is = ["sh", "-c", 'echo $$ > pid; exec "$@" 2> said', "sh", *self.command(*config)]
        (self.folder / "pid").unlink(missing_ok=True)
        process = subprocess.Popen(
            self.pool.as_user(*as_it_is, cwd=self.cwd, **self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        return Controller(self, process)

    # --- what there is ----------------------------------------------------------------------------------

    @property
    def batches(self) -> list[Path]:
        return sorted((self.folder / "results" / "batches").glob("[!.]*"))

    @property
    def outputs(self) -> dict[str, str]:
        files = sorted((self.folder / "results").glob("*out*/*.txt"))
        return {file.name: file.read_text() for file in files}

    @property
    def events(self) -> str:
        return "".join(log.read_text() for log in sorted(self.folder.glob("results/batches/*/events.log")))

    @property
    def given_up(self) -> str:
        record = self.folder / "given-up.txt"
        return record.read_text() if record.exists() else ""

    def executions(self) -> Counter[str]:
        """How often each job was started, by its number in its batch."""
        return Counter(re.findall(r"^001 \(\d+\.0*(\d+)\.", self.events, re.MULTILINE))

    def jobs_in_queue(self, attribute: str = "ProcId") -> list[str]:
        """An attribute of each job of this workflow in the queue."""
        ours = f'substr(Iwd, {-len(self.name)}) == "{self.name}"'
        return self.pool.run("condor_q", "-constraint", ours, "-af", attribute).stdout.split()

    def wait_for_event(self, number: str, times: int = 1) -> None:
        """Until the log holds an event of this number (three digits) so often."""
        wait_for(lambda: self.events.count(f"\n{number} (") + self.events.startswith(number) >= times, number)


@dataclass(frozen=True)
class Controller:
    """A Snakemake that runs beside the test."""

    toy: Toy
    process: subprocess.Popen[bytes]

    def signal(self, name: str) -> int:
        """Send a signal and wait for the end; the exit status."""
        self.toy.pool.run("sh", "-c", f"kill -{name} $(cat pid)", cwd=self.toy.cwd)
        return self.wait()

    def wait(self) -> int:
        return self.process.wait(PATIENCE_S)

    @property
    def said(self) -> str:
        said = self.toy.folder / "said"
        return said.read_text() if said.exists() else ""
