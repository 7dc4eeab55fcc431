"""How entries end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import tell

from snakemake_executor_plugin_condorsweep import follower as follower_module
from snakemake_executor_plugin_condorsweep.batch import Batch
from snakemake_executor_plugin_condorsweep.follower import Follower, function, move, settle
from snakemake_executor_plugin_condorsweep.ledger import Ledger, ledgers_in


def arrive(batch: Batch, number: int, text: str = "sound\n") -> None:
    """Entry ``number`` succeeds."""
    (batch.root / batch.inbox(batch.entries[number])).write_text(text)
    batch.printed(batch.entries[number]).write_text("heard\n")
    tell(batch.events, "executing", proc=number)
    tell(batch.events, "terminated", proc=number)


def submit(batch: Batch) -> None:
    for number in range(3):
        tell(batch.events, "submitted", proc=number)


def test_completed(batch: Batch) -> None:
    submit(batch)
    arrive(batch, 1)

    (record,) = settle(batch)

    assert (record.entry, record.end, record.host, record.attempts) == ("e1", "completed", "ep1", 1)
    assert (batch.root / "out" / "e1.txt").read_text() == "sound\n"
    assert (batch.root / "logs" / "e1.log").read_text() == "heard\n"
    assert not batch.closed
    assert settle(batch) == []


def test_closed_when_all_have_ended(batch: Batch) -> None:
    submit(batch)
    for number in range(3):
        arrive(batch, number)

    assert len(settle(batch)) == 3
    assert batch.closed


def test_nothing_is_accepted_before_its_job_has_ended(batch: Batch) -> None:
    submit(batch)
    tell(batch.events, "executing")
    (batch.root / batch.inbox(batch.entries[0])).write_text("half")

    assert settle(batch) == []
    assert not (batch.root / "out" / "e0.txt").exists()


def test_failing_command_fails_permanently_with_its_status(batch: Batch) -> None:
    submit(batch)
    tell(batch.events, "executing")
    tell(batch.events, "terminated", value=3)
    records: list[tuple[str, str]] = []

    (record,) = settle(batch, give_up=lambda output, reason: records.append((output.name, reason)))

    assert record.end == "failed permanently"
    assert records == [("e0.txt", "the command ended with exit status 3 (the last on ep1)")]


def test_hold_that_htcondor_ends_is_the_reason(batch: Batch) -> None:
    submit(batch)
    tell(batch.events, "held", value=34)
    tell(batch.events, "aborted")

    (record,) = settle(batch)

    assert "Ask for more in the rule" in record.reason


def test_removed_by_hand_while_held_by_hand(batch: Batch) -> None:
    submit(batch)
    tell(batch.events, "held", value=1)
    tell(batch.events, "aborted")

    (record,) = settle(batch)

    assert record.reason == "removed from the queue: via condor_rm (by user zoe)"


def test_damaged(batch: Batch) -> None:
    def refuse(arrived: Path, output: Path) -> None:
        raise ValueError("not sound")

    submit(batch)
    arrive(batch, 0)

    (record,) = settle(batch, accept=refuse)

    assert (record.end, record.reason) == ("damaged", "not sound")


def test_success_without_a_file_is_damaged(batch: Batch) -> None:
    submit(batch)
    arrive(batch, 0)
    (batch.root / batch.inbox(batch.entries[0])).unlink()

    assert [record.end for record in settle(batch)] == ["damaged"]


def test_trouble_that_passes_loses_nothing(batch: Batch) -> None:
    full = [True]

    def accept(arrived: Path, output: Path) -> None:
        if full[0]:
            raise OSError(28, "No space left on device")
        output.parent.mkdir(exist_ok=True)
        arrived.rename(output)

    submit(batch)
    arrive(batch, 0)
    follower = Follower(batch, accept)
    assert follower.step() == []
    assert "No space left" in follower.trouble

    full[0] = False
    assert [record.end for record in follower.step()] == ["completed"]
    assert follower.trouble == ""


@pytest.mark.parametrize("checked", [True, False])
def test_jobs_that_vanish_without_a_word(batch: Batch, checked: bool) -> None:
    """One plain file may have come in part; whoever checks it knows."""
    submit(batch)
    arrive(batch, 0)
    (batch.root / batch.inbox(batch.entries[1])).write_text("sound\n")
    follower = Follower(batch, (lambda arrived, output: move(arrived, output)) if checked else None)

    ends = {j.entry: j.end for j in follower.step(queue={(1, None), (1, 2)})}

    assert ends == {"e0": "completed", "e1": "completed" if checked else "damaged"}
    assert [entry.name for entry in follower.open_entries] == ["e2"]
    (last,) = follower.step(queue=set())
    assert last.reason == "its job vanished from the queue without a word in the event log"


@pytest.mark.parametrize(("status", "end"), [(0, "completed"), (1, "failed permanently")])
def test_outputs_in_their_places_count_if_their_job_succeeds(batch: Batch, status: int, end: str) -> None:
    shared = replace(batch, entries=tuple(replace(entry, in_place=True) for entry in batch.entries))
    submit(shared)
    output = shared.root / shared.entries[0].output
    output.parent.mkdir()
    output.write_text("made here\n")
    assert settle(shared) == []
    tell(shared.events, "executing")
    tell(shared.events, "terminated", value=status)

    (record,) = settle(shared)

    assert record.end == end
    assert output.exists() == (end == "completed")
    assert (shared.folder / "replaced" / shared.entries[0].output).exists() == (end != "completed")


def test_shared_file_system_that_lags_is_waited_for(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_module, "LATENCY_S", float("inf"))
    shared = replace(batch, entries=tuple(replace(entry, in_place=True) for entry in batch.entries))
    submit(shared)
    tell(shared.events, "executing")
    tell(shared.events, "terminated")
    follower = Follower(shared)
    assert follower.step() == []
    assert "the shared file system does not show it here yet" in follower.trouble

    (shared.root / "out").mkdir()
    (shared.root / shared.entries[0].output).write_text("made\n")

    assert [record.end for record in follower.step()] == ["completed"]


def test_jobs_that_never_came_into_being(batch: Batch) -> None:
    tell(batch.events, "cluster")
    tell(batch.events, "submitted", proc=0)
    follower = Follower(batch)
    assert follower.step(queue={(1, None), (1, 0)}) == []

    tell(batch.events, "aborted", proc=0)
    tell(batch.events, "finished")

    assert {record.end for record in follower.step()} == {"failed permanently"}
    assert batch.closed


def test_cancelled_ones_leave_no_record(batch: Batch) -> None:
    submit(batch)
    arrive(batch, 0)
    batch.mark("cancelled")
    for number in (1, 2):
        tell(batch.events, "aborted", proc=number)
    records: list[str] = []

    ends = [j.end for j in settle(batch, give_up=lambda output, reason: records.append(reason))]

    assert ends == ["completed", "cancelled", "cancelled"]
    assert records == []


def test_submitted_twice_by_hand_the_success_counts(batch: Batch) -> None:
    submit(batch)
    for number in range(3):
        tell(batch.events, "submitted", cluster=2, proc=number)
    arrive(batch, 0)
    tell(batch.events, "terminated", cluster=2, proc=0, value=1)

    assert [record.end for record in settle(batch)] == ["completed"]


@pytest.mark.parametrize("name", ["nothing", "no.module:f", "json:nothing"])
def test_function_that_is_not_there(name: str) -> None:
    with pytest.raises(ValueError, match="names no function"):
        function(name)


#: What the former version wrote of an entry that had ended.
FORMER_LINE = (
    '{{"entry": "{entry}", "output": "out/{entry}.txt", "end": "{end}", "reason": "", "cluster": 1, '
    '"proc": 0, "host": "ep1", "slot": "slot1", "attempts": 1, "queued_s": 1.0, "run_s": 2.0, '
    '"sent_bytes": 0.0, "received_bytes": 0.0, "submitted": 1e9, "started": 1e9, "ended": 1e9, '
    '"holds": []}}\n'
)


def test_batch_that_the_former_version_began_is_settled(batch: Batch) -> None:
    """Its file and its words for ends keep their old names; what ends now is written there too."""
    submit(batch)
    former = batch.folder / "journeys.jsonl"
    ends = {"e0": "home", "e1": "given up"}
    former.write_text("".join(FORMER_LINE.format(entry=entry, end=end) for entry, end in ends.items()))
    arrive(batch, 2)

    assert [record.entry for record in settle(batch)] == ["e2"]

    assert batch.closed
    assert ledgers_in(batch.folder.parent) == [former]
    assert {name: record.end for name, record in Ledger(former).read().items()} == {
        "e0": "completed",
        "e1": "failed permanently",
        "e2": "completed",
    }
