"""The claims of the project, and what a wrong file of claims is told."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from anisweep import modes
from anisweep.analysis.claims.claim import Bound, Claim, ClaimFile, load_claims
from anisweep.cli import main
from anisweep.config.project import Project
from anisweep.errors import UserError

ROOT = Path(__file__).resolve().parents[4]

#: The rows of both tables of the profiling study.
CLAIMED = [
    "einsum_share",
    "einsum_calls",
    "torch_is_faster",
    "per_species",
    "full_against_mixed",
    "fp32_accuracy",
    "flat_over_species",
    "with_imports",
    "why_torch_wins",
    "apple_mps",
    "expectations",
]
CAPABILITIES = [
    "real_modes",
    "hotspots",
    "conversion",
    "decision_logic",
    "species_scaling",
    "precision",
    "invariances",
    "downstream",
    "accelerators",
    "when_not",
    "utilisation",
    "bundles",
    "thread_parity",
    "old_bundles",
]

#: A file of claims with one row.
FILE = """\
source: somebody
tables:
  claims:
    rows_there: 1
    rows:
      speed:
        row: it is fast
        claims:
          - says: it is twice as fast
            figure: 2.0
            measure: {quantity: time_ratio, of: {mode: numpy_only}, to: {mode: torch_full}}
"""


def test_every_row_of_the_profiling_study_is_there() -> None:
    tables = load_claims(Project(ROOT))["1_profiling_study"].tables

    assert list(tables["what_was_claimed"].rows) == CLAIMED
    assert list(tables["capabilities"].rows) == CAPABILITIES


def test_every_source_is_there() -> None:
    sources = load_claims(Project(ROOT))
    rows = [sum(len(table.rows) for table in source.tables.values()) for source in sources.values()]

    assert [name[0] for name in sources] == ["1", "2", "3", "4"]
    assert rows == [25, 6, 7, 7]


def _modes_of(conditions: dict[str, Any]) -> list[str]:
    named = conditions.get("mode", [])
    return [named] if isinstance(named, str) else list(named)


def test_modes_and_results_that_claims_name_are_there() -> None:
    """A slip of the pen would find no row, and its claim would wait for a study for ever."""
    known = {*modes.names(), *(mode for task in modes.tasks() for mode in modes.names_in(task))}
    results = {f"result_{name}" for task in modes.tasks() for name in modes.meanings_of_results(task)}
    tables = [table for file in load_claims(Project(ROOT)).values() for table in file.tables.values()]
    rows = [row for table in tables for row in table.rows.values()]

    for claim in [claim for row in rows for claim in row.claims]:
        measure = {} if claim.measure is None else claim.measure.model_dump()
        conditions = [claim.conditions, measure.get("of") or {}, measure.get("to") or {}]
        assert {mode for each in conditions for mode in _modes_of(each)} <= known, claim.says
        for column in (measure.get("column"), measure.get("per")):
            assert not str(column).startswith("result_") or column in results, claim.says


@pytest.mark.parametrize(
    ("given", "low", "high"),
    [
        ({"figure": 2.0}, 1.8, 2.2),
        ({"figure": -1.0}, -1.1, -0.9),
        ({"between": [0.66, 0.77]}, 0.66, 0.77),
        ({"exactly": 17752}, 17752, 17752),
        ({"at_least": 20}, 20, float("inf")),
        ({"at_most": 0.05}, float("-inf"), 0.05),
    ],
)
def test_ranges(given: dict[str, float], low: float, high: float) -> None:
    bound = Claim.model_validate({"says": "x", "open": "y", **given}).bound

    assert bound is not None
    assert (bound.low, bound.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("rows_there: 1", "rows_there: 2", "1 row is not allowed. Allowed: 2"),
        ("figure: 2.0", "", "what has a measurement needs one"),
        ("figure: 2.0", "figure: 2.0\n            at_most: 3", "the claimed range is one of"),
        ("figure: 2.0", "figure: 2.0\n            open: later", "a claim has either `measure`"),
        ("mode: torch_full", "mod: torch_full", "there is no column 'mod'. Did you mean 'mode'?"),
        ("time_ratio", "time_rato", "time_ratio"),
        ("says:", "say:", "Did you mean 'says'?"),
    ],
)
def test_a_wrong_file_is_refused_in_words(project: Project, old: str, new: str, words: str) -> None:
    for file in project.claim_files():
        file.unlink()

    file = project.root / "config" / "claims" / "mine.yaml"
    assert FILE.count(old) == 1
    file.write_text(textwrap.dedent(FILE).replace(old, new))

    with pytest.raises(UserError) as refused:
        load_claims(project)

    assert "config/claims/mine.yaml" in str(refused.value)
    assert words in str(refused.value)


def test_the_example_of_the_how_to_is_a_file_of_claims() -> None:
    page = (ROOT / "docs" / "how-to" / "add-a-claim.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    source = ClaimFile.model_validate(yaml.safe_load(example))

    assert source.tables["table_1"].rows["speed"].claims[0].bound == Bound(1.8, 2.2)


def test_without_files_there_is_nothing_to_judge(project: Project) -> None:
    for file in project.claim_files():
        file.unlink()

    with pytest.raises(UserError, match="no file of claims"):
        load_claims(project)


def test_the_command_prints_every_row_and_fails_on_a_missing_one(project: Project) -> None:
    said = CliRunner().invoke(main, ["claims"])
    assert said.exit_code == 0, said.output

    for source in load_claims(project).values():
        for table in source.tables.values():
            assert all(row.row in said.output for row in table.rows.values())

    file = project.claim_files()[0]
    text = file.read_text()
    start, end = text.index("      hotspots:"), text.index("      conversion:")
    file.write_text(text[:start] + text[end:])

    said = CliRunner().invoke(main, ["claims"])
    assert said.exit_code == 1
    assert "capabilities: 13 rows are not allowed. Allowed: 14" in said.output
