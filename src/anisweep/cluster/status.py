"""What a cluster does with this project's packs just now, from the event logs alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from anisweep.artifact import SUFFIX
from anisweep.cell import Pack
from anisweep.config import ConfigError, Project
from anisweep.plan.text import duration
from anisweep.plan.under_way import BATCHES, open_batches
from snakemake_executor_plugin_condorsweep.batch import Batch
from snakemake_executor_plugin_condorsweep.events import EventLog, Job
from snakemake_executor_plugin_condorsweep.journey import Ledger

#: More packs than this are counted, and only the remarkable ones are listed.
SHOWN = 30


@dataclass(frozen=True)
class PackState:
    """One pack of an open submission.

    Attributes
    ----------
    state : idle, running, held, terminated, removed, home, given up, damaged, cancelled
    job : its number in the queue; empty while it has none
    wanted : whether some study's configuration asks for a cell of it
    said : cause and remedy where it does not simply go on
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

    @property
    def open(self) -> bool:
        return self.state in ("idle", "running", "held", "terminated", "removed")


def states(project: Project, wanted: Collection[str] | None) -> list[PackState]:
    """Every pack of the open submissions.

    Parameters
    ----------
    wanted : keys of the cells that some study asks for; None where that is not known
    """
    found = []

    for batch in open_batches(project):
        log = EventLog(batch.events)
        log.read()
        jobs = {proc: job for (_, proc), job in log.jobs.items()}
        ended = Ledger(batch.ledger).read()

        for proc, entry in enumerate(batch.entries):
            name = Path(entry.output).name.removesuffix(SUFFIX)
            pack = Pack.from_json((project.results / "packs" / f"{name}.json").read_text())
            asked = wanted is None or any(cell.key in wanted for cell in pack.cells)
            state = _state(name, batch, pack, asked, jobs.get(proc))

            if entry.name in ended:
                journey = ended[entry.name]
                state = PackState(**{**vars(state), "state": journey.end, "said": journey.reason})
            found.append(state)
    return found


def _state(name: str, batch: Batch, pack: Pack, wanted: bool, job: Job | None) -> PackState:
    if job is None:
        return PackState(name, batch.id, "idle", "", "", 0.0, pack.estimated_s, wanted)

    said = job.holds[-1].words if job.state == "held" else job.reason
    return PackState(name, batch.id, job.state, job.id, job.host, job.since, pack.estimated_s, wanted, said)


def last(project: Project) -> str:
    """How the newest submission ended; empty when there has been none."""
    ledgers = sorted((project.root / BATCHES).glob("[!.]*/journeys.jsonl"))
    if not ledgers:
        return ""

    journeys = Ledger(ledgers[-1]).read().values()
    counts = Counter(journey.end for journey in journeys)
    ends = ", ".join(f"{count} {end}" for end, count in counts.most_common())
    bad = [f"  {each.entry}: {each.end}: {each.reason}" for each in journeys if each.end != "home"]
    return "\n".join([f"The last submission, {ledgers[-1].parent.name}: {ends}.", *bad[:SHOWN]])


def controllers(project: Project) -> list[str]:
    """A line for the newest controller job, if there has been one."""
    logs = sorted((project.results / "controllers").glob("*.log"))
    if not logs:
        return []

    log = EventLog(logs[-1])
    log.read()
    said = logs[-1].with_suffix(".out").relative_to(project.root)
    return [f"Controller, job {job.cluster}: {_state_in_words(job)}; see {said}" for job in log.jobs.values()]


def _state_in_words(job: Job) -> str:
    return job.holds[-1].words if job.state == "held" else job.state


def as_text(found: Sequence[PackState]) -> str:
    """The counts and the time left first; then each pack that is not simply waiting."""
    if not found:
        return "Nothing is under way on the cluster."

    counts = Counter(each.state for each in found)
    lines = [", ".join(f"{count} {state}" for state, count in counts.most_common()) + _time_left(found)]
    unwanted = [each for each in found if each.open and not each.wanted]

    listed = [each for each in found if each.state != "idle" or len(found) <= SHOWN]
    width = max((len(each.pack) for each in listed), default=0)
    for each in listed[:SHOWN]:
        lines.append(f"  {each.pack:<{width}}  {each.state:<10} {each.job:>8}  {_about(each)}".rstrip())
        if each.said:
            lines.append(f"      {each.said}")
    if len(listed) > SHOWN:
        lines.append(f"  ... and {len(listed) - SHOWN} more")

    if unwanted:
        lines.append(
            f"{len(unwanted)} packs are not wanted any more: no study asks for their cells. "
            "`anisweep cancel` removes them."
        )
    return "\n".join(lines)


def _about(each: PackState) -> str:
    if each.state == "running":
        elapsed = time.time() - each.since
        return f"{each.host}, for {duration(elapsed)} of about {duration(each.estimated_s)}"
    return each.host


def _time_left(found: Sequence[PackState]) -> str:
    """As many packs at a time as run now; nothing where none runs."""
    running = [each for each in found if each.state == "running"]
    if not running:
        return ""

    now = time.time()
    begun = sum(max(each.estimated_s - (now - each.since), 0.0) for each in running)
    waiting = sum(each.estimated_s for each in found if each.state == "idle")
    return f"; about {duration((begun + waiting) / len(running))} left at this rate"


def story(project: Project, name: str) -> str:
    """What the job of a pack printed last, how often it was held, and how it ended.

    Raises
    ------
    ConfigError
        when no submission holds a pack whose name begins so
    """
    found = []

    for folder in sorted((project.root / BATCHES).glob("[!.]*/batch.json")):
        batch = Batch.read(project.root, folder.parent)
        for entry in batch.entries:
            if entry.name.startswith(name):
                found.append((batch, entry))

    if not found:
        raise ConfigError(
            f"{name}: no submission holds this pack. `anisweep status` lists what is under way."
        )

    batch, entry = found[-1]
    journey = Ledger(batch.ledger).read().get(entry.name)
    printed = batch.printed(entry)
    lines = [f"{entry.name}, in {batch.path}"]

    if journey:
        lines.append(f"  {journey.end} after {journey.attempts} attempts on {journey.host or 'no host'}")
        lines += [f"  held: {hold.words}" for hold in journey.holds]
    lines.append(printed.read_text(errors="replace") if printed.exists() else "  It has printed nothing yet.")
    return "\n".join(lines)
