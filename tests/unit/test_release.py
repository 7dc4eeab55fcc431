"""What must be in order before anything is released, in a small project with the same commands."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROJECT = '[project]\nversion = "0.2.0"\n'

#: The commands that a release runs, and what each says.
COMMANDS = {
    "Makefile": "check:\n\t@echo checked\n",
    "envs/lock": "#!/bin/sh\necho solved\n",
    "scripts/dist.py": "print('built')\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "pyproject.toml": PROJECT,
        "condor/executor/pyproject.toml": PROJECT,
        "CHANGELOG.md": "# Changes\n\n## Unreleased\n\n## 0.2.0\n\n- Everything.\n",
        "envs/dev.txt": "numpy==2.4.6\n",
        **COMMANDS,
    }
    for name, text in files.items():
        write(tmp_path / name, text)

    shutil.copy(ROOT / "scripts" / "release.py", tmp_path / "scripts")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def git(project: Path, *words: str) -> None:
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    subprocess.run(["git", *identity, *words], cwd=project, check=True)


def commit(project: Path) -> None:
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "as it is")


def release(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", "scripts/release.py"], cwd=project, capture_output=True, text=True, check=False
    )


def test_what_is_in_order_is_built_after_it_was_checked(project: Path) -> None:
    done = release(project)

    assert done.returncode == 0, done.stderr
    steps = [line for line in done.stdout.splitlines() if line in ("solved", "checked", "built")]
    assert steps == ["solved", "checked", "built"]
    assert "Version 0.2.0 is in dist/" in done.stdout


def changed(project: Path) -> None:
    (project / "CHANGELOG.md").open("a").write("more\n")


def new_file(project: Path) -> None:
    (project / "notes.txt").write_text("somebody's\n")


def other_version(project: Path) -> None:
    write(project / "condor/executor/pyproject.toml", PROJECT.replace("0.2.0", "0.1.9"))
    commit(project)


def undescribed(project: Path) -> None:
    for name in ("pyproject.toml", "condor/executor/pyproject.toml"):
        write(project / name, PROJECT.replace("0.2.0", "0.3.0"))
    commit(project)


def unlocked(project: Path) -> None:
    write(project / "envs/lock", "#!/bin/sh\necho scipy==1.17 >> envs/dev.txt\n")
    commit(project)


def unsolvable(project: Path) -> None:
    write(project / "envs/lock", "#!/bin/sh\necho no solution >&2\nexit 1\n")
    commit(project)


def red(project: Path) -> None:
    write(project / "Makefile", "check:\n\t@exit 1\n")
    commit(project)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (changed, "CHANGELOG.md"),
        (new_file, "notes.txt"),
        (other_version, "0.1.9 in condor/executor/pyproject.toml"),
        (undescribed, "no section `## 0.3.0`"),
        (unlocked, "envs/dev.txt"),
        (unsolvable, "locks could not be checked"),
        (red, "`make check` failed"),
    ],
)
def test_what_is_not_in_order_is_refused_in_words_before_anything_is_built(
    project: Path, fault: Callable[[Path], None], says: str
) -> None:
    fault(project)
    done = release(project)

    assert done.returncode == 1
    assert "Not released: " in done.stderr
    assert says in done.stderr
    assert "built\n" not in done.stdout


def test_a_build_that_fails_is_no_release(project: Path) -> None:
    write(project / "scripts/dist.py", "raise SystemExit('no compiler')\n")
    commit(project)
    done = release(project)

    assert done.returncode == 1
    assert "could not be built" in done.stderr
    assert "is in dist/" not in done.stdout
