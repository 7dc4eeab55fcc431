"""Submit to the queue, ask it, and remove jobs; no other module talks to HTCondor's schedd.

What asks it raises Unreachable when it gives no answer.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classad2 import ClassAd

#: Job attribute that names the batch.
ATTRIBUTE = "SweepBatch"

#: A value of JobStatus.
REMOVED = 3

#: A schedd that restarts is back after so long.
RESTART_S = 5.0


class Unreachable(Exception):
    """Raised when the schedd gives no answer: what was asked for may have happened or not."""


class Refused(Exception):
    """Raised when the schedd answers, and does not take this submission."""


def why_unusable() -> str:
    """Say why nobody can submit from here; empty when we can."""
    try:
        import htcondor2
    except ImportError as error:
        return (
            f"HTCondor's Python bindings are missing ({error}). Install them beside Snakemake, on Linux: "
            "`pip install htcondor`"
        )

    silence = _why_silent()
    if silence:
        return (
            f"no schedd answers here ({silence}). Run on an access point, where `condor_q` works, "
            "with CONDOR_CONFIG set if its configuration lies in an unusual place"
        )

    with suppress(htcondor2.HTCondorException):  # without a collector, the submission itself tells
        place = htcondor2.Collector().locate(htcondor2.DaemonType.Schedd)
        try:
            htcondor2.ping(place, "WRITE")
        except htcondor2.HTCondorException as error:
            return (
                f"the schedd {place.get('Name')} takes no jobs from you ({error}). Ask its administrators "
                "for the right to submit; `condor_ping -type schedd WRITE` tells when you have it"
            )
    return ""


def _why_silent() -> str:
    """Say why the schedd does not answer, when it has not for as long as a restart takes."""
    end = time.monotonic() + RESTART_S
    while True:
        try:
            in_queue([])
            return ""
        except Unreachable as error:
            if time.monotonic() > end:
                return str(error)
        time.sleep(1)


def submit(description: str) -> int:
    """Submit a description and return the number of the cluster.

    It is done in this process: a child would survive a kill of the controller, and submit later.

    Raises
    ------
    Refused
        with HTCondor's words
    Unreachable
        when it may or may not be in the queue now
    """
    import htcondor2

    try:
        described = htcondor2.Submit(description)
        with _reachable():
            schedd = htcondor2.Schedd()
        return int(schedd.submit(described).cluster())
    except (htcondor2.HTCondorException, ValueError, OSError) as error:
        in_queue([])  # raises Unreachable where there is no schedd to refuse anything
        raise Refused(" ".join(str(error).split())) from error


def in_queue(batches: Iterable[str]) -> dict[str, set[tuple[int, int | None]]]:
    """Return what the queue holds of some batches.

    It is told as (cluster, proc), and (cluster, None) for the cluster itself, which is there as long as jobs
    of it may still come into being.
    """
    wanted = ", ".join(f'"{batch}"' for batch in batches)
    constraint = f"member({ATTRIBUTE}, {{{wanted}}})"
    projection = [ATTRIBUTE, "ClusterId", "ProcId", "JobMaterializeLimit"]
    found: dict[str, set[tuple[int, int | None]]] = defaultdict(set)

    for ad in query(constraint, projection):
        found[ad[ATTRIBUTE]].add((ad["ClusterId"], ad.get("ProcId")))
    return found


def query(constraint: str, projection: list[str]) -> list[ClassAd]:
    """Return what the queue says of some jobs, and of clusters whose jobs have not all come into being."""
    import htcondor2

    with _reachable():
        options = htcondor2.QueryOpts.IncludeClusterAd
        return list(htcondor2.Schedd().query(constraint, projection, opts=options))


def remove(batches: Iterable[str], reason: str) -> None:
    """Remove all jobs of some batches, also those that have not come into being."""
    import htcondor2

    for batch in batches:
        with _reachable():
            htcondor2.Schedd().act(htcondor2.JobAction.Remove, f'{ATTRIBUTE} == "{batch}"', (reason, 0))


def remove_jobs(jobs: Iterable[tuple[int, int]], reason: str) -> None:
    """Remove single jobs, by cluster and process; one that has not come into being stays."""
    import htcondor2

    names = [f"{cluster}.{proc}" for cluster, proc in jobs]
    if names:
        with _reachable():
            htcondor2.Schedd().act(htcondor2.JobAction.Remove, names, (reason, 0))


def removes_me() -> bool:
    """Return True if this program is itself a job, and somebody removes it.

    HTCondor sends a job of the local universe the same signal when it is held, evicted or removed. Where
    the schedd does not answer, it is no removal.
    """
    ad = os.environ.get("_CONDOR_JOB_AD", "")
    if not Path(ad).is_file():
        return False

    import classad2
    import htcondor2

    me = classad2.parseOne(Path(ad).read_text())
    mine = f"ClusterId == {me['ClusterId']} && ProcId == {me['ProcId']}"
    with suppress(Unreachable), _reachable():
        return [job["JobStatus"] for job in htcondor2.Schedd().query(mine, ["JobStatus"])] == [REMOVED]
    return False


@contextmanager
def _reachable() -> Iterator[None]:
    import htcondor2

    try:
        yield
    except (htcondor2.HTCondorException, OSError) as error:
        raise Unreachable(" ".join(str(error).split())) from error
