"""Jobs as their event log tells them; the texts are HTCondor's."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import tell

from snakemake_executor_plugin_condorsweep.events import EventLog
from snakemake_executor_plugin_condorsweep.holds import WORDS, words


def test_no_log_yet(tmp_path: Path) -> None:
    assert EventLog(tmp_path / "events.log").read() == []


def test_a_job_that_is_tried_again(tmp_path: Path) -> None:
    log = tmp_path / "events.log"
    for event, second, value in [
        ("submitted", 0, 0),
        ("executing", 2, 0),
        ("evicted", 5, 3),
        ("executing", 7, 0),
        ("terminated", 17, 0),
    ]:
        tell(log, event, second=second, value=value)

    (job,) = EventLog(log).read()

    assert (job.state, job.exit_code, job.attempts) == ("terminated", 0, 2)
    assert (job.host, job.slot) == ("ep1", "slot1_1@ep1")
    assert (job.sent_bytes, job.received_bytes) == (1010.0, 2020.0)
    assert job.first_started is not None
    assert (job.first_started - job.submitted, job.run_s) == (2.0, 10.0)


def test_a_hold_begins_and_ends(tmp_path: Path) -> None:
    log = tmp_path / "events.log"
    followed = EventLog(log)
    tell(log, "submitted")
    tell(log, "held", value=13, second=1)
    (job,) = followed.read()
    assert (job.state, job.holds[0].code, job.holds[0].until) == ("held", 13, None)

    tell(log, "released", second=31)
    assert followed.read() == [job]
    assert job.state == "idle"
    assert job.holds[0].until is not None
    assert job.holds[0].until - job.holds[0].since == 30.0
    assert "put it back" in job.holds[0].words


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    log = tmp_path / "events.log"
    followed = EventLog(log)
    tell(log, "submitted", proc=0)
    tell(log, "submitted", proc=1)
    assert len(followed.read()) == 2
    assert followed.read() == []

    tell(log, "executing", proc=1)
    assert [job.proc for job in followed.read()] == [1]


def test_half_an_event_waits_for_its_rest(tmp_path: Path) -> None:
    log = tmp_path / "events.log"
    tell(log, "submitted")
    whole = log.read_text()
    log.write_text(whole[:-5])
    followed = EventLog(log)
    assert followed.read() == []

    log.write_text(whole)
    assert len(followed.read()) == 1


def test_what_a_full_disk_has_torn_is_passed_over(tmp_path: Path) -> None:
    log = tmp_path / "events.log"
    tell(log, "submitted")
    log.write_text(log.read_text() + "001 (001.000.000) 2026-11-21 10:00:01 Job exe")
    tell(log, "terminated")
    log.write_text(log.read_text() + "036 (")

    (job,) = EventLog(log).read()

    assert job.succeeded


@pytest.mark.parametrize(("code", "subcode"), sorted(WORDS, key=str))
def test_words_name_the_job_where_they_name_a_command(code: int, subcode: int | None) -> None:
    said = words(code, subcode or 0, "what\n HTCondor says", "7.1")

    assert said.endswith(f"[hold {code}/{subcode or 0}: what HTCondor says]")
    assert "{" not in said
    assert "condor_" not in said or "7.1" in said


def test_unknown_hold_has_words_too() -> None:
    assert "condor_q -hold 7.1" in words(99, 0, "odd", "7.1")
