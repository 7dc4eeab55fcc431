"""Read claims as typed data: each file of ``config/claims`` holds one source with its tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, model_validator

from anisweep.analysis.claims.conditions import Conditions
from anisweep.analysis.claims.quantities import Measurement
from anisweep.config.load import read_yaml, validated
from anisweep.config.project import Project
from anisweep.config.sections import ConfigSection, Name
from anisweep.errors import UserError
from anisweep.formatting import counted

#: What a single number means when the claim does not say otherwise.
TOLERANCE = 0.10


@dataclass(frozen=True)
class Bound:
    """Hold the claimed range, both ends included; infinite where the claim leaves it open."""

    low: float
    high: float


class Claim(ConfigSection):
    """One statement with its range, and how this project measures it.

    The range is one of `figure` (± 10 %), `between`, `at_least`, `at_most` and `exactly`.
    """

    says: Annotated[str, Field(min_length=1, description="the statement, in a sentence")]
    figure: Annotated[float | None, Field(description="a single number, which means ± 10 %")] = None
    between: Annotated[tuple[float, float] | None, Field(strict=False, description="both ends included")] = (
        None
    )
    at_least: Annotated[float | None, Field(description="included")] = None
    at_most: Annotated[float | None, Field(description="included")] = None
    exactly: Annotated[float | None, Field(description="for counts")] = None
    conditions: Annotated[Conditions, Field(default_factory=dict, description="on top of the table's")]
    measure: Annotated[Measurement | None, Field(description="the measurement, from the tables")] = None
    needs: Annotated[str, Field(description="what a machine must have to measure it")] = ""
    open: Annotated[str, Field(description="why there is no measurement yet")] = ""
    not_measurable: Annotated[str, Field(description="why there can be none here")] = ""

    @model_validator(mode="after")
    def _complete(self) -> Claim:
        if sum(map(bool, (self.measure, self.open, self.not_measurable))) != 1:
            raise ValueError(
                "a claim has either `measure`, or the reason why not: `open` or `not_measurable`. Keep one."
            )

        ranges = [self.figure, self.between, self.at_least, self.at_most, self.exactly]
        given = sum(value is not None for value in ranges)
        if given > 1 or (self.measure and not given):
            raise ValueError(
                "the claimed range is one of `figure`, `between`, `at_least`, `at_most`, `exactly`; "
                "what has a measurement needs one. Keep one."
            )
        return self

    @property
    def bound(self) -> Bound | None:
        """Return the claimed range, if the claim has one."""
        if self.figure is not None:
            ends = sorted([(1 - TOLERANCE) * self.figure, (1 + TOLERANCE) * self.figure])
            return Bound(*ends)
        if self.between is not None:
            return Bound(*sorted(self.between))
        if self.exactly is not None:
            return Bound(self.exactly, self.exactly)
        if self.at_least is not None:
            return Bound(self.at_least, float("inf"))
        return None if self.at_most is None else Bound(float("-inf"), self.at_most)


class ClaimedRow(ConfigSection):
    """A row of a source's table, and the claims that it makes; its conditions hold for all of them."""

    row: Annotated[str, Field(min_length=1, description="the row as it stands in the table")]
    conditions: Annotated[Conditions, Field(default_factory=dict, description="column: value")]
    claims: Annotated[list[Claim], Field(min_length=1, description="what the row claims")]


class ClaimedTable(ConfigSection):
    """A table of a source; its conditions hold for every claim in it."""

    rows_there: Annotated[
        int, Field(ge=1, description="rows of the table in the source: none may be missing")
    ]
    conditions: Annotated[Conditions, Field(default_factory=dict, description="column: value")]
    rows: Annotated[dict[Name, ClaimedRow], Field(description="by a short name, in their order")]

    @model_validator(mode="after")
    def _all_rows(self) -> ClaimedTable:
        if len(self.rows) != self.rows_there:
            raise ValueError(
                f"{counted(len(self.rows), 'row is', 'rows are')} not allowed. "
                f"Allowed: {self.rows_there}, as `rows_there` says. "
                "Add the missing row with its claims; what cannot be measured is `open` or `not_measurable`."
            )
        return self


class ClaimFile(ConfigSection):
    """A file of config/claims."""

    source: Annotated[str, Field(min_length=1, description="who claims it, and where it can be read")]
    tables: Annotated[dict[Name, ClaimedTable], Field(min_length=1, description="by a short name")]


def load_claims(project: Project) -> dict[str, ClaimFile]:
    """Load every file of ``config/claims``, by its name.

    Raises
    ------
    UserError
        naming the file, the key, what came and what is allowed
    """
    files = project.claim_files()
    if not files:
        raise UserError(
            f"{project.root / 'config' / 'claims'}: no file of claims. Allowed: at least one NAME.yaml.\n"
            "The project's own are in its repository: take them from there."
        )
    return {
        file.stem: validated(ClaimFile, read_yaml(file), str(file.relative_to(project.root)))
        for file in files
    }
