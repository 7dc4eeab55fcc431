"""Files that appear whole or not at all, whatever fails on the way, and locks that one holder has."""

from __future__ import annotations

import ast
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from anisweep.files import locked, whole, write_text
from anisweep.source import PACKAGE

#: Who may do it by hand: files.py, by which all others write; artifacts, which are published by hard links
#: and never replace anything; a log that grows; a probe of a disk; kernels, which know no other module.
BY_HAND = {
    "artifacts/store.py": {"os.link"},
    "artifacts/writing.py": {"os.link"},
    "cluster/moved.py": {"os.fsync"},
    "cluster/preflight/files.py": {"os.fsync"},
    "files.py": {"fcntl.flock", "os.fsync", "os.replace"},
}
STEPS = {"fcntl.flock", "fcntl.lockf", "os.fsync", "os.link", "os.rename", "os.replace"}


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupted() -> None:
    raise KeyboardInterrupt


def write_half(file: Path, lasting: bool = True, then: Callable[[], object] = lambda: None) -> None:
    with whole(file, lasting=lasting) as stream:
        stream.write(b"half")
        then()


@pytest.mark.parametrize(
    ("step", "lasting"),
    [("fsync", True), ("replace", True), ("replace", False), ("the block", True), ("the block", False)],
)
def test_what_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, step, lasting):
    file = tmp_path / "kept.txt"
    file.write_text("old")
    if step != "the block":
        monkeypatch.setattr(os, step, full)

    with pytest.raises(OSError, match="No space left") as failed:
        write_half(file, lasting, full if step == "the block" else lambda: None)

    assert failed.value.filename == str(file)
    assert [each.name for each in tmp_path.iterdir()] == ["kept.txt"]
    assert file.read_text() == "old"


def test_an_interrupt_leaves_the_old_file_and_no_other(tmp_path):
    file = tmp_path / "kept.txt"
    write_text(file, "old")

    with pytest.raises(KeyboardInterrupt):
        write_half(file, then=interrupted)

    assert [each.name for each in tmp_path.iterdir()] == ["kept.txt"]
    assert file.read_text() == "old"


def test_an_error_about_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as failed:
        write_half(tmp_path / "new.txt", then=(tmp_path / "other.txt").read_bytes)

    assert failed.value.filename == str(tmp_path / "other.txt")


def test_a_lock_has_one_holder_and_ends_with_its_file(tmp_path):
    file = tmp_path / "lock"

    with file.open("w") as mine, file.open("w") as other:
        assert locked(mine)
        assert not locked(other)
        assert not locked(other, shared=True)

    with file.open("w") as next_one:
        assert locked(next_one, wait=True)


def test_nobody_else_writes_or_locks_by_hand():
    found = {path.relative_to(PACKAGE).as_posix(): set(_steps(path.read_text())) for path in SOURCES}

    assert {name: steps for name, steps in found.items() if steps} == BY_HAND


SOURCES = sorted(PACKAGE.rglob("*.py"))


def _steps(text: str) -> Iterator[str]:
    """Yield the steps on the disk that a module names."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and (name := ast.unparse(node)) in STEPS:
            yield name
