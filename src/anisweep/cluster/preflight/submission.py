"""Define what a check of preflight gets (a submission), and what it returns (findings)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from anisweep.cluster.jobs import Jobs, Outgoing
from anisweep.plan.requests import ResourceRequest


@dataclass(frozen=True)
class Finding:
    """Describe an obstacle of a submission.

    Attributes
    ----------
    wrong : what is wrong and where, in one sentence
    remedy : what to do
    severity : `stop` keeps jobs from going out; `warn` is said and nothing more
    """

    wrong: str
    remedy: str
    severity: Literal["stop", "warn"] = "stop"


@dataclass(frozen=True)
class Submission:
    """Hold what is about to be submitted."""

    jobs: Jobs
    outgoing: Sequence[Outgoing]

    @cached_property
    def requests(self) -> set[ResourceRequest]:
        """Return the different requests of the jobs."""
        return {each.request for each in self.outgoing}

    @cached_property
    def demands(self) -> list[str]:
        """Return what a slot must fulfil besides having space, as ClassAd expressions."""
        return [self.jobs.requirements] if self.jobs.requirements else []
