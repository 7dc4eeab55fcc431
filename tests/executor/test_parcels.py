"""All outputs of a job are accepted together or not at all, whenever the controller is killed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes import SHAPE, tell

from snakemake_executor_plugin_condorsweep.batch import FURTHER_LOG, OWN_LOG, Batch, Entry
from snakemake_executor_plugin_condorsweep.follower import Follower, settle
from snakemake_executor_plugin_condorsweep.parcel import SIZES, Parcel
from snakemake_executor_plugin_condorsweep.submit_file import Site, files_of

OUTPUTS = ("out/a.txt", "out/folder", "c.tsv")


@pytest.fixture
def parcel(tmp_path: Path) -> Batch:
    """A batch of one job, which has brought three outputs; one of them was there before."""
    entry = Entry("a", OUTPUTS[0], (), "true", "a.log", parcel=Parcel(OUTPUTS, benchmark="c.tsv"))
    made = Batch.new(tmp_path, "batches", "make", [entry])
    made.write(files_of(made, SHAPE, Site()))
    (tmp_path / "c.tsv").write_text("old\n")

    arrived = tmp_path / made.inbox(entry)
    (arrived / "1" / "empty").mkdir(parents=True)
    for name in ("0", "1/file", "2"):
        (arrived / name).write_text("new\n")
    (arrived / SIZES).write_text("4\n4\n4\n")
    for event in ("submitted", "executing", "terminated"):
        tell(made.events, event)
    return made


def in_place(batch: Batch) -> list[str]:
    there = [name for name in ("out/a.txt", "out/folder/file") if (batch.root / name).exists()]
    new = (batch.root / "c.tsv").exists() and (batch.root / "c.tsv").read_text() == "new\n"
    return [*there, *(["c.tsv"] if new else [])]


class Killed(BaseException):
    """What no code expects."""


def test_batch_with_a_parcel_is_read_as_it_was_written(parcel: Batch) -> None:
    assert Batch.read(parcel.root, parcel.folder) == parcel


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", range(6))
def test_kill_between_two_renames_does_not_count(
    parcel: Batch, monkeypatch: pytest.MonkeyPatch, call: int, after: bool
) -> None:
    rename, calls = Path.rename, []

    def killed(self: Path, target: Path) -> Path:
        calls.append(self)
        if len(calls) != call + 1:
            return rename(self, target)
        if after:
            rename(self, target)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", killed)
        try:
            settle(parcel)
        except Killed:
            assert not parcel.ledger.exists()

    settle(parcel)
    assert in_place(parcel) == ["out/a.txt", "out/folder/file", "c.tsv"]
    assert (parcel.folder / "replaced" / "c.tsv").read_text() == "old\n"
    assert len(list((parcel.folder / "replaced").iterdir())) == 1
    assert parcel.closed
    assert list((parcel.folder / "accepted").iterdir()) == list((parcel.folder / "inbox").iterdir()) == []


def test_what_is_incomplete_moves_nothing(parcel: Batch) -> None:
    (parcel.root / parcel.inbox(parcel.entries[0]) / "0").unlink()

    (record,) = settle(parcel)

    assert record.end == "damaged"
    assert "out/a.txt did not arrive" in record.reason
    assert in_place(parcel) == []
    assert (parcel.root / "c.tsv").read_text() == "old\n"


@pytest.mark.parametrize("torn", ["0", "1/file", SIZES])
@pytest.mark.parametrize("vanished", [False, True])
def test_what_is_not_whole_moves_nothing(parcel: Batch, torn: str, vanished: bool) -> None:
    (parcel.root / parcel.inbox(parcel.entries[0]) / torn).write_text("n\n" if torn != SIZES else "4\n4\n")
    if vanished:
        parcel.events.write_text("")
        tell(parcel.events, "submitted")

    (record,) = Follower(parcel).step(queue=set())

    assert record.end == "damaged"
    assert "did not arrive whole" in record.reason
    assert in_place(parcel) == []


def test_parcel_of_a_job_that_vanished_counts_if_it_is_whole(parcel: Batch) -> None:
    parcel.events.write_text("")
    tell(parcel.events, "submitted")

    (record,) = Follower(parcel).step(queue=set())

    assert record.end == "completed"
    assert in_place(parcel) == ["out/a.txt", "out/folder/file", "c.tsv"]


def test_nothing_that_came_is_damaged(parcel: Batch) -> None:
    (parcel.root / parcel.inbox(parcel.entries[0])).rename(parcel.root / "lost")

    (record,) = settle(parcel)

    assert record.end == "damaged"
    assert record.reason == "out/a.txt, out/folder did not arrive"


@pytest.mark.parametrize("printed", [b"", b"said\n"])
def test_logs_keep_every_byte(parcel: Batch, printed: bytes) -> None:
    entry = replace(parcel.entries[0], parcel=Parcel(OUTPUTS, logs=("b.log", "c.log")))
    titles = [OWN_LOG, *(FURTHER_LOG.format(number) for number in (2, 3))]
    first, second, third = (f"\n{title}\n".encode() for title in titles)
    text = first + b"x\xff" + second + third + b"y\n\n"
    parcel.printed(entry).write_bytes(printed + text)

    assert parcel.logs_of(entry) == [printed, b"x\xff", b"", b"y\n\n"]
    assert parcel.said(entry) == b"x\xff" + printed
