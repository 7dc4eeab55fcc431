"""The folder is there as a whole or not at all."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakemake_executor_plugin_condorsweep.batch import Batch, Entry, names_of, remove_leftovers
from snakemake_executor_plugin_condorsweep.events import EventLog
from snakemake_executor_plugin_condorsweep.ledger import JobRecord, Ledger


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
        (["a/x.txt", "b/x.txt", "c/y.csv"], ["a_x", "b_x", "y"]),
        (["a/x.txt", "a/x.csv", "a/x.tsv"], ["x", "x-2", "x-3"]),
        (["out/sample.1.txt", "out/sample.2.txt"], ["sample_1", "sample_2"]),
        (["out/sample.1.txt", "out/sample.1.csv"], ["sample", "sample-2"]),
        (["a-2.txt", "a.txt", "b/a.csv"], ["a-2", "a", "b_a"]),
        (["x-2.1", "x.1", "x.2", "x.3"], ["x-2", "x", "x-3", "x-4"]),
        (["a/ü b.txt", "x/.hidden"], ["__b", "job"]),
    ],
)
def test_names_are_safe_and_unique(outputs: list[str], names: list[str]) -> None:
    assert names_of(outputs) == names


#: Words that come together as people name files, and as nobody does.
PARTS = st.lists(
    st.sampled_from(["sample", "x", "1", "2", "-2", "ü", " ", "y" * 120]), min_size=1, max_size=4
)
FILES = st.builds(
    lambda folder, name, ending: f"{folder}{'.'.join(name)}{ending}",
    st.sampled_from(["", "a/", "b/"]),
    PARTS,
    st.sampled_from(["", ".txt", ".tar.gz"]),
)


@given(outputs=st.lists(FILES, max_size=12))
def test_any_names_are_safe_and_unique_and_fit_a_file_system(outputs: list[str]) -> None:
    names = names_of(outputs)
    batch = Batch(Path("/p"), "batches/b", "make", "", ())

    assert len(set(names)) == len(outputs)
    for name, output in zip(names, outputs, strict=True):
        assert re.fullmatch(r"[A-Za-z0-9_-]+", name)
        assert len(Path(batch.inbox(Entry(name, output, (), ""))).name.encode()) <= 255


@pytest.fixture
def replacing(tmp_path: Path) -> Batch:
    """A batch whose outputs were all there before, two of them by the same name."""
    entries = [Entry(f"e{n}", output, (), "true") for n, output in enumerate(("a/x.txt", "b/x.txt", "y.txt"))]
    batch = Batch.new(tmp_path, "batches", "make", entries)
    batch.write({})
    for entry in entries:
        (tmp_path / entry.output).parent.mkdir(exist_ok=True)
        (tmp_path / entry.output).write_text(entry.output)
        batch.set_aside(entry)
    return batch


def texts(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*.txt*")}


def test_every_old_output_is_kept(replacing: Batch) -> None:
    assert texts(replacing.folder / "replaced") == {name: name for name in ("a/x.txt", "b/x.txt", "y.txt")}

    (replacing.root / "y.txt").write_text("newer")
    replacing.set_aside(replacing.entries[2])
    assert texts(replacing.folder / "replaced")["y.txt"] == "y.txt"
    assert texts(replacing.folder / "replaced")["y.txt.2"] == "newer"


def test_old_outputs_of_a_discarded_batch_go_back(replacing: Batch) -> None:
    replacing.discard()

    assert not replacing.folder.exists()
    assert texts(replacing.root) == {name: name for name in ("a/x.txt", "b/x.txt", "y.txt")}


def test_old_output_whose_place_is_taken_stays(replacing: Batch) -> None:
    (replacing.root / "y.txt").write_text("newer")
    replacing.discard()

    assert (replacing.root / "y.txt").read_text() == "newer"
    assert texts(replacing.folder / "replaced") == {"y.txt": "y.txt"}
    assert list(Batch.open_ones(replacing.root, "batches")) == []


def test_inbox_keeps_the_ending() -> None:
    batch = Batch(Path("/p"), "batches/b", "make", "", ())

    assert batch.inbox(Entry("x-2", "out/x.tar.gz", (), "")) == "batches/b/inbox/x-2.tar.gz"


def test_ledger_is_shared_by_programs(tmp_path: Path) -> None:
    one, other = Ledger(tmp_path / "l"), Ledger(tmp_path / "l")

    one.write([JobRecord("a", "a.txt", "completed")])
    with other.alone() as known:
        assert list(known) == ["a"]
        other.write([JobRecord("b", "b.txt", "failed permanently", "why")])

    assert one.read() == {
        "a": JobRecord("a", "a.txt", "completed"),
        "b": JobRecord("b", "b.txt", "failed permanently", "why"),
    }


DAMAGED = [
    "[]",
    "5",
    "[" * 100_000,
    '{"entry": "b"}',
    *(
        json.dumps({**asdict(JobRecord("b", "b.txt", "completed")), **wrong})
        for wrong in (
            {"entry": ["b"]},
            {"end": "elsewhere"},
            {"run_s": "long"},
            {"ended": float("nan")},
            {"cluster": None},
            {"holds": [5]},
            {"more": 1},
        )
    ),
]


@pytest.mark.parametrize("line", DAMAGED, ids=lambda line: line[-30:])
def test_damaged_line_of_the_ledger_costs_no_other(tmp_path: Path, line: str) -> None:
    Ledger(tmp_path / "l").write([JobRecord("a", "a.txt", "completed")])
    with (tmp_path / "l").open("a") as stream:
        stream.write(f"{line}\n")
    Ledger(tmp_path / "l").read()

    again = Ledger(tmp_path / "l")
    again.read()
    again.write([JobRecord("c", "c.txt", "completed")])

    assert list(Ledger(tmp_path / "l").read()) == ["a", "c"]


@pytest.mark.parametrize("name", ["batch.json", "events.log", "job_records.jsonl"])
def test_pipe_in_the_place_of_a_file_is_no_wait(batch: Batch, name: str) -> None:
    (batch.folder / name).unlink(missing_ok=True)
    os.mkfifo(batch.folder / name)

    assert Ledger(batch.ledger).read() == {}
    assert EventLog(batch.events).read() == []
    if name == "batch.json":
        with pytest.raises(ValueError, match="is no file"):
            Batch.read(batch.root, batch.folder)


def test_torn_line_of_the_ledger_is_written_over(tmp_path: Path) -> None:
    Ledger(tmp_path / "l").write([JobRecord("a", "a.txt", "completed")])
    with (tmp_path / "l").open("a") as stream:
        stream.write('{"entry": "b", "outp')

    again = Ledger(tmp_path / "l")
    assert list(again.read()) == ["a"]
    again.write([JobRecord("c", "c.txt", "completed")])

    assert list(Ledger(tmp_path / "l").read()) == ["a", "c"]
