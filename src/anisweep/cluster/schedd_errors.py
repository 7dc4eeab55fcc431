"""Ask the queue which controllers and images are in it, and turn errors of the schedd into messages."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anisweep.errors import UserError

if TYPE_CHECKING:
    from snakemake_executor_plugin_condorsweep.batch import Batch

#: HTCondor's numbers of states in which a job still counts.
STATES = {1: "idle", 2: "running", 5: "held", 6: "running", 7: "running"}

#: Enough for the first event of a log.
LOG_START = 4096


@dataclass(frozen=True)
class QueuedController:
    """Describe a controller's job, of any project of this access point."""

    cluster: int
    state: str
    folder: Path

    def runs_in(self, root: Path) -> bool:
        """Return True if its project is the one in this folder."""
        return self.folder.resolve() == root.resolve()


def controllers_in_queue() -> list[QueuedController]:
    """Return every controller that waits, runs or is held, the oldest first.

    Raises
    ------
    Unreachable
        when the schedd does not answer
    """
    from snakemake_executor_plugin_condorsweep import schedd

    ads = schedd.query("SweepController =?= True", ["ClusterId", "ProcId", "JobStatus", "Iwd"])
    living = [ad for ad in ads if "ProcId" in ad and ad["JobStatus"] in STATES]
    found = [QueuedController(ad["ClusterId"], STATES[ad["JobStatus"]], Path(ad["Iwd"])) for ad in living]
    return sorted(found, key=lambda each: each.cluster)


def images_in_queue() -> set[str]:
    """Return the file names of the images that jobs in the queue run in, whoever submitted them.

    Raises
    ------
    Unreachable
        when the schedd does not answer
    """
    from snakemake_executor_plugin_condorsweep import schedd

    ads = schedd.query("ContainerImage =!= undefined", ["ContainerImage", "TransferInput"])
    texts = [str(ad.get(name, "")) for ad in ads for name in ("ContainerImage", "TransferInput")]
    return {name for text in texts for name in re.findall(r"[^/,\s]+\.sif", text)}


def submitted_elsewhere(batch: Batch) -> bool:
    """Return True if another access point with the same home folder has taken a batch.

    Its queue is not the one here.
    """
    if not batch.events.exists():
        return False

    with batch.events.open(errors="replace") as stream:
        named = re.search(r"submitted from host: .*?alias=([\w.-]+)", stream.read(LOG_START))
    return named is not None and _short(named[1]) != _short(socket.gethostname())


def _short(host: str) -> str:
    return host.partition(".")[0].lower()


@contextmanager
def troubles_in_words() -> Iterator[None]:
    """Turn errors of the schedd into messages that say what to do.

    Raises
    ------
    UserError
        when it does not answer, or refuses a submission
    """
    from snakemake_executor_plugin_condorsweep.schedd import Refused, Unreachable

    try:
        yield
    except Unreachable as error:
        raise UserError(
            f"The schedd does not answer ({error}). What is in the queue goes on without us.\n"
            "Allowed: an access point whose `condor_status -schedd` answers. Try again later."
        ) from error
    except Refused as error:
        raise UserError(
            f"HTCondor refuses the submission: {error}.\n"
            "Allowed: what this pool's rules take. Correct `submit:` in condor/site.yaml, or ask."
        ) from error
