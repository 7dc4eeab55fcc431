"""Event logs of HTCondor: what is wrong with one event costs that event, and no other."""

from __future__ import annotations

import random
from pathlib import Path

from fuzz.campaign import Input, Target
from fuzz.mutation import WORDS, changed
from snakemake_executor_plugin_condorsweep.events import EventLog

MORE = (
    *WORDS,
    b"005 (7.0.0) 2026-01-01 10:00:00 Job terminated.",
    b"2026-02-30 10:00:00",
    b"(999999999999999999.0.0)",
)
SUBMITTED = "000 (7.{job}.000) 2026-01-01 10:00:00 Job submitted from host: <1.2.3.4>\n...\n"
EXECUTING = (
    "001 (7.{job}.000) 2026-01-01 10:01:00 Job executing on host: <1.2.3.4>\n\tSlotName: slot1@ep1\n...\n"
)
HELD = "012 (7.{job}.000) 2026-01-01 10:02:00 Job was held.\n\tout of memory\n\tCode 34 Subcode 0\n...\n"
RELEASED = "013 (7.{job}.000) 2026-01-01 10:03:00 Job was released.\n\tvia condor_release\n...\n"
ENDED = (
    "005 (7.{job}.000) 2026-01-01 10:09:00 Job terminated.\n\t(1) Normal termination (return value 0)\n"
    "\t10  -  Run Bytes Sent By Job\n\t20  -  Run Bytes Received By Job\n...\n"
)
HUGE = "9" * 5000
TORN = (
    "005 (7.9.000) 2026-13-45 10:00:00 Job terminated.\n\t(1) Normal termination (return value 0)\n...\n",
    "005 (7.9.000) 0001-01-01 00:00:00 Job terminated.\n\t(1) Normal termination (return value 0)\n...\n",
    "001 (7.9.000) 2026-02-30 99:99:99 Job executing on host: <x>\n...\n",
    "012 (7.9.000) 2026-01-01 10:00:00 Job was held.\n\t\0\x1b[2J\n\tCode 1 Subcode 1\n...\n",
    f"012 (7.9.000) 2026-01-01 10:00:00 Job was held.\n\todd\n\tCode {HUGE} Subcode {HUGE}\n...\n",
    f"005 (7.{HUGE}.000) 2026-01-01 10:00:00 Job terminated.\n...\n",
    f"005 (7.9.000) 2026-01-01 10:00:00 Job terminated.\n\t(0) Abnormal termination (signal {HUGE})\n...\n",
)
ODD = [event.encode() for event in TORN]


def make(rng: random.Random) -> Input:
    """The events of some jobs, with odd ones of another job among them; or one with other bytes."""
    jobs = range(rng.randint(1, 4))
    events = [
        event.format(job=job) for event in (SUBMITTED, EXECUTING, HELD, RELEASED, ENDED) for job in jobs
    ]
    parts = [event.encode() for event in events]

    if rng.random() < 0.5:
        for _ in range(rng.randint(1, 3)):
            parts.insert(rng.randint(0, len(parts)), rng.choice(ODD))
        return Input(b"".join(parts), len(jobs))
    return Input(changed(rng, b"".join(parts), MORE))


def check(given: Input, folder: Path) -> None:
    file = folder / "events.log"
    file.write_bytes(given.content)
    log = EventLog(file)
    log.read()

    for proc in range(given.right or 0):
        job = log.jobs[7, proc]
        assert (job.state, job.exit_code, job.attempts) == ("terminated", 0, 1), "a good event is hidden"
        assert len(job.holds) == 1


TARGET = Target("event_log", make, check)
