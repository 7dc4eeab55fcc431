"""Archives from elsewhere: what is hostile or broken is refused in words, and the good rest is read."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anisweep.bundles import archive
from anisweep.bundles.archive import Member, Refused, members
from anisweep.files import NoPlainFile

GOOD = [("good.log", b"first"), ("deep/er.log", b"second")]


def tar(file: Path, *special: tarfile.TarInfo, mode: str = "w:gz", content: bytes = b"bad") -> Path:
    """A good file, the special ones, a good file."""
    with tarfile.open(file, mode) as archive:
        _add(archive, *GOOD[0])
        for info in special:
            archive.addfile(info, io.BytesIO(content))
        _add(archive, *GOOD[1])
    return file


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def special(name: str, **fields: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def read(file: Path) -> tuple[list[tuple[str, bytes]], list[Refused]]:
    found = list(members(file))
    good = [(each.name, each.content) for each in found if isinstance(each, Member)]
    return good, [each for each in found if isinstance(each, Refused)]


@pytest.mark.parametrize(
    ("info", "why"),
    [
        (special("../../evil.log", size=3), "would leave the folder"),
        (special("/etc/evil.log", size=3), "would leave the folder"),
        (special("..\\evil.log", size=3), "would leave the folder"),
        (special("C:evil.log", size=3), "would leave the folder"),
        (special("a\x1b[2J.log", size=3), "control characters"),
        (special("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "it is a link"),
        (special("hard", type=tarfile.LNKTYPE, linkname="good.log"), "it is a link"),
        (special("tty", type=tarfile.CHRTYPE, devmajor=5), "it is a device"),
        (special("disk", type=tarfile.BLKTYPE, devmajor=8), "it is a device"),
        (special("pipe", type=tarfile.FIFOTYPE), "it is a device"),
        (special("good.log", size=3), "twice"),
    ],
    ids=lambda value: value.name if isinstance(value, tarfile.TarInfo) else "",
)
@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_a_hostile_member_of_a_tar_is_refused_and_the_rest_is_read(
    tmp_path: Path, info: tarfile.TarInfo, why: str, mode: str
) -> None:
    good, (refused,) = read(tar(tmp_path / "a.tgz", info, mode=mode))

    assert good == GOOD
    assert refused.name == info.name
    assert why in refused.why


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("../evil.log", 0o100644, "would leave the folder"),
        ("/evil.log", 0o100644, "would leave the folder"),
        ("link", 0o120777, "it is a link"),
        ("tty", 0o020666, "it is a device"),
    ],
)
def test_a_hostile_member_of_a_zip_is_refused_and_the_rest_is_read(
    tmp_path: Path, name: str, kind: int, why: str
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as written:
        written.writestr(*GOOD[0])
        info = zipfile.ZipInfo(name)
        info.external_attr = kind << 16
        written.writestr(info, b"bad")
        written.writestr(*GOOD[1])

    good, (refused,) = read(tmp_path / "a.zip")
    assert good == GOOD
    assert (refused.name, why in refused.why) == (name, True)


def test_a_bomb_among_the_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte of zeros is a thousand bytes packed."""
    monkeypatch.setattr(archive, "LARGEST_MEMBER", 10_000)
    zeros = bytes(2**20)
    tarred = tar(tmp_path / "a.tgz", special("bomb.log", size=len(zeros)), content=zeros)

    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in (GOOD[0], ("bomb.log", zeros), GOOD[1]):
            written.writestr(name, content)

    for file in (tarred, tmp_path / "a.zip"):
        assert file.stat().st_size < 10_000
        good, (refused,) = read(file)
        assert good == GOOD
        assert "1,048,576 bytes unpacked, a bomb" in refused.why


def test_many_members_that_are_a_bomb_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LARGEST_TOTAL", 100_000)
    infos = [special(f"{k}.log", size=40_000) for k in range(5)]
    good, (refused,) = read(tar(tmp_path / "a.tgz", *infos, content=bytes(40_000)))

    assert [name for name, _ in good] == ["good.log", "0.log", "1.log"]
    assert "a bomb" in refused.why


def test_a_bomb_in_a_header(tmp_path: Path) -> None:
    """A name of a million letters would be in memory before it is a member."""
    file = tar(tmp_path / "a.tgz", special("a" * 10**6, size=3), mode="w:gz")
    good, (refused,) = read(file)

    assert good == GOOD[:1]
    assert "a header of" in refused.why


def test_a_zip_that_lies_about_a_size(tmp_path: Path) -> None:
    """The list at its end says 5 bytes; there are a hundred thousand."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("bomb.log", bytes(100_000))
        written.writestr(*GOOD[1])
    packed = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(packed.replace(struct.pack("<I", 100_000), struct.pack("<I", 5)))

    good, (refused,) = read(tmp_path / "a.zip")
    assert good == GOOD[1:]
    assert refused.name == "bomb.log"


def test_a_damaged_member_of_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as written:
        for name, content in GOOD:
            written.writestr(name, content)
    packed = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(packed.replace(b"first", b"worst", 1))

    good, (refused,) = read(tmp_path / "a.zip")
    assert good == GOOD[1:]
    assert (refused.name, "damaged" in refused.why) == ("good.log", True)


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
def test_a_tar_that_ends_in_the_middle(tmp_path: Path, keep: float) -> None:
    """Every member that is whole is read; that the rest is missing is said."""
    noise = bytes(range(256)) * 4
    infos = [special(f"{k}.log", size=len(noise)) for k in range(20)]
    whole = tar(tmp_path / "whole.tar", *infos, mode="w", content=noise).read_bytes()
    whole = whole[: 23 * 512 + 20 * len(noise)]
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole[: int(keep * len(whole))])

    good, (refused,) = read(cut)
    assert len(good) >= int(20 * keep) - 2
    assert all(content == noise for _, content in good[1:])
    assert "ends in the middle" in refused.why or "truncated" in refused.why


def test_a_gzip_that_ends_in_the_middle(tmp_path: Path) -> None:
    file = tar(tmp_path / "a.tgz")
    file.write_bytes(file.read_bytes()[:60])

    good, (refused,) = read(file)
    assert good == []
    assert "ends in the middle" in refused.why


def test_a_zip_without_its_end(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and no more")

    good, (refused,) = read(tmp_path / "a.zip")
    assert good == []
    assert "no zip that can be read" in refused.why


def damaged_lzma(packed: bytearray) -> None:
    """Damage one byte of the properties that LZMA begins with."""
    packed[packed.find(b"odd.csv") + len("odd.csv") + 4] ^= 0xFF


def without_a_name(packed: bytearray) -> None:
    packed[packed.rfind(b"PK\x01\x02") + 46] = 0


def another_version(packed: bytearray) -> None:
    packed[packed.rfind(b"PK\x03\x04") + 4] = 99
    packed[packed.rfind(b"PK\x01\x02") + 6] = 99


def another_method(packed: bytearray) -> None:
    packed[packed.rfind(b"PK\x03\x04") + 8] = packed[packed.rfind(b"PK\x01\x02") + 10] = 77


def a_cut_list(packed: bytearray) -> None:
    del packed[-30:]


def another_checksum(packed: bytearray) -> None:
    packed[packed.rfind(b"PK\x01\x02") + 16] ^= 1


@pytest.mark.parametrize(
    "harm", [damaged_lzma, without_a_name, another_version, another_method, a_cut_list, another_checksum]
)
def test_an_odd_member_of_a_zip_is_refused_and_the_good_ones_are_read(
    tmp_path: Path, harm: Callable[[bytearray], None]
) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as written:
        for name, content in GOOD:
            written.writestr(name, content)
        odd = zipfile.ZIP_LZMA if harm is damaged_lzma else zipfile.ZIP_STORED
        written.writestr("odd.csv" if harm is damaged_lzma else "o", b"tag,util\n" + b"a,1\n" * 50, odd)
    packed = bytearray(file.read_bytes())
    harm(packed)
    file.write_bytes(packed)

    good, refused = read(file)
    assert good[:2] == GOOD
    assert refused


def test_a_name_that_is_no_utf_8_is_refused_by_itself(tmp_path: Path) -> None:
    good, (refused,) = read(tar(tmp_path / "a.tgz", special("caf\udce9.log", size=3)))

    assert good == GOOD
    assert "control characters" in refused.why


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_refused_and_never_a_wait(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "a.tgz")

    with pytest.raises(NoPlainFile):
        read(tmp_path / "a.tgz")


def test_entries_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_MEMBERS", 50)
    folders = [special(f"{number}", type=tarfile.DIRTYPE) for number in range(60)]

    good, (refused,) = read(tar(tmp_path / "a.tgz", *folders))
    assert good == GOOD[:1]
    assert "a bomb" in refused.why


def test_what_is_no_archive_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "timings.csv").write_bytes(b"0,a.xyz,numpy_only,1\n")
    assert read(tmp_path / "timings.csv") == ([("timings.csv", b"0,a.xyz,numpy_only,1\n")], [])


def test_a_gzipped_table_is_no_tar(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"file,mode\n" * 100))
    assert "no tar" in read(tmp_path / "a.gz")[1][0].why
