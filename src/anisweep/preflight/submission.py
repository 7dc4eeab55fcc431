"""What checks are given, and what they give back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from anisweep.cell import Pack
from anisweep.cluster.jobs import Jobs
from anisweep.config import Project
from anisweep.plan.requests import Request
from anisweep.site import Site


@dataclass(frozen=True)
class Finding:
    """Something in the way of a submission.

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
    """What is about to go out."""

    jobs: Jobs
    packs: Sequence[Pack]

    @property
    def project(self) -> Project:
        return self.jobs.project

    @property
    def site(self) -> Site:
        return self.jobs.site

    @cached_property
    def requests(self) -> set[Request]:
        """The different requests of the packs."""
        return {self.jobs.request(pack) for pack in self.packs}

    @cached_property
    def demands(self) -> list[str]:
        """What a slot must fulfil besides having room, as ClassAd expressions."""
        return [self.jobs.requirements] if self.jobs.requirements else []
