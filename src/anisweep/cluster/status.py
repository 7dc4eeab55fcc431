"""Report the state of this project's packs on a cluster, from the event logs alone."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from anisweep.cluster.controller_job import known_controllers
from anisweep.cluster.moved import events_elsewhere
from anisweep.config.project import BATCHES, Project
from anisweep.errors import UserError
from anisweep.formatting import counted, duration
from anisweep.plan.pending import frozen_packs, open_batches
from snakemake_executor_plugin_condorsweep.batch import Batch, Entry
from snakemake_executor_plugin_condorsweep.events import EventLog, Job
from snakemake_executor_plugin_condorsweep.ledger import Ledger, ledgers_in

#: Of controllers that have ended, so many are listed.
ENDED_SHOWN = 3

#: Ends that are counted and not listed: nothing is to be done about them.
TOLD = ("completed", "cancelled")

#: More packs than this are counted, and only the remarkable ones are listed.
SHOWN = 30


@dataclass(frozen=True)
class PackState:
    """Describe one pack of an open submission.

    Attributes
    ----------
    state : idle, running, held, terminated, removed, completed, failed permanently, damaged, cancelled
    job : its number in the queue; empty while it has none
    wanted : whether some study asks for a cell of it, or the last plan for the shard
    said : cause and remedy where it does not simply go on
    what : which frames, of a shard
    """

    pack: str
    batch: str
    state: str
    job: str
    host: str
    since: float
    estimated_s: float
    wanted: bool
    said: str = ""
    what: str = ""

    @property
    def open(self) -> bool:
        """Return True if the pack has not ended."""
        return self.state in ("idle", "running", "held", "terminated", "removed")


def states(project: Project, wanted: Collection[str] | None) -> list[PackState]:
    """Return the state of every pack of the open submissions.

    Parameters
    ----------
    wanted : keys of the cells and shards that are asked for; None where that is not known
    """
    found = []

    for batch in open_batches(project):
        jobs = _newest_jobs(batch)
        ended = Ledger(batch.ledger).read()

        for proc, entry in enumerate(batch.entries):
            state = _with_job(_of_entry(project, entry, wanted), batch, jobs.get(proc))
            if entry.name in ended:
                record = ended[entry.name]
                state = replace(state, state=record.end, said=record.reason)
            found.append(state)
    return found


def _newest_jobs(batch: Batch) -> dict[int, Job]:
    """Return the jobs of a batch by process, as the newest log tells them: a clone may have moved."""
    newest: dict[int, Job] = {}

    for file in (batch.events, *events_elsewhere(batch)):
        log = EventLog(file, batch.since)
        log.read()
        for (_, proc), job in log.jobs.items():
            if proc not in newest or job.since >= newest[proc].since:
                newest[proc] = job
    return newest


def _of_entry(project: Project, entry: Entry, wanted: Collection[str] | None) -> PackState:
    """Return what is known of a pack or shard without a look at its job."""
    name = Path(entry.output).name.partition(".")[0]
    waiting = PackState(name, "", "idle", "", "", 0.0, 0.0, wanted=True)

    if entry.output.endswith(".npz"):
        return _of_shard(waiting, project.root / entry.inputs[0], wanted)
    for pack in frozen_packs(project, [name]):
        asked = wanted is None or any(cell.key in wanted for cell in pack.cells)
        return replace(waiting, estimated_s=pack.estimated_s, wanted=asked)
    return waiting


def _of_shard(waiting: PackState, file: Path, wanted: Collection[str] | None) -> PackState:
    """Return what the file of a shard's job says: which frames, and for how long."""
    from anisweep.features.job import read_job  # studies need it not

    with suppress(OSError, ValueError):
        job = read_job(file)
        asked = wanted is None or job.key in wanted
        return replace(waiting, what=job.frames, estimated_s=60 * job.asked.target_minutes, wanted=asked)
    return waiting


def _with_job(state: PackState, batch: Batch, job: Job | None) -> PackState:
    if job is None:
        return replace(state, batch=batch.id)

    said = job.holds[-1].words if job.state == "held" else job.reason
    return replace(
        state, batch=batch.id, state=job.state, job=job.id, host=job.host, since=job.since, said=said
    )


def last(project: Project) -> str:
    """Say how the newest submission ended; empty when there has been none."""
    ledgers = ledgers_in(project.root / BATCHES)
    if not ledgers:
        return ""

    records = Ledger(ledgers[-1]).read().values()
    counts = Counter(record.end for record in records)
    ends = ", ".join(f"{count} {end}" for end, count in counts.most_common())
    bad = [f"  {each.entry}: {each.end}: {each.reason}" for each in records if each.end not in TOLD]
    lost = counts["failed permanently"]
    shards = lost and all(record.output.endswith(".npz") for record in records)
    how = "The same command computes again" if shards else "`anisweep submit retry=True` asks again for"
    again = [f"{how} what failed permanently."] if lost else []
    return "\n".join([f"The last submission, {ledgers[-1].parent.name}: {ends}.", *bad[:SHOWN], *again])


def controllers(project: Project) -> list[str]:
    """Return a line for each controller that has not ended, and for the last ones that have."""
    known = known_controllers(project)
    ended = [each for each in known if each.job.ended]
    earlier = ended[:-ENDED_SHOWN]
    lines = [each.line for each in known if each not in earlier]
    return [f"{len(earlier)} earlier controllers have ended.", *lines] if earlier else lines


def as_text(found: Sequence[PackState]) -> str:
    """Return the counts and the time left, then each pack that is not simply waiting."""
    if not found:
        return "Nothing is under way on the cluster."

    counts = Counter(each.state for each in found)
    lines = [", ".join(f"{count} {state}" for state, count in counts.most_common()) + _time_left(found)]
    unwanted = [each for each in found if each.open and not each.wanted]

    listed = [
        each for each in found if each.state != "cancelled" and (each.state != "idle" or len(found) <= SHOWN)
    ]
    width = max((len(each.pack) for each in listed), default=0)
    longest = max((len(each.state) for each in listed), default=0)
    said: dict[str, PackState] = {}
    for each in listed[:SHOWN]:
        lines.append(
            f"  {each.pack:<{width}}  {each.state:<{longest}} {each.job:>8}  {_about(each)}".rstrip()
        )
        if each.said:
            lines.append(f"      {_once(each, said)}")
    if len(listed) > SHOWN:
        lines.append(f"  ... and {len(listed) - SHOWN} more")

    if unwanted:
        lines.append(
            f"{counted(len(unwanted), 'pack is', 'packs are')} not wanted any more: "
            f"no study and no plan asks for them. "
            "`anisweep cancel` removes them."
        )
    return "\n".join(lines)


def _once(each: PackState, said: dict[str, PackState]) -> str:
    """Return what is said of a pack, or of which one it was said before: with other names and numbers."""
    gist = re.sub(r"\d+", "#", each.said.replace(each.pack, "").replace(each.host or each.pack, ""))
    first = said.setdefault(gist, each)
    return each.said if first is each else f"as for {first.pack}"


def _about(each: PackState) -> str:
    where = [each.host] if each.host else []
    if each.state == "running":
        elapsed = max(time.time() - each.since, 0.0)
        where.append(f"for {duration(elapsed)} of about {duration(each.estimated_s)}")
    return ", ".join([*where, *([each.what] if each.what else [])])


def _time_left(found: Sequence[PackState]) -> str:
    """Estimate the time left if as many packs run at a time as now; empty where none runs."""
    running = [each for each in found if each.state == "running"]
    if not running:
        return ""

    now = time.time()
    begun = sum(max(each.estimated_s - (now - each.since), 0.0) for each in running)
    waiting = sum(each.estimated_s for each in found if each.state == "idle")
    return f"; about {duration((begun + waiting) / len(running))} left at this rate"


def named(under_way: Sequence[PackState], names: Iterable[str]) -> set[str]:
    """Return the packs that are meant by their names, or by how these begin.

    Raises
    ------
    UserError
        when none begins so, or several do
    """
    packs = {each.pack for each in under_way}
    found = {name: [name] if name in packs else _beginning(packs, name) for name in names}
    unknown = sorted(name for name, meant in found.items() if not meant)
    if unknown:
        raise UserError(f"{', '.join(unknown)}: not under way. `anisweep status` lists what is.")

    for name, meant in found.items():
        if len(meant) > 1:
            some = ", ".join(meant[:5]) + (", ..." if len(meant) > 5 else "")
            raise UserError(
                f"{name}: {len(meant)} packs under way begin so: {some}.\n"
                "Allowed: the name of one, or a beginning that is one's alone. Give more letters of it."
            )
    return {pack for meant in found.values() for pack in meant}


def _beginning(packs: Collection[str], start: str) -> list[str]:
    return sorted(pack for pack in packs if start and pack.startswith(start))


def story(project: Project, name: str) -> str:
    """Return what the job of a pack printed last, how often it was held, and how it ended.

    Raises
    ------
    UserError
        when no submission holds a pack whose name begins so
    """
    found = []

    for folder in sorted((project.root / BATCHES).glob("[!.]*/batch.json")):
        batch = Batch.read(project.root, folder.parent)
        for entry in batch.entries:
            if entry.name.startswith(name):
                found.append((batch, entry))

    if not found:
        raise UserError(
            f"{name}: no submission holds this pack or shard. `anisweep status` lists what is under way."
        )

    batch, entry = found[-1]
    record = Ledger(batch.ledger).read().get(entry.name)
    lines = [f"{entry.name}, in {batch.path}"]

    if record:
        lines.append(f"  {record.end} after {record.attempts} attempts on {record.host or 'no host'}")
        lines += [f"  held: {hold.words}" for hold in record.holds]
    if batch.printed(entry).exists():
        lines.append(batch.said(entry).decode(errors="backslashreplace"))
    else:
        lines.append("  It has printed nothing yet.")
    return "\n".join(lines)
