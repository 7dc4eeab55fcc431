"""Check that the pool answers, and that each job has a slot that can run it.

A slot counts with all that it has: what is free at this moment only decides when a job starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anisweep.cluster.preflight.submission import Finding, Submission
from anisweep.plan.requests import ResourceRequest

if TYPE_CHECKING:
    from classad2 import ClassAd

#: What a request asks for, by its field: how it is said, and what to do where no slot has as much.
RESOURCES = {
    "memory_mb": ("Memory in MB", "Take fewer `frames:` (a study), a lower `max_angular`, or other modes."),
    "cpus": ("Cores", "Ask for fewer `threads:` in the study."),
    "disk_mb": (
        "Disk in MB",
        "Take the small image (`image: {small: true}` in condor/site.yaml), or smaller shards.",
    ),
    "gpus": ("GPUs", "Take `cuda` out of the study's `devices:`."),
}

ASK_THE_POOL = "`condor_status` says what the pool has. Or submit from another access point."


@dataclass(frozen=True)
class Slot:
    """Describe a slot with all that it has, whether it is free or not."""

    cpus: float
    memory_mb: float
    disk_mb: float
    gpus: float
    ad: ClassAd

    @classmethod
    def of(cls, ad: ClassAd) -> Slot:
        """Return the slot that an ad of the collector describes."""
        for name in ("Cpus", "Memory", "Disk", "GPUs"):
            ad[name] = ad.get(f"TotalSlot{name}", ad.get(name, 0))
        return cls(ad["Cpus"], ad["Memory"], ad["Disk"] / 1024, ad["GPUs"], ad)

    def has_room(self, request: ResourceRequest) -> bool:
        """Return True if the slot has every resource that a request asks for."""
        return all(getattr(self, field) >= getattr(request, field) for field in RESOURCES)

    def fulfils(self, demand: str, job: ClassAd) -> bool:
        """Return True if an expression is true of the slot."""
        from classad2 import ExprTree

        return ExprTree(demand).eval(job, self.ad) is True


def without_bindings(submission: Submission) -> Iterator[Finding]:
    """Report that HTCondor's Python bindings are not installed."""
    yield Finding(
        "HTCondor's bindings (htcondor2) are not installed here.",
        "On an access point `make submit-env` makes an environment that has them.",
    )


def schedd_answers(submission: Submission) -> Iterator[Finding]:
    """Check that the schedd answers; this takes up to 20 s when it is overloaded."""
    import htcondor2

    try:
        htcondor2.Schedd().query(constraint="false", limit=1)
    except htcondor2.HTCondorException as error:
        yield _silent("schedd, which takes jobs on this machine", error)


def collector_answers(submission: Submission) -> Iterator[Finding]:
    """Check that the collector answers."""
    import htcondor2

    try:
        htcondor2.Collector().query(htcondor2.AdType.Collector, projection=["Name"])
    except htcondor2.HTCondorException as error:
        yield _silent("collector, which knows the slots", error)


def some_slot_fits(submission: Submission) -> Iterator[Finding]:
    """Check each resource and each demand alone; if some slot has each, check all of them together."""
    if not submission.outgoing:
        return

    demands = [part for demand in submission.demands for part in conjuncts(demand)]
    slots = _slots()
    if slots is None:
        return  # said above
    if not slots:
        yield Finding(
            "The collector knows no slot at all: no execute point reports to this pool just now.",
            "Wait for `condor_status` to show slots, or submit from another access point.",
        )
        return

    found = [*_too_large(submission.requests, slots), *_unfulfilled(submission.requests, demands, slots)]
    yield from found or _not_together(submission.requests, demands, slots)


def conjuncts(expression: str) -> list[str]:
    """Split a ClassAd expression at each ``&&`` outside brackets and strings."""
    parts = [""]
    depth = 0

    for token in re.findall(r'"(?:\\.|[^"\\])*"|&&|.', expression, re.DOTALL):
        depth += (token in "([{") - (token in ")]}")
        if token == "&&" and depth == 0:
            parts.append("")
        else:
            parts[-1] += token

    return [part.strip() for part in parts]


def _silent(daemon: str, error: Exception) -> Finding:
    return Finding(
        f"No answer from the {daemon}: {error}",
        "Submit from an access point. If this is one, wait and try again, or tell those who run it.",
    )


def _slots() -> list[Slot] | None:
    """Return every slot, except those cut from another one; None when the collector does not answer."""
    import htcondor2

    try:
        ads = htcondor2.Collector().query(htcondor2.AdType.Startd, "DynamicSlot =!= true")
    except htcondor2.HTCondorException:
        return None
    return [Slot.of(ad) for ad in ads]


def _too_large(requests: set[ResourceRequest], slots: Sequence[Slot]) -> Iterator[Finding]:
    for field, (what, remedy) in RESOURCES.items():
        asked = max(getattr(request, field) for request in requests)
        largest = max((getattr(slot, field) for slot in slots), default=0)

        if asked > largest:
            yield Finding(
                f"{what}: a job asks for {asked:,}, and no slot of this pool has more than {largest:,.0f}.",
                f"{remedy} {ASK_THE_POOL}",
            )


def _unfulfilled(
    requests: set[ResourceRequest], demands: Sequence[str], slots: Sequence[Slot]
) -> Iterator[Finding]:
    from classad2 import ClassAdException, ExprTree

    for demand in demands:
        jobs = [_job_ad(request) for request in requests]

        try:
            if any(slot.fulfils(demand, job) for slot in slots for job in jobs):
                continue
            names = {name.split(".")[-1] for name in jobs[0].externalRefs(ExprTree(demand))}
        except ClassAdException:
            yield Finding(f"requirements: `{demand}` is no ClassAd expression.", "Correct it.")
            continue

        offered = "; ".join(_offered(name, slots) for name in sorted(names))
        yield Finding(
            f"requirements: no slot of this pool fulfils `{demand}` ({offered}).",
            f"Ask for what there is, in `submit: requirements` of condor/site.yaml. {ASK_THE_POOL}",
        )


def _not_together(
    requests: set[ResourceRequest], demands: Sequence[str], slots: Sequence[Slot]
) -> Iterator[Finding]:
    for request in requests:
        job = _job_ad(request)
        fitting = (slot for slot in slots if slot.has_room(request))

        if not any(all(slot.fulfils(demand, job) for demand in demands) for slot in fitting):
            asked = ", ".join(
                f"{what}: {getattr(request, field):,}" for field, (what, _) in RESOURCES.items()
            )
            yield Finding(
                f"No slot of this pool has all of this together: {', '.join([asked, *demands])}.",
                f"Ask for less of one of them. {ASK_THE_POOL}",
            )
            return


def _offered(name: str, slots: Sequence[Slot]) -> str:
    values = sorted({str(slot.ad.get(name, "not set")) for slot in slots})
    return f"{name}: {', '.join(values[:6])}{', ...' if len(values) > 6 else ''}"


def _job_ad(request: ResourceRequest) -> ClassAd:
    """Return an ad with what an expression can ask of a job before it has run."""
    from classad2 import ClassAd

    return ClassAd(
        {
            "RequestCpus": request.cpus,
            "RequestMemory": request.memory_mb,
            "RequestDisk": 1024 * request.disk_mb,
            "RequestGPUs": request.gpus,
            "JobStatus": 1,
            "NumJobStarts": 0,
        }
    )
