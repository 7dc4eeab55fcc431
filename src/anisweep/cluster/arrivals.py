"""What comes home from a cluster: taken where it is sound, and written down where nothing will come.

The executor is imported only where something has been submitted.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from anisweep import artifact, reading
from anisweep.artifact import SUFFIX
from anisweep.cell import Pack
from anisweep.cluster.queue import troubles_in_words
from anisweep.config import Project
from anisweep.controller import holder
from anisweep.plan.under_way import BATCHES, open_batches
from anisweep.row import Row
from anisweep.worker.rows import append_row, row_of

if TYPE_CHECKING:
    from anisweep.tables import PackJourney
    from snakemake_executor_plugin_condorsweep.journey import Journey

#: What is known of a machine on which nothing ran.
NOWHERE = {
    "host": "",
    "cpu_model": "",
    "microarchitecture": "",
    "cpus": 0,
    "memory_mb": 0,
    "system": "",
    "slot": {},
}


def accept(arrived: Path, output: Path) -> None:
    """Make an arrived file an artifact, after reading every byte of it.

    Raises
    ------
    ValueError
        when it is not sound, or not the pack that was planned under this name
    """
    contents = reading.read(arrived)
    name = output.name.removesuffix(SUFFIX)
    planned = output.parents[1] / "packs" / f"{name}.json"

    if contents.pack.name != name:
        raise ValueError(f"{arrived.name}: holds the pack {contents.pack.name}, not {name}")
    if planned.exists() and contents.pack.cells != Pack.from_json(planned.read_text()).cells:
        raise ValueError(f"{arrived.name}: holds other cells than were planned")

    descriptor = os.open(arrived, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)

    if not output.exists():
        artifact.put(arrived, output)
    arrived.unlink()


def give_up(output: Path, reason: str) -> None:
    """The artifact of a pack that no retry helps: each of its cells failed, and why.

    `retry=True` asks for such cells again.
    """
    name = output.name.removesuffix(SUFFIX)
    pack = Pack.from_json((output.parents[1] / "packs" / f"{name}.json").read_text())
    output.parent.mkdir(parents=True, exist_ok=True)

    with tempfile.TemporaryDirectory(prefix=f".{output.name}.work-", dir=output.parent) as scratch:
        folder = Path(scratch)
        for cell in pack.cells:
            row = row_of(pack, "cell", cell)
            row.reason = f"pack given up: {reason}"
            append_row(folder, row)

        environment = {"digest": pack.cells[0].environment, "versions": {"python": ""}, "accelerators": {}}
        (folder / "pack.json").write_text(pack.to_json())
        (folder / "host.json").write_text(json.dumps(NOWHERE, indent=1))
        (folder / "environment.json").write_text(json.dumps(environment, indent=1))
        artifact.write(folder, output)


def take_home(project: Project) -> None:
    """Take what has come home while nobody waited, and forget submissions that never reached the queue.

    A controller that runs does this itself.
    """
    if holder(project) is not None or not (project.root / BATCHES).exists():
        return

    from snakemake_executor_plugin_condorsweep import schedd
    from snakemake_executor_plugin_condorsweep.settle import Follower

    with _alone(project), chdir(project.root):
        for batch in open_batches(project):
            follower = Follower(batch, accept, give_up)
            follower.step()
            with suppress(schedd.Unreachable):  # then it stays, and the next command asks again
                if not follower.submitted and not schedd.in_queue([batch.id]):
                    batch.discard()


def cancel(project: Project, packs: Collection[str]) -> None:
    """Take packs out of the queue. They count as never submitted.

    Raises
    ------
    ConfigError
        when the queue does not answer
    """
    from snakemake_executor_plugin_condorsweep import schedd
    from snakemake_executor_plugin_condorsweep.journey import Journey, Ledger
    from snakemake_executor_plugin_condorsweep.settle import Follower

    for batch in open_batches(project):
        follower = Follower(batch)
        follower.log.read()
        chosen = [entry for entry in follower.open_entries if entry.name in packs]
        jobs = [job for job in follower.log.jobs.values() if batch.entries[job.proc] in chosen]

        if len(chosen) == len(follower.open_entries):
            batch.mark("cancelled")
            with troubles_in_words():
                schedd.remove([batch.id], "anisweep cancel")
            continue

        ledger = Ledger(batch.ledger)
        with ledger.alone():
            ledger.write(
                [Journey(entry.name, entry.output, "cancelled", "anisweep cancel") for entry in chosen]
            )
        with troubles_in_words():
            schedd.remove_jobs([(job.cluster, job.proc) for job in jobs], "anisweep cancel")


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    """Two commands at the same time take nothing twice."""
    project.state.mkdir(parents=True, exist_ok=True)
    with (project.state / "arrivals.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def journeys_of(project: Project, rows: Sequence[Row]) -> list[PackJourney]:
    """What a cluster did with the packs of these rows; packs of this machine have no journey."""
    from anisweep.tables import PackJourney

    measured_s: dict[str, float] = defaultdict(float)
    for row in rows:
        measured_s[row.pack] += row.seconds or 0.0
    sites = {row.pack: row.site for row in rows}
    found = {}

    for batch, journey in _journeys(project):
        pack = Path(journey.output).name.removesuffix(SUFFIX)
        if pack in sites and journey.end in ("home", "given up"):
            found[pack] = PackJourney(
                pack=pack,
                site=sites[pack],
                batch=batch,
                job=f"{journey.cluster}.{journey.proc}",
                end=journey.end,
                host=journey.host,
                slot=journey.slot,
                attempts=journey.attempts,
                queued_s=journey.queued_s,
                run_s=journey.run_s,
                measured_s=measured_s[pack],
                sent_mb=journey.sent_bytes / 2**20,
                received_mb=journey.received_bytes / 2**20,
                submitted=journey.submitted,
                ended=journey.ended,
                holds=tuple(hold.words for hold in journey.holds),
            )
    return list(found.values())


def _journeys(project: Project) -> Iterator[tuple[str, Journey]]:
    """Every line of every ledger, with the name of its batch; the newest last."""
    ledgers = sorted((project.root / BATCHES).glob("[!.]*/journeys.jsonl"))

    if ledgers:
        from snakemake_executor_plugin_condorsweep.journey import Ledger

    for file in ledgers:
        for journey in Ledger(file).read().values():
            yield file.parent.name, journey
