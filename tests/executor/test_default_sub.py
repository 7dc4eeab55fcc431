"""The expressions of the default description, evaluated for every kind of hold."""

from __future__ import annotations

import pytest

from snakemake_executor_plugin_condorsweep.submit_file import DEFAULT

htcondor2 = pytest.importorskip("htcondor2", reason="no HTCondor on this platform")
classad2 = pytest.importorskip("classad2")

WAIT_S = 300


def evaluated(command: str, code: int, holds: int, waited_s: float) -> bool:
    """The value of an expression for a job that has been held for a while.

    Parameters
    ----------
    code : why it is held now; every one of its ``holds`` had this cause
    """
    described = htcondor2.Submit(DEFAULT.read_text())
    names = {12: "TransferOutputError", 13: "TransferInputError", 1: "UserRequest"}
    ad = classad2.ClassAd(
        {
            "JobStatus": 5,
            "HoldReasonCode": code,
            "NumHoldsByReason": {names.get(code, "Other"): holds},
            "EnteredCurrentStatus": 1_000_000,
            "now": 1_000_000 + waited_s,
        }
    )
    text = described.expand(command).replace("time()", "now")
    return bool(classad2.ExprTree(text).eval(ad))


@pytest.mark.parametrize(
    ("code", "holds", "waited_s", "released", "removed"),
    [
        pytest.param(13, 1, WAIT_S - 10, False, False, id="input: waits"),
        pytest.param(13, 1, WAIT_S + 10, True, False, id="input: tries again"),
        pytest.param(13, 2, WAIT_S + 10, False, False, id="input: waits longer"),
        pytest.param(13, 2, 2 * WAIT_S + 10, True, False, id="input: tries once more"),
        pytest.param(13, 3, 9 * WAIT_S, False, True, id="input: ends"),
        pytest.param(12, 1, WAIT_S + 10, True, False, id="output: tries again"),
        pytest.param(12, 3, 9 * WAIT_S, False, True, id="output: ends"),
        pytest.param(1, 9, 9 * WAIT_S, False, False, id="by hand"),
        pytest.param(15, 1, 9 * WAIT_S, False, False, id="submitted on hold"),
        pytest.param(16, 1, 9 * WAIT_S, False, False, id="spooling"),
        pytest.param(6, 1, 10, False, True, id="cannot start"),
        pytest.param(26, 1, 10, False, True, id="rule of the pool"),
        pytest.param(34, 1, 10, False, True, id="memory or disk, beyond the largest"),
        pytest.param(47, 1, 10, False, True, id="too long"),
    ],
)
def test_what_becomes_of_a_hold(
    code: int, holds: int, waited_s: float, released: bool, removed: bool
) -> None:
    assert evaluated("periodic_release", code, holds, waited_s) == released
    assert evaluated("periodic_remove", code, holds, waited_s) == removed


def test_job_that_is_not_held_is_left_alone() -> None:
    described = htcondor2.Submit(DEFAULT.read_text())
    ad = classad2.ClassAd({"JobStatus": 2, "EnteredCurrentStatus": 0})

    assert classad2.ExprTree(described.expand("periodic_remove")).eval(ad) is False
    assert classad2.ExprTree(described.expand("periodic_release")).eval(ad) is not True
