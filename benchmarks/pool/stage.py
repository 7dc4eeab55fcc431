"""Set up a pool with four slots, and a user's clone whose packs only sleep."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from condor.demo import as_ada, clone_for_the_user
from condor.pool import Bind, Pool, User
from condor.pool.image import image_binds, small_image

HERE = Path(__file__).parent

STUDY = "study=tiny"


@dataclass(frozen=True)
class Stage:
    """A running pool and what lies on it.

    Attributes
    ----------
    image : the small image, as the access point sees it
    clone : the project in the user's home, as the machine sees it
    """

    pool: Pool
    image: str
    clone: Path

    @property
    def there(self) -> str:
        """The clone as its user sees it."""
        return f"{self.pool.user.home}/{self.clone.name}"

    def command(self, *command: str) -> list[str]:
        """A command of the user's in the clone."""
        return as_ada(self.pool, command, self.clone)

    def run(self, *command: str) -> str:
        """Run a command of the user's in the clone to its end, and return what it printed.

        Raises
        ------
        RuntimeError
            with all that it said, when it fails
        """
        done = subprocess.run(
            self.command(*command), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def controller(self, packs: int, *arguments: str) -> tuple[str, ...]:
        """The command that measures so many packs: the project's own, plan included."""
        config = ("--config", STUDY, f"replicates={packs}")
        return ("snakemake", "--profile", "chtc", *config, *arguments, "--", "measure")

    def forget_results(self) -> None:
        """Remove what has been measured; data sets and our code's wheel stay."""
        for name in ("artifacts", "batches", ".anisweep", "logs", "packs"):
            shutil.rmtree(self.clone / "results" / name, ignore_errors=True)
        shutil.rmtree(self.clone / ".snakemake", ignore_errors=True)

    def network_bytes(self) -> int:
        """What has crossed the pool's network since it began: its nodes have no other device."""
        table = self.pool.on("ap", "cat", "/proc/net/dev").stdout
        found = re.search(r"lo: *(\d+)", table)
        assert found, table
        return int(found[1])

    def wait_until_quiet(self) -> None:
        """Until no job is in the queue and no CPU is claimed; slots that only keep common files have none."""
        claimed = ("condor_status", "-constraint", 'SlotType == "Dynamic" && Cpus > 0', "-af", "Name")
        while self.run(*claimed).strip() or self.run("condor_q", "-allusers", "-af", "ProcId").strip():
            time.sleep(1)


@contextmanager
def stage(binds: Sequence[Bind] = ()) -> Iterator[Stage]:
    """Start a pool that also sees these folders, put a sleeping clone on it, and stop it all in the end."""
    pool = Pool.start("bench", user=User("ada", "/home/ada"), binds=(*image_binds(), *binds))
    try:
        image = small_image(pool)
        clone = clone_for_the_user(pool)
        shutil.copyfile(HERE / "sleeping.sh", clone / "condor" / "chtc" / "prologue.sh")
        _send_the_image_once(clone / "condor" / "site.yaml")
        yield Stage(pool, image, clone)
    finally:
        pool.stop()


def _send_the_image_once(site: Path) -> None:
    """To each machine, as the cluster by hand does: nothing is evicted here."""
    site.write_text(site.read_text() + "submit: {container_is_common: true}\n")
