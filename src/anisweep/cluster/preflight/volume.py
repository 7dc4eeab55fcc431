"""Check that a submission does not ask too much of the access point.

CHTC wants to be asked first; nothing breaks.
"""

from __future__ import annotations

from collections.abc import Iterator

from anisweep.cluster.preflight.submission import Finding, Submission
from anisweep.formatting import counted

MOST_JOBS = 10_000

#: Above so many jobs each should last so long on average.
MANY_JOBS = 1_000
SHORT_MINUTES = 5

LONGER = "Studies: `target_minutes=30`, and `packing=merged` if it is `cell`; features: `target_minutes:`."

#: Of images, that the access point itself sends.
MOST_GIGABYTES = 100


def not_too_many(submission: Submission) -> Iterator[Finding]:
    """Warn of more jobs than CHTC takes without being asked."""
    jobs = len(submission.outgoing)

    if jobs > MOST_JOBS:
        yield Finding(
            f"{jobs:,} jobs at once; CHTC wants to be asked above {MOST_JOBS:,}.",
            "Ask its facilitators, take fewer at a time (`--pilot N`, `replicates=N`), or let a job do more. "
            + LONGER,
            "warn",
        )


def not_too_short(submission: Submission) -> Iterator[Finding]:
    """Warn of many jobs that are shorter than CHTC wants them."""
    jobs = len(submission.outgoing)
    minutes = sum(each.estimated_s for each in submission.outgoing) / 60 / max(jobs, 1)

    if jobs > MANY_JOBS and minutes < SHORT_MINUTES:
        yield Finding(
            f"{jobs:,} jobs of {minutes:.1f} minutes on average; above {MANY_JOBS:,} jobs CHTC wants "
            f"{SHORT_MINUTES} minutes or more.",
            f"Let a job do more. {LONGER}",
            "warn",
        )


def images_not_too_often(submission: Submission) -> Iterator[Finding]:
    """Warn of images that go from here to each job, as no cache of the pool carries them."""
    sent = [each.device for each in submission.outgoing if "://" not in submission.jobs.image(each.device)]
    gigabytes = sum(map(submission.jobs.image_mb, sent)) / 1024

    if gigabytes > MOST_GIGABYTES and not submission.jobs.site.submit.get("container_is_common"):
        yield Finding(
            f"{counted(len(sent), 'job')} take their image from this machine, {gigabytes:,.0f} GB in all.",
            "Name a folder below /staging in condor/site.yaml: the pool's caches carry its files. Or let a "
            f"job do more. {LONGER}",
            "warn",
        )
