#!/usr/bin/env python3
"""Build a release into dist/ (`make release`), or refuse and say why. Nothing is uploaded or tagged."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: Both distributions are released together.
PROJECTS = ("pyproject.toml", "condor/executor/pyproject.toml")


def main() -> None:
    refuse_uncommitted_changes()
    version = common_version()
    refuse_undescribed(version)
    refuse_old_locks()
    refuse_red_check()

    if status_of(sys.executable, "scripts/dist.py") != 0:
        sys.exit("Not released: the distributions could not be built; the reason is above.")

    commit = output_of("git", "rev-parse", "--short", "HEAD").strip()
    print(f"Version {version} is in dist/, built from commit {commit}. Nothing was uploaded.")
    print(f"When it has been tried: git tag v{version} {commit}")


def refuse_uncommitted_changes() -> None:
    """Refuse what is in no commit: nobody could build it again."""
    changes = output_of("git", "status", "--porcelain")
    if changes:
        sys.exit(
            f"Not released: the tree has changes that are in no commit.\n{changes}"
            "Commit or remove them, then run the same command again."
        )


def common_version() -> str:
    """Return the version, which both distributions share."""
    versions = {
        project: tomllib.loads((ROOT / project).read_text())["project"]["version"] for project in PROJECTS
    }

    if len(set(versions.values())) > 1:
        there = ", ".join(f"{version} in {project}" for project, version in versions.items())
        sys.exit(
            f"Not released: the distributions have different versions ({there}). Give them the same one."
        )
    return versions[PROJECTS[0]]


def refuse_undescribed(version: str) -> None:
    """Refuse a version that has no section of its own in the list of changes."""
    if f"## {version}" not in [line.strip() for line in (ROOT / "CHANGELOG.md").read_text().splitlines()]:
        sys.exit(
            f"Not released: CHANGELOG.md has no section `## {version}`. "
            "Give the changes under `## Unreleased` that heading, or correct the version in pyproject.toml."
        )


def refuse_old_locks() -> None:
    """Solve the locks again: what is locked keeps its version, so only a new requirement changes them."""
    if status_of("envs/lock") != 0:
        sys.exit("Not released: the locks could not be checked; the reason is above.")

    changes = output_of("git", "status", "--porcelain")
    if changes:
        sys.exit(
            f"Not released: pyproject.toml has requirements that were not locked. They are now:\n{changes}"
            "Look at the new locks (git diff), run `make test`, commit them, then run the same command again."
        )


def refuse_red_check() -> None:
    """Refuse what does not pass `make check`."""
    if status_of("make", "check") != 0:
        sys.exit("Not released: `make check` failed; the reason is above.")


def output_of(*command: str) -> str:
    """Return what a command prints; its failure ends the release."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"Not released: `{' '.join(command)}` failed; the reason is above.")
    return done.stdout


def status_of(*command: str) -> int:
    """Run a command, showing what it says, and return its exit status."""
    print(f"$ {' '.join(command)}", flush=True)
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    main()
