"""The folder is there as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from snakemake_executor_plugin_condorsweep.batch import Batch, Entry, names_of, remove_leftovers
from snakemake_executor_plugin_condorsweep.journey import Journey, Ledger


def test_what_is_written_is_read(batch: Batch) -> None:
    assert Batch.read(batch.root, batch.folder) == batch
    assert list(Batch.open_ones(batch.root, "batches")) == [batch]


def test_closed_batches_are_not_open(batch: Batch) -> None:
    batch.mark("closed")

    assert batch.closed
    assert list(Batch.open_ones(batch.root, "batches")) == []


def test_failed_write_leaves_nothing(tmp_path: Path) -> None:
    batch = Batch.new(tmp_path, "batches", "make", [Entry("e", "e.txt", (), "true")])

    with pytest.raises(FileNotFoundError):
        batch.write({"jobs.sub": "", "no such folder/x": ""})

    assert list((tmp_path / "batches").iterdir()) == []


def test_leftovers_of_a_kill_are_removed(batch: Batch) -> None:
    half = batch.folder.with_name(".20261121-100000-abcdef")
    half.mkdir()

    remove_leftovers(batch.root, "batches")

    assert not half.exists()
    assert batch.folder.exists()


def test_discarded_batch_is_gone(batch: Batch) -> None:
    batch.discard()

    assert list((batch.root / "batches").iterdir()) == []


def test_folder_without_a_batch_is_named(batch: Batch) -> None:
    (batch.folder / "batch.json").write_text("{")

    with pytest.raises(ValueError, match=rf"{batch.id}: no batch .* Remove the folder"):
        list(Batch.open_ones(batch.root, "batches"))


@pytest.mark.parametrize(
    ("outputs", "names"),
    [
        (["a/x.tar.gz", "b/y.txt"], ["x", "y"]),
        (["a/x.txt", "b/x.txt", "c/x.csv"], ["x", "x-2", "x-3"]),
        (["a/ü b.txt", "x/.hidden"], ["__b", "job"]),
    ],
)
def test_names_are_safe_and_unique(outputs: list[str], names: list[str]) -> None:
    assert names_of(outputs) == names


def test_inbox_keeps_the_ending() -> None:
    batch = Batch(Path("/p"), "batches/b", "make", "", ())

    assert batch.inbox(Entry("x-2", "out/x.tar.gz", (), "")) == "batches/b/inbox/x-2.tar.gz"


def test_ledger_is_shared_by_programs(tmp_path: Path) -> None:
    one, other = Ledger(tmp_path / "l"), Ledger(tmp_path / "l")

    one.write([Journey("a", "a.txt", "home")])
    with other.alone() as known:
        assert list(known) == ["a"]
        other.write([Journey("b", "b.txt", "given up", "why")])

    assert one.read() == {"a": Journey("a", "a.txt", "home"), "b": Journey("b", "b.txt", "given up", "why")}


def test_torn_line_of_the_ledger_is_written_over(tmp_path: Path) -> None:
    Ledger(tmp_path / "l").write([Journey("a", "a.txt", "home")])
    with (tmp_path / "l").open("a") as stream:
        stream.write('{"entry": "b", "outp')

    again = Ledger(tmp_path / "l")
    assert list(again.read()) == ["a"]
    again.write([Journey("c", "c.txt", "home")])

    assert list(Ledger(tmp_path / "l").read()) == ["a", "c"]
