"""Jobs as their event log tells them; the texts are HTCondor's."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fakes import TEXTS, tell
from hypothesis import given, settings
from hypothesis import strategies as st

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


HELD = "012 (001.000.000) 2026-11-21 10:00:01 Job was held.\n\t{reason}\n\tCode 21 Subcode 3\n...\n"

#: What looks like an event, or like the end of one.
MIMICS = [
    "...",
    "005 (001.001.000) 2026-11-21 10:00:01 Job terminated.",
    "005 (001.001.000) 2026-11-21 10:00:01 Job terminated.\n\t(1) Normal termination (return value 0)",
    "005 (001.001.000) 2026-11-21 10:00:01 Job terminated.\n\t(1) Normal termination (return value 0)\n...",
    "...\n009 (001.001.000) 2026-11-21 10:00:01 Job was aborted.\n\tvia condor_rm\n...\n...",
    "036 (001.-01.000) 2026-11-21 10:00:01 Cluster removed\n...",
    "\tCode 1 Subcode 0",
]


@pytest.mark.parametrize("mimic", MIMICS)
@pytest.mark.parametrize("before", ["", "words ", "a line\n"])
def test_text_inside_a_hold_reason_is_no_event(tmp_path: Path, mimic: str, before: str) -> None:
    log = tmp_path / "events.log"
    tell(log, "submitted", proc=0)
    tell(log, "submitted", proc=1)
    with log.open("a") as stream:
        stream.write(HELD.format(reason=f"{before}{mimic}\nmore words"))
    tell(log, "executing", proc=1)
    followed = EventLog(log)

    followed.read()

    held, other = followed.jobs[1, 0], followed.jobs[1, 1]
    assert (held.state, held.holds[0].code, held.holds[0].subcode) == ("held", 21, 3)
    assert held.holds[0].reason == " ".join(f"{before}{mimic} more words".split())
    assert (other.state, followed.finished, followed.newly_odd()) == ("running", set(), [])


@pytest.mark.parametrize(
    "impossible",
    [
        "2026-13-45 10:00:00",
        "2026-02-30 10:00:00",
        "2026-11-21 25:61:00",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59",
        "2026-11-21 10:00:00.123456789012345678901234567890",
    ],
)
def test_impossible_date_costs_its_event_alone_and_is_named(tmp_path: Path, impossible: str) -> None:
    log = tmp_path / "events.log"
    tell(log, "submitted")
    event = (
        f"005 (001.000.000) {impossible} Job terminated.\n\t(1) Normal termination (return value 0)\n...\n"
    )
    with log.open("a") as stream:
        stream.write(event)
    tell(log, "executing")
    followed = EventLog(log)

    (job,) = followed.read()

    assert job.state in ("running", "terminated")
    assert [impossible in text for text in followed.newly_odd()] == [True] * (job.state == "running")


def test_numbers_that_cannot_be_cost_their_event_alone(tmp_path: Path) -> None:
    log = tmp_path / "events.log"
    tell(log, "submitted")
    many = "9" * 5000
    with log.open("a") as stream:
        stream.write(f"005 ({many}.000.000) 2026-11-21 10:00:00 Job terminated.\n...\n")
        stream.write(
            f"012 (001.000.000) 2026-11-21 10:00:00 Job was held.\n\twhy\n\tCode {many} Subcode 0\n...\n"
        )
    tell(log, "terminated", value=0)
    followed = EventLog(log)

    (job,) = followed.read()

    assert job.succeeded
    assert len(followed.newly_odd()) == 1


@pytest.fixture
def at_home_in_berlin(live_in: Callable[[str], None]) -> None:
    live_in("Europe/Berlin")


@pytest.mark.usefixtures("at_home_in_berlin")
def test_hour_that_comes_twice(tmp_path: Path) -> None:
    log = tmp_path / "events.log"
    text = ""
    for kind, when, said in [
        ("000", "01:59:00", "Job submitted from host: <x>"),
        ("001", "02:50:00", "Job executing on host: <x>"),
        ("005", "02:10:00", "Job terminated.\n\t(1) Normal termination (return value 0)"),
    ]:
        text += f"{kind} (001.000.000) 2026-10-25 {when} {said}\n...\n"
    log.write_text(text)

    (job,) = EventLog(log).read()

    assert job.first_started is not None
    assert (job.first_started - job.submitted, job.run_s) == (51 * 60.0, 20 * 60.0)
    assert job.since == datetime(2026, 10, 25, 1, 10, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("zone", ["UTC", "America/Chicago", "Asia/Kathmandu", "Pacific/Auckland"])
@pytest.mark.usefixtures("at_home_in_berlin")
def test_log_of_another_time_zone(tmp_path: Path, zone: str) -> None:
    log = tmp_path / "events.log"
    submitted = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=20)
    local = submitted.astimezone(ZoneInfo(zone))
    for event, minutes in (("submitted", 0), ("executing", 5), ("terminated", 15)):
        words = TEXTS[event].format(
            c=1, p=0, value=0, when=f"{local + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}"
        )
        with log.open("a") as stream:
            stream.write(f"{words}...\n")
    ended = submitted.timestamp() + 15 * 60
    os.utime(log, (ended, ended))

    (job,) = EventLog(log, since=submitted.timestamp() - 5).read()

    assert (job.submitted, job.run_s, job.since) == (submitted.timestamp(), 600.0, ended)


#: What may lie between good events. None of it is one, and none says that it goes on.
RUBBISH = st.one_of(
    st.binary(max_size=40).map(lambda some: some.replace(b".", b"") + b"\n...\n"),
    st.sampled_from(
        [
            b"\n...\n",
            b"001 (001.000.000) 2026-99-99 10:00:00 Job executing on host: <x>\n...\n",
            b"001 (001.000.000) 2026-11-21 10:00:00 Job exe",
            b"005 (001.000.000) 2026-11-21 10:0",
            b"012 (001.007.000) 2026-11-21 10:00:00 Job was held.\n\twh",
            b"\xff\xfe\x00",
            b"028 (001.000.000) 2026-11-21 10:00:00 Job ad information event triggered.\nA = 1\n...\n",
        ]
    ),
)
GOOD = st.tuples(
    st.sampled_from(["executing", "evicted", "held", "released", "terminated"]), st.integers(0, 2)
)


@settings(max_examples=300)
@given(story=st.lists(st.tuples(RUBBISH | st.none(), GOOD), max_size=12), cuts=st.lists(st.integers(0, 2000)))
def test_no_rubbish_costs_a_good_event(
    story: list[tuple[bytes | None, tuple[str, int]]], cuts: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clean, dirty, growing = (Path(folder) / name for name in ("clean", "dirty", "growing"))
        for rubbish, (event, proc) in story:
            with dirty.open("ab") as stream:
                stream.write(rubbish or b"")
            for log in (clean, dirty):
                tell(log, event, proc=proc)

        expected, found = EventLog(clean), EventLog(growing)
        expected.read()
        text = dirty.read_bytes() if story else b""
        for cut in [*sorted(cut for cut in cuts if cut < len(text)), len(text)]:
            growing.write_bytes(text[:cut])
            found.read()

        known = {key: replace(job, holds=[], submitted=0.0) for key, job in expected.jobs.items()}
        assert {
            key: replace(job, holds=[], submitted=0.0) for key, job in found.jobs.items() if key in known
        } == known


@settings(max_examples=200)
@given(text=st.binary(max_size=300))
def test_any_bytes_are_read(text: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "events.log"
        log.write_bytes(text + b"\n...\n")
        tell(log, "submitted")
        followed = EventLog(log)
        followed.read()

        assert (1, 0) in followed.jobs


@pytest.mark.parametrize("known", WORDS, ids=str)
def test_words_name_the_job_where_they_name_a_command(known: int | tuple[int, int]) -> None:
    code, subcode = known if isinstance(known, tuple) else (known, 0)
    said = words(code, subcode, "what\n HTCondor says", "7.1")

    assert said.endswith(f"[hold {code}/{subcode}: what HTCondor says]")
    assert "{" not in said
    assert "condor_" not in said or "7.1" in said


def test_unknown_hold_has_words_too() -> None:
    assert "condor_q -hold 7.1" in words(99, 0, "odd", "7.1")
