"""The store: opens what is new and nothing else, and remembers what it has lost."""

import contextlib
import json
import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import ipc

import examples
from anisweep.artifacts import store as stores
from anisweep.artifacts.sealed import sealed, unsealed
from anisweep.artifacts.store import Store, measured_elsewhere, restore_kept, rows_of
from anisweep.artifacts.writing import kept_link
from anisweep.cell import Settings


@pytest.fixture
def artifacts(tmp_path):
    folder = tmp_path / "artifacts"
    folder.mkdir()
    return folder


@pytest.fixture
def store(artifacts, tmp_path):
    return Store(artifacts, tmp_path / "state")


def add(store, number=1, **changes):
    """One more artifact, of a cell of that replicate."""
    cell = examples.cell(replicate=number, **changes)
    name = f"ellipsoids-r{number}-{cell.key[:12]}"
    return examples.write_artifact(store.folder, examples.pack(cell, name=name))


def soundness(store):
    return [entry.sound for entry in store.entries()]


def break_it(file):
    examples.overwrite(file, file.read_bytes()[:-9])


def test_an_empty_store_holds_nothing(store, tmp_path):
    assert store.entries() == []
    assert store.lost() == []
    assert Store(tmp_path / "nowhere", tmp_path / "state").entries() == []
    assert list(Store(tmp_path / "nowhere", tmp_path / "state").verify()) == []


def test_of_many_artifacts_only_the_new_one_is_opened(store):
    for number in range(1, 6):
        add(store, number)
    store.entries()
    assert store.opened == 5

    again = Store(store.folder, store.index.parent)
    again.entries()
    assert again.opened == 0

    new = add(store, 6)
    assert [entry.name for entry in again.entries()][-1] == new.name.removesuffix(".tar.gz")
    assert again.opened == 1


def test_a_touched_artifact_is_verified_again_and_is_not_damaged(store):
    file = add(store)
    store.entries()
    os.utime(file)

    assert soundness(store) == [True]
    assert store.opened == 2


def test_damage_is_remembered_with_the_keys_it_cost(store):
    file = add(store)
    store.entries()
    break_it(file)

    (entry,) = store.entries()
    assert entry.damage.startswith(file.name)
    assert entry.keys == (examples.cell(replicate=1).key,)

    opened = store.opened
    assert store.entries() == [entry]
    assert store.opened == opened


def test_a_file_that_was_never_sound_has_no_keys(store):
    (store.folder / "other-r1-0123456789ab.tar.gz").write_bytes(b"not an archive")

    (entry,) = store.entries()
    assert not entry.sound
    assert entry.keys == ()


def test_other_bytes_in_place_of_sound_ones_are_damage(store):
    file = add(store)
    (before,) = store.entries()
    other = examples.write_artifact(
        store.folder.parent / "elsewhere", examples.pack(name="other-r1-0123456789ab")
    )
    examples.overwrite(file, other.read_bytes())

    (entry,) = store.entries()
    assert "does not have the bytes that it had when it was sound" in entry.damage
    assert entry.keys == before.keys


def a_dangling_link(file):
    file.symlink_to("nowhere")


def a_socket(file):
    with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(file.parent):
        listening.bind(file.name)


def a_device(file):
    file.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (Path.mkdir, "It is a folder"),
        (os.mkfifo, "It is a pipe"),
        (a_socket, "It is a socket"),
        (a_device, "It is a device"),
        (a_dangling_link, "No such file"),
    ],
)
def test_what_is_no_file_is_one_damaged_artifact_and_never_a_wait(store, make, says):
    good = add(store)
    make(store.folder / "odd-r1-0123456789ab.tar.gz")

    for entries in (store.entries(), list(store.verify()), store.entries()):
        damage = {entry.name: entry.damage for entry in entries}
        assert damage[good.name.removesuffix(".tar.gz")] == ""
        assert says in damage["odd-r1-0123456789ab"]


def test_what_cannot_be_read_is_damaged_until_it_can(store, monkeypatch):
    file = add(store)
    with monkeypatch.context() as forbidden:
        forbidden.setattr("anisweep.artifacts.store.sha256_of", raise_permission_error)
        (entry,) = store.entries()
        assert "cannot be read (Permission denied)" in entry.damage

    assert soundness(store) == [True]
    assert file.exists()


def raise_permission_error(path):
    raise PermissionError(13, "Permission denied", str(path))


def test_a_lost_artifact_is_known(store):
    kept, gone = add(store, 1), add(store, 2)
    store.entries()
    gone.unlink()

    assert [entry.name for entry in store.lost()] == [gone.name.removesuffix(".tar.gz")]
    assert store.lost()[0].keys == (examples.cell(replicate=2).key,)
    assert [entry.name for entry in store.entries()] == [kept.name.removesuffix(".tar.gz")]


@pytest.mark.parametrize(
    "harm",
    [
        "deleted",
        "garbled",
        "details garbled",
        "details deleted",
        "details changed",
        "details of another version",
    ],
)
def test_the_index_can_be_lost(store, harm):
    file = add(store)
    before = store.entries()
    name = before[0].name
    contents = store.contents(name)

    if harm == "deleted":
        shutil.rmtree(store.index)
    elif harm == "garbled":
        (store.index / f"{name}.json").write_text('{"name": ')
    elif harm == "details changed":
        details = store.index / f"{name}.arrow"
        assert b"local" in details.read_bytes()
        details.write_bytes(details.read_bytes().replace(b"local", b"chtc2"))
    elif harm == "details of another version":
        other = pa.table({"key": ["of another version"]})
        sink = pa.BufferOutputStream()
        with ipc.new_file(sink, other.schema) as writer:
            writer.write_table(other)
        (store.index / f"{name}.arrow").write_bytes(sealed(bytes(sink.getvalue())))
    elif harm == "details garbled":
        (store.index / f"{name}.arrow").write_text("")
    else:
        (store.index / f"{name}.arrow").unlink()

    assert store.entries() == before
    assert store.contents(name) == contents
    assert [row.key for row in store.rows(name)] == list(before[0].keys)
    assert file.exists()


@pytest.mark.parametrize("harm", ["garbled", "deleted"])
def test_points_that_the_index_lost_are_made_anew(store, harm):
    add(store)
    [entry] = store.entries()
    before = store.points(entry.name)
    assert [seen.key for seen in before.values()] == list(entry.keys)

    file = store.index / f"{entry.name}.points"
    if harm == "garbled":
        file.write_bytes(file.read_bytes().replace(b"local", b"chtc2"))
    else:
        file.unlink()
    assert store.points(entry.name) == before
    assert file.exists()


def test_of_an_artifact_that_is_gone_points_are_known_until_the_index_is(store):
    file = add(store)
    [entry] = store.entries()
    before = store.points(entry.name)

    file.unlink()
    assert store.points(entry.name) == before

    shutil.rmtree(store.index)
    assert store.points(entry.name) == {}


def test_verify_reads_every_byte_whatever_the_index_says(store):
    file = add(store)
    before = file.stat()
    store.entries()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1

    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert soundness(store) == [True], "size, time stamp and inode are the same"
    assert [entry.sound for entry in store.verify()] == [False]
    assert soundness(store) == [False]


def test_unfinished_files_and_strangers_do_not_count(store):
    for name in [".x.tar.gz.123", ".half.tar.gz", "notes.txt", "x.tar"]:
        (store.folder / name).write_text("half")

    assert store.entries() == []
    assert list(store.verify()) == []


def test_kept_links_are_given_back_or_dropped(store):
    first, second = add(store, 1), add(store, 2)
    for file in (first, second):
        kept_link(file).parent.mkdir(exist_ok=True)
        os.link(file, kept_link(file))
    second.unlink()

    assert restore_kept(store.folder) == [second.name]
    assert soundness(store) == [True, True]
    assert list((store.folder / ".kept").iterdir()) == []


# --- rows for tables --------------------------------------------------------------------------------------


def chosen(store, *cells):
    return [(entry.name, [row.site for row in rows]) for entry, rows in rows_of(store, list(cells))]


def write(store, cell, name, started):
    examples.write_artifact(store.folder, examples.pack(cell, name=name), started=started)


def test_rows_are_those_of_the_wanted_cells(store):
    wanted, other = examples.cell(), examples.cell(mode="torch_full")
    examples.write_artifact(store.folder, examples.pack(wanted, other))

    ((_, rows),) = rows_of(store, [wanted])
    assert [row.mode for row in rows] == ["numpy_only"]


def test_of_several_measurements_the_latest_counts(store):
    write(store, examples.cell(), "a-r1-0123456789ab", "2026-03-01T00:00:00+00:00")
    write(store, examples.cell(), "b-r1-0123456789ab", "2026-02-01T00:00:00+00:00")

    assert chosen(store, examples.cell()) == [("a-r1-0123456789ab", ["local"])]


def test_another_site_counts_with_whatever_code_it_had(store):
    elsewhere = examples.cell(site="chtc", code="older", environment="image")
    write(store, examples.cell(), "a-r1-0123456789ab", "2026-03-01T00:00:00+00:00")
    write(store, elsewhere, "b-r1-0123456789ab", "2026-02-01T00:00:00+00:00")

    found = chosen(store, examples.cell())
    assert found == [("a-r1-0123456789ab", ["local"]), ("b-r1-0123456789ab", ["chtc"])]
    assert measured_elsewhere(store, [examples.cell()]) == ["b-r1-0123456789ab"]
    assert measured_elsewhere(store, [examples.cell(mode="torch_full")]) == []


def test_older_code_of_the_own_site_does_not_count(store):
    write(store, examples.cell(code="older"), "a-r1-0123456789ab", "2026-03-01T00:00:00+00:00")

    assert chosen(store, examples.cell()) == []


def test_a_damaged_artifact_gives_no_rows(store):
    file = add(store)
    store.entries()
    break_it(file)

    assert chosen(store, examples.cell(replicate=1)) == []


def test_an_index_of_another_layout_is_made_anew(store):
    add(store)
    (entry,) = store.entries()
    file = store.index / f"{entry.name}.json"
    plain = json.loads(bytes(unsealed(file.read_bytes())))
    del plain["keys"]
    file.write_bytes(sealed(json.dumps(plain | {"unknown": 1}).encode()))

    assert store.entries() == [entry]
    assert store.opened == 2
    assert replace(entry, damage="x").sound is False


def test_many_new_artifacts_are_opened_once_each_by_several_processes(store, monkeypatch):
    for replicate in range(1, 9):
        add(store, replicate)
    (store.folder / f"damaged{stores.SUFFIX}").write_bytes(b"no archive")
    alone = Store(store.folder, store.index.parent.parent / "alone")
    expected = alone.entries()

    monkeypatch.setattr(stores, "SHARE", 2)
    monkeypatch.setattr(Store, "_open", None)  # this process opens none
    assert store.entries() == expected
    assert store.opened == alone.opened == 9


def test_two_studies_that_measure_one_point_otherwise_share_a_pack(store):
    """Their cells differ in the settings alone."""
    one = examples.cell()
    other = replace(one, settings=Settings(repetitions=9))
    examples.write_artifact(store.folder, examples.pack(one, other))

    assert one.point == other.point
    for wanted in (one, other):
        ((_, rows),) = rows_of(store, [wanted])
        assert [row.key for row in rows] == [wanted.key]
