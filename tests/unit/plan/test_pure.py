"""Deciding what is to be measured reads nothing and writes nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from anisweep.config.load import load_config
from anisweep.config.project import Project
from anisweep.plan import decide, read_state

#: What touches a file, a folder or another process.
TOUCHES = ("open", "os.", "shutil.", "subprocess.", "socket.", "fcntl.", "tempfile.", "glob.", "pathlib.")

_watching: list[list[str]] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    for touched in _watching:
        if event.startswith(TOUCHES):
            touched.append(f"{event} {arguments[:1]}")


@pytest.fixture(scope="module", autouse=True)
def _hook() -> None:
    """An audit hook stays until the process ends; this one does nothing unless somebody watches."""
    sys.addaudithook(_watch)


@contextmanager
def touched() -> Iterator[list[str]]:
    """What happens to files in this block."""
    seen: list[str] = []
    _watching.append(seen)
    try:
        yield seen
    finally:
        _watching.remove(seen)


def test_the_hook_sees_what_is_opened(tmp_path: Path) -> None:
    with touched() as seen:
        (tmp_path / "file").write_text("")
    assert seen


@pytest.mark.parametrize("before", ["nothing", "one study", "other code", "failed", "damaged", "lost"])
def test_nothing_is_opened_or_written(
    project: Project,
    plan: Callable[..., object],
    measure: Callable[..., list[Path]],
    package: Path,
    before: str,
) -> None:
    if before != "nothing":
        files = measure(status="failed" if before == "failed" else "ok")
    if before == "damaged":
        files[0].write_bytes(b"")
    if before == "lost":
        files[0].unlink()
    if before == "other code":
        timing = package / "worker" / "timing.py"
        timing.write_text(f"{timing.read_text()}\nNEW = 1\n")
        _forget_digests()

    config, studies = load_config(project, {"study": "mine", "retry": True})
    state = read_state(project, config, studies)

    with touched() as seen:
        made = decide(state, config)
        assert made.estimated_s >= 0

    assert seen == []
    assert len(made.to_measure) == {"nothing": 4, "other code": 4, "failed": 4, "damaged": 2, "lost": 2}.get(
        before, 0
    )


def _forget_digests() -> None:
    from anisweep.plan import code_digest

    code_digest.code_files.cache_clear()
