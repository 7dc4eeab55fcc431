"""Writing and reading artifacts: whole or not at all, and never believed when a byte is wrong."""

import errno
import gzip
import io
import json
import os
import random
import tarfile

import pytest

import examples
from anisweep.artifacts import reading, store, writing
from anisweep.artifacts.reading import DamagedArtifact, Host, Installation, read, read_member


@pytest.fixture
def folder(tmp_path):
    return examples.fill(tmp_path / "work", examples.pack())


@pytest.fixture
def target(tmp_path):
    return tmp_path / "artifacts" / "ellipsoids-r1-0123456789ab.tar.gz"


@pytest.fixture
def sound(folder, target):
    writing.write(folder, target)
    return target


def test_what_was_written_is_read(sound):
    contents = read(sound)

    assert contents.pack == examples.pack()
    assert [row.key for row in contents.rows] == [examples.CELL.key]
    assert contents.host == Host(**examples.HOST)
    assert contents.environment == Installation("the lock", {})
    assert read_member(sound, "logs/process-0.log") == b"nothing to say\n"


def test_a_member_that_is_not_there_is_answered_with_those_that_are(sound):
    with pytest.raises(KeyError, match=r"holds no profiles/x\. It holds: environment\.json, host\.json"):
        read_member(sound, "profiles/x")


def test_equal_folders_give_equal_bytes(folder, target):
    writing.write(folder, target)
    writing.write(folder, target.with_name("again.tar.gz"))

    assert target.read_bytes() == target.with_name("again.tar.gz").read_bytes()


def test_an_artifact_is_never_overwritten(sound, folder):
    before = sound.read_bytes()
    (folder / "host.json").write_text("{}")

    with pytest.raises(FileExistsError, match="never overwritten: plan again"):
        writing.write(folder, sound)
    assert sound.read_bytes() == before


def test_not_even_when_another_writer_is_faster(folder, target, monkeypatch):
    def slow(descriptor, fsync=os.fsync):
        target.write_text("the other's")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", slow)

    with pytest.raises(FileExistsError):
        writing.write(folder, target)
    assert target.read_text() == "the other's"
    assert not list(target.parent.glob(".*.tar.gz.*"))


def test_leftovers_of_a_dead_process_of_the_same_number_do_no_harm(folder, target):
    target.parent.mkdir()
    target.with_name(f".{target.name}.{os.getpid()}").write_text("half of an artifact")

    writing.write(folder, target)

    assert read(target).pack == examples.pack()


# --- a crash at every step --------------------------------------------------------------------------------

STEPS = ["fsync of the file", "second name", "name", "fsync of the folder"]


class Crash(BaseException):
    """The process is killed here: nothing catches it."""


def crash_at(step, monkeypatch, with_error):
    """The next call of the step raises."""
    function = "fsync" if step.startswith("fsync") else "link"
    real = getattr(os, function)
    skipped = 0 if step in ("fsync of the file", "second name") else 1
    calls = []

    def crashing(*arguments):
        calls.append(arguments)
        if len(calls) > skipped:
            raise with_error
        return real(*arguments)

    monkeypatch.setattr(os, function, crashing)


@pytest.mark.parametrize("clean", [True, False], ids=["with clean-up", "killed"])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_leaves_nothing_or_a_sound_artifact(step, clean, folder, target, monkeypatch, tmp_path):
    with monkeypatch.context() as crashing:
        crash_at(step, crashing, Crash())
        if not clean:
            crashing.setattr(type(target), "unlink", lambda *_, **__: None)
        with pytest.raises(Crash):
            writing.write(folder, target)

    known = store.Store(target.parent, tmp_path / "state")
    assert all(entry.sound for entry in known.entries())
    assert target.exists() == (step == "fsync of the folder")

    store.restore_kept(target.parent)
    store.remove_leftovers(target.parent)
    assert target.exists() == (step in ("name", "fsync of the folder"))
    assert all(entry.sound for entry in known.entries())

    if not target.exists():
        writing.write(folder, target)
    assert read(target).pack == examples.pack()
    assert sorted(path.name for path in target.parent.iterdir()) == [".kept", target.name]


@pytest.mark.parametrize("step", STEPS[:3])
def test_a_full_disk_leaves_nothing_and_says_so(step, folder, target, monkeypatch):
    crash_at(step, monkeypatch, OSError(errno.ENOSPC, "No space left on device"))

    with pytest.raises(OSError, match="No space left on device") as error:
        writing.write(folder, target)
    assert error.value.filename == str(target)
    assert not target.exists()
    assert not list(target.parent.glob(f".{target.name}.*"))


def test_the_second_name_outlives_the_first(sound):
    content = sound.read_bytes()
    sound.unlink()

    assert store.restore_kept(sound.parent) == [sound.name]
    assert sound.read_bytes() == content
    assert store.restore_kept(sound.parent) == []


# --- every kind of damage ---------------------------------------------------------------------------------


def test_truncation_is_found_wherever_it_is(sound):
    whole = sound.read_bytes()

    for length in [*range(12), *range(12, len(whole), len(whole) // 60), len(whole) - 1]:
        sound.write_bytes(whole[:length])
        with pytest.raises(DamagedArtifact):
            read(sound)


def test_a_flipped_bit_is_found_wherever_it_is(sound, tmp_path):
    """Those few bits that no checksum inside covers (gzip's time stamp) are found by the store's own."""
    known = store.Store(sound.parent, tmp_path / "state")
    assert [entry.sound for entry in known.entries()] == [True]

    whole = sound.read_bytes()
    rng = random.Random(1)
    header = range(8 * 10)
    elsewhere = rng.sample(range(80, 8 * len(whole)), 120)

    for bit in [*header, *elsewhere]:
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        examples.overwrite(sound, flipped)
        assert [entry.sound for entry in known.entries()] == [False], f"bit {bit}"

    examples.overwrite(sound, whole)
    assert [entry.sound for entry in known.entries()] == [True]


def without(name):
    return lambda members: members.pop(name)


def with_manifest(content):
    def change(members):
        members["manifest.json"] = content

    return change


def consistent(name, content):
    """Another member, with the manifest to match."""

    return lambda members: members.update(examples.consistent(members, name, content))


def another_byte(members):
    members["host.json"] = members["host.json"].replace(b"bench-01", b"bench-02")


def one_more(members):
    members["extra.json"] = b"{}"


FORMAT_2 = examples.pack(format=2).to_json().encode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without("manifest.json"), "holds no manifest.json"),
        (without("rows.jsonl"), "rows.jsonl is missing"),
        (without("logs/process-0.log"), "logs/process-0.log is missing"),
        (one_more, "extra.json is missing, or not in its manifest"),
        (another_byte, "host.json does not have the bytes that were written"),
        (with_manifest(b"{"), "manifest.json cannot be understood"),
        (with_manifest(b"[]"), "manifest.json cannot be understood"),
        (with_manifest(b'{"format": 1}'), "manifest.json cannot be understood"),
        (with_manifest(b'{"format": 2, "members": {}}'), "format 2; this version reads 1"),
        (consistent("pack.json", b"{}"), "cannot be understood"),
        (consistent("pack.json", FORMAT_2), "pack format 2"),
        (consistent("rows.jsonl", b"[1]\n"), "cannot be understood"),
        (consistent("host.json", b"\xff"), "cannot be understood"),
        (consistent("../escape", b""), "would leave the folder"),
        (consistent("/etc/absolute", b""), "would leave the folder"),
    ],
)
def test_wrong_members_are_found(sound, change, says):
    members = examples.members_of(sound)
    change(members)
    examples.rewrite(sound, members)

    with pytest.raises(DamagedArtifact, match=says):
        read(sound)


#: Where in which member, a value that does not belong there, and what is said of it.
WRONG_VALUES = [
    ("pack.json", ("cells", 0, "hypers", "cutoff_radius"), float("nan"), "NaN is no finite number"),
    ("pack.json", ("cells", 0, "hypers", "cutoff_radius"), 0, "above 0"),
    ("pack.json", ("cells", 0, "hypers", "cutoff_radius"), "7", "a finite number"),
    ("pack.json", ("cells", 0, "hypers", "max_angular"), True, "a whole number"),
    ("pack.json", ("cells", 0, "hypers", "max_angular"), 10**30, "a whole number"),
    ("pack.json", ("cells", 0, "hypers", "radial_basis_name"), "sto", "'gto' or 'monomial'"),
    ("pack.json", ("cells", 0, "hypers", "extra"), 1, "cells.0.hypers.extra: unknown key"),
    ("pack.json", ("cells", 0, "settings", "repetitions"), 10**9, "2 to 100000"),
    ("pack.json", ("cells", 0, "threads"), 10**5, "0 to 1024"),
    ("pack.json", ("cells", 0, "precision"), "fp128", "'fp64' or 'fp32'"),
    ("pack.json", ("cells", 0, "site"), "a\x1b[2J", "one line"),
    ("pack.json", ("cells", 0, "site"), "\ud800", "text"),
    ("pack.json", ("cells", 0, "replicate"), -1, "1 to 1000"),
    ("pack.json", ("cells",), [], "at least one cell"),
    ("pack.json", ("cells",), {}, "a list"),
    ("pack.json", ("name",), None, "name: null"),
    ("pack.json", ("code_files",), {"numpy_only": 3}, "code_files.numpy_only: 3"),
    ("host.json", ("host",), None, "host: null"),
    ("host.json", ("host",), ["a"], "host: "),
    ("host.json", ("cpus",), -2, "cpus: -2"),
    ("host.json", ("memory_mb",), float("inf"), "Infinity is no finite number"),
    ("environment.json", ("versions",), [], "versions: "),
    ("environment.json", ("digest",), 3, "digest: 3"),
    ("environment.json", ("accelerators",), {"devices": "cuda"}, "accelerators.devices: 'cuda'"),
    ("rows.jsonl", ("wall_s",), -1.0, "line 1: wall_s: -1.0"),
    ("rows.jsonl", ("wall_s",), float("nan"), "NaN is no finite number"),
    ("rows.jsonl", ("pairs",), -1, "pairs: -1"),
    ("rows.jsonl", ("status",), "fine", "status: 'fine'"),
    ("rows.jsonl", ("role",), "reference", "role: 'reference'"),
    ("rows.jsonl", ("walls_s",), [0.1, "x"], "walls_s.1: 'x'"),
    ("rows.jsonl", ("stages_s",), {"a": None}, "stages_s.a: null"),
    ("rows.jsonl", ("hypers",), {}, "hypers."),
    ("rows.jsonl", ("started",), "yesterday", "started: 'yesterday'"),
    ("rows.jsonl", ("key",), "0" * 64, "which pack.json does not have"),
    ("rows.jsonl", ("mode",), "fused_cpu", "mode of the cell"),
]


def changed(member, path, value):
    """The sound artifact's member with one other value."""

    def change(members):
        plain = json.loads(members[member])
        inner = plain
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        members.update(examples.consistent(members, member, json.dumps(plain).encode()))

    return change


@pytest.mark.parametrize(("member", "path", "value", "says"), WRONG_VALUES, ids=str)
def test_wrong_values_are_damage_though_every_checksum_is_right(sound, member, path, value, says):
    members = examples.members_of(sound)
    changed(member, path, value)(members)
    examples.rewrite(sound, members)

    with pytest.raises(DamagedArtifact) as damage:
        read(sound)
    assert says in str(damage.value)
    assert len(str(damage.value)) < 400


@pytest.mark.parametrize(
    ("member", "key"),
    [
        ("pack.json", "cells"),
        ("pack.json", "reference"),
        ("host.json", "host"),
        ("host.json", "cpu_model"),
        ("environment.json", "digest"),
        ("environment.json", "versions"),
        ("rows.jsonl", "key"),
        ("rows.jsonl", "status"),
    ],
)
def test_a_missing_key_is_damage(sound, member, key):
    members = examples.members_of(sound)
    plain = json.loads(members[member])
    del plain[key]
    examples.rewrite(sound, examples.consistent(members, member, json.dumps(plain).encode()))

    with pytest.raises(DamagedArtifact, match=f"{key}: the key is missing"):
        read(sound)


def test_a_cell_without_a_row_is_damage(sound):
    examples.rewrite(sound, examples.consistent(examples.members_of(sound), "rows.jsonl", b""))

    with pytest.raises(DamagedArtifact, match="no row of the cell"):
        read(sound)


def test_a_metric_of_another_version_is_passed_over(sound):
    members = examples.members_of(sound)
    changed("rows.jsonl", ("energy_j",), 3.5)(members)
    examples.rewrite(sound, members)

    assert [row.key for row in read(sound).rows] == [examples.CELL.key]


def special(kind, name="rows.jsonl", linkname="/etc/passwd"):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = linkname
    return info


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE],
)
def test_links_and_devices_are_refused(target, kind):
    target.parent.mkdir()
    with tarfile.open(target, "w:gz") as tar:
        tar.addfile(special(kind))

    with pytest.raises(DamagedArtifact, match=r"'rows\.jsonl' is no plain file"):
        read(target)


def test_a_member_that_stands_in_it_twice_is_refused(target):
    target.parent.mkdir()
    with tarfile.open(target, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("host.json"), io.BytesIO())
        tar.addfile(tarfile.TarInfo("host.json"), io.BytesIO())

    with pytest.raises(DamagedArtifact, match="twice"):
        read(target)


def test_a_bomb_is_refused_before_it_is_unpacked(sound, monkeypatch):
    monkeypatch.setattr(reading, "LARGEST_TOTAL", 2**22)
    with gzip.open(sound, "ab") as stream:
        stream.write(bytes(2**23))

    with pytest.raises(DamagedArtifact, match="a bomb"):
        read(sound)


def test_a_member_that_claims_to_be_huge_is_refused(target):
    target.parent.mkdir()
    info = tarfile.TarInfo("rows.jsonl")
    info.size = 2**40

    with gzip.open(target, "wb") as stream:
        stream.write(info.tobuf())

    with pytest.raises(DamagedArtifact, match="sensible size"):
        read(target)
