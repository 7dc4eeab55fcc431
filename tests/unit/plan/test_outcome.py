"""What has no measurement is no success: it is counted and named, and a command tries it again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import examples
from anisweep.artifacts.sealed import sealed, unsealed
from anisweep.plan.outcome import SHOWN, Unmeasured, command_of, in_words, unmeasured
from anisweep.plan.text import plan_as_json, plan_as_text


@pytest.mark.parametrize("status", ["failed", "stalled"])
def test_a_cell_that_was_tried_in_vain_is_not_measured(plan, measure, project, status):
    measure(status=status, replicates=1)
    measure()
    made = plan()

    left = unmeasured(project, made.cells)
    assert [each.status for each in left] == [status] * 2
    assert {each.cell.key for each in left} == made.failed
    assert made.to_measure == []
    assert plan_as_text(made).startswith(
        "4 cells: 2 measured, 2 failed or stalled, 0 in flight, 0 to measure."
    )
    assert (plan_as_json(made)["measured"], plan_as_json(made)["failed"]) == (2, 2)


@pytest.mark.parametrize("status", ["ok", "wrong", "unavailable"])
def test_an_answer_that_nobody_likes_is_one(plan, measure, project, status):
    measure(status=status)

    assert unmeasured(project, plan().cells) == []
    assert plan().failed == set()


def test_a_cell_that_no_artifact_holds_is_missing(plan, measure, project):
    measure(replicates=1)
    cells = plan().cells

    assert [(each.status, each.cell.replicate) for each in unmeasured(project, cells)] == [("missing", 2)] * 2


def test_a_later_try_that_succeeds_counts(plan, measure, project):
    measure(status="failed")
    measure(retry=True, started="2026-01-02T00:00:00+00:00")

    assert unmeasured(project, plan().cells) == []


def test_asked_for_again_they_are_to_be_measured_and_no_longer_counted_as_tried(plan, measure):
    measure(status="failed")
    made = plan(retry=True)

    assert len(made.to_measure) == 4
    assert made.failed == set()


def test_the_last_line_counts_and_says_what_tries_again():
    cells = [examples.cell(replicate=number) for number in range(1, 10)]
    left = [Unmeasured(cell, "failed", "it broke\nTraceback") for cell in cells[:7]]
    left.append(Unmeasured(cells[7], "missing"))

    lines = in_words(left, 20, "COMMAND").splitlines()
    assert lines[0] == f"  failed: {cells[0].label}: it broke"
    assert lines[SHOWN] == "  ... and 3 more"
    assert lines[-1] == "8 of 20 cells have no measurement (7 failed, 1 missing). To try again: COMMAND"


@pytest.mark.parametrize(
    ("profile", "overrides", "command"),
    [
        ("local", {"study": "first_look", "site": "local"}, "snakemake --profile local"),
        ("chtc", {"site": "chtc", "retry": True}, "snakemake --profile chtc --config retry=True"),
        (
            "local",
            {"study": ["tiny", "mine"], "hypers": {"max_angular": 3}},
            """snakemake --profile local --config 'study=["tiny", "mine"]' 'hypers={"max_angular": 3}'""",
        ),
    ],
)
def test_the_command_names_what_is_not_usual(project, monkeypatch, profile, overrides, command):
    monkeypatch.delenv("_CONDOR_JOB_AD", raising=False)

    assert command_of(project, profile, overrides) == command


def test_inside_the_job_of_a_controller_another_controller_tries_again(project, monkeypatch):
    monkeypatch.setenv("_CONDOR_JOB_AD", "/somewhere/.job.ad")
    given = {"study": "tiny", "site": "chtc", "retry": True}

    assert command_of(project, "chtc", given) == "anisweep submit --controller study=tiny retry=True"


def test_an_index_of_before_is_read_again(plan, measure, project):
    """It does not know which cells were tried in vain."""
    measure(status="failed")
    plan()
    for file in (project.state / "index").glob("*.json"):
        plain = json.loads(bytes(unsealed(file.read_bytes())))
        plain.pop("unfinished", None)
        file.write_bytes(sealed(json.dumps(plain).encode()))

    assert len(plan().failed) == 4
    assert replace(plan(), failed=set()).to_measure == []
