"""Import finished artifacts after verification; record packs that failed permanently.

The executor is imported only where something has been submitted.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from anisweep.artifacts import reading, writing
from anisweep.artifacts.store import Store
from anisweep.artifacts.writing import SUFFIX
from anisweep.cell import Pack
from anisweep.cluster.schedd_errors import troubles_in_words
from anisweep.config.project import BATCHES, Project
from anisweep.errors import UserError
from anisweep.files import locked, sync, whole
from anisweep.plan.pending import open_batches, pack_file
from anisweep.plan.run_lock import holder
from anisweep.worker.rows import append_row, row_of

if TYPE_CHECKING:
    from anisweep.tables import PackJobRecord
    from snakemake_executor_plugin_condorsweep.batch import Batch
    from snakemake_executor_plugin_condorsweep.follower import Queue
    from snakemake_executor_plugin_condorsweep.ledger import JobRecord

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
    """Make an arrived file an artifact, after reading every byte of it; what it says goes into the index.

    Raises
    ------
    ValueError
        when it is not sound, or not the pack or the shard that was planned under this name
    """
    if output.suffix == ".npz":
        _accept_shard(arrived, output)
        return

    contents = reading.read(arrived)
    name = output.name.removesuffix(SUFFIX)
    project = Project(output.parents[2])
    planned = project.root / pack_file(project, name)

    if contents.pack.name != name:
        raise ValueError(f"{arrived.name}: holds the pack {contents.pack.name}, not {name}")
    if planned.exists() and contents.pack.cells != Pack.from_json(planned.read_text()).cells:
        raise ValueError(f"{arrived.name}: holds other cells than were planned")

    sync(arrived)
    if not output.exists():
        writing.put(arrived, output)
        Store(project.artifacts, project.state).keep(name, contents)
    arrived.unlink()


def _accept_shard(arrived: Path, output: Path) -> None:
    """Put features that arrived in their place, after reading every byte of them."""
    from anisweep.features.arrived import check_shard  # studies need it not

    check_shard(arrived, output.stem.rpartition("-")[2])
    output.parent.mkdir(parents=True, exist_ok=True)
    with arrived.open("rb") as came, whole(output) as stream:
        shutil.copyfileobj(came, stream)
    arrived.unlink()


def give_up(output: Path, reason: str) -> None:
    """Write the artifact of a pack that failed permanently: each of its cells failed, with the reason.

    `retry=True` asks for such cells again. Where the pack's own file is lost there is no record, and every
    run asks for them; so it does for shards, of which there is a record beside.
    """
    if output.suffix == ".npz":
        from anisweep.features.failures import record_failure  # studies need it not

        record_failure(output, reason)
        return

    name = output.name.removesuffix(SUFFIX)
    project = Project(output.parents[2])
    planned = project.root / pack_file(project, name)
    if not planned.exists():
        return

    pack = Pack.from_json(planned.read_text())
    output.parent.mkdir(parents=True, exist_ok=True)

    with tempfile.TemporaryDirectory(prefix=f".{output.name}.work-", dir=output.parent) as scratch:
        folder = Path(scratch)
        for cell in pack.cells:
            row = row_of(pack, "cell", cell)
            row.reason = f"pack failed permanently: {reason}"
            append_row(folder, row)

        environment = {"digest": pack.cells[0].environment, "versions": {"python": ""}, "accelerators": {}}
        (folder / "pack.json").write_text(pack.to_json())
        (folder / "host.json").write_text(json.dumps(NOWHERE, indent=1))
        (folder / "environment.json").write_text(json.dumps(environment, indent=1))
        writing.write(folder, output)


def may_write(project: Project) -> bool:
    """Return True if whoever asks may import finished artifacts; others may only read the progress."""
    folders = (project.results, project.state, project.root / BATCHES)
    return all(os.access(folder, os.W_OK) for folder in folders if folder.exists())


def import_finished(project: Project) -> None:
    """Import artifacts that came while nobody waited, and forget submissions that never reached the queue.

    A controller that runs does this itself, and who may only read takes nothing. Of a clone that was moved,
    what came to the old place is taken; a copy of a clone takes nothing, for the jobs are the other's.
    """
    if holder(project) is not None or not (project.root / BATCHES).exists() or not may_write(project):
        return

    from anisweep.cluster.moved import moved_batches, set_aside_batches
    from snakemake_executor_plugin_condorsweep.follower import Follower

    with alone(project), chdir(project.root):
        moved = {each.batch.id: each for each in moved_batches(project)}
        batches = [
            batch for batch in open_batches(project) if not (batch.id in moved and moved[batch.id].of_a_copy)
        ]
        queue = _in_queue(batches)

        for aside in set_aside_batches(project):
            aside.bring()
        for batch in batches:
            if batch.id in moved:
                moved[batch.id].bring()
            follower = Follower(batch, accept, give_up)
            follower.look()
            if follower.submitted:
                follower.step(queue.get(batch.id))
            elif batch.id in queue and not queue[batch.id]:
                batch.discard()


def _in_queue(batches: Sequence[Batch]) -> dict[str, Queue]:
    """Return what the queue holds of each batch.

    Of one that another access point has taken nothing is known here, nor of any while the schedd does not
    answer: these stay, and the next command asks again.
    """
    from anisweep.cluster.schedd_errors import submitted_elsewhere
    from snakemake_executor_plugin_condorsweep import schedd

    here = [batch.id for batch in batches if not submitted_elsewhere(batch)]
    with suppress(schedd.Unreachable, ImportError):
        found = schedd.in_queue(here) if here else {}
        return {name: found.get(name, set()) for name in here}
    return {}


def cancel(project: Project, packs: Collection[str]) -> None:
    """Take packs out of the queue, so that they count as never submitted.

    Raises
    ------
    UserError
        when the queue does not answer, or the packs are those of a clone that this one is a copy of
    """
    from anisweep.cluster.moved import in_words, moved_batches
    from snakemake_executor_plugin_condorsweep import schedd
    from snakemake_executor_plugin_condorsweep.follower import Follower
    from snakemake_executor_plugin_condorsweep.ledger import JobRecord, Ledger

    copied = [each for each in moved_batches(project) if each.of_a_copy]
    if copied:
        raise UserError(in_words(project, copied))

    for batch in open_batches(project):
        follower = Follower(batch)
        follower.log.read()
        chosen = [entry for entry in follower.open_entries if entry.name in packs]
        numbers = {number for number, entry in enumerate(batch.entries) if entry in chosen}
        jobs = [job for job in follower.log.jobs.values() if job.proc in numbers]

        if len(chosen) == len(follower.open_entries):
            batch.mark("cancelled")
            with troubles_in_words():
                schedd.remove([batch.id], "anisweep cancel")
            continue

        ledger = Ledger(batch.ledger)
        with ledger.alone():
            ledger.write(
                [JobRecord(entry.name, entry.output, "cancelled", "anisweep cancel") for entry in chosen]
            )
        with troubles_in_words():
            schedd.remove_jobs([(job.cluster, job.proc) for job in jobs], "anisweep cancel")


@contextmanager
def alone(project: Project) -> Iterator[None]:
    """Hold a lock so that of two commands at the same time only one imports artifacts."""
    project.state.mkdir(parents=True, exist_ok=True)
    with (project.state / "arrivals.lock").open("w") as lock:
        locked(lock, wait=True)
        yield


def job_records_of(
    project: Project, sites: Mapping[str, str], measured_s: Mapping[str, float]
) -> list[PackJobRecord]:
    """Return the job records of packs; those of this machine have none.

    Parameters
    ----------
    sites : where each pack was measured, by its name
    measured_s : what all rows of each pack took
    """
    from anisweep.tables import PackJobRecord

    found = {}

    for batch, record in _job_records(project):
        pack = Path(record.output).name.removesuffix(SUFFIX)
        if pack in sites and record.end in ("completed", "failed permanently"):
            found[pack] = PackJobRecord(
                pack=pack,
                site=sites[pack],
                batch=batch,
                job=f"{record.cluster}.{record.proc}",
                end=record.end,
                host=record.host,
                slot=record.slot,
                attempts=record.attempts,
                queued_s=record.queued_s,
                run_s=record.run_s,
                measured_s=measured_s[pack],
                sent_mb=record.sent_bytes / 2**20,
                received_mb=record.received_bytes / 2**20,
                submitted=record.submitted,
                ended=record.ended,
                holds=tuple(hold.words for hold in record.holds),
            )
    return list(found.values())


def _job_records(project: Project) -> Iterator[tuple[str, JobRecord]]:
    """Yield every job record of every ledger, with the name of its batch; the newest come last."""
    batches = project.root / BATCHES
    if not batches.exists():
        return

    from snakemake_executor_plugin_condorsweep.ledger import Ledger, ledgers_in

    for file in ledgers_in(batches):
        for record in Ledger(file).read().values():
            yield file.parent.name, record
