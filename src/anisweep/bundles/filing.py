"""Decide where the files of a bundle go (logs, traces, pictures), under safe names."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path, PurePosixPath

from anisweep.files import write_bytes

LOGS = (".out", ".err", ".log", ".wall")
TRACES = (".prof", ".pstats", ".folded")
PICTURES = (".png", ".svg", ".pdf", ".dot")


def folder_of(member: str, site: str) -> str:
    """Return the folder below ``results/`` for a file of a bundle; empty when its kind is not kept."""
    name = safe_name(member).lower()

    if name.endswith(LOGS):
        return f"logs/{site}"
    if name.endswith(TRACES) or (name.endswith((".json", ".json.gz")) and "trace" in name):
        return "profiler_traces"
    if name.endswith(PICTURES):
        return "figures/cprofile"
    return "tables" if name.endswith(".json") else ""


def safe_name(member: str) -> str:
    """Return the last part of a name, in letters that every file system takes.

    Jobs of the study left names with an unexpanded ``$(basename data/x.xyz)``; they become ``x.xyz``.
    """
    expanded = re.sub(r"\$\(basename\s+([^)]*)\)", lambda found: PurePosixPath(found[1]).name, member)
    name = re.sub(r"[^A-Za-z0-9._+=-]+", "_", PurePosixPath(expanded).name).strip("._")
    return name[-150:] or "unnamed"


def file_away(content: bytes, folder: Path, name: str) -> Path:
    """Write a file, unless it is there; another one of the same name is left alone."""
    target = folder / name

    if os.path.lexists(target) and not (target.is_file() and target.read_bytes() == content):
        digest = hashlib.sha256(content).hexdigest()[:8]
        target = target.with_name(f"{target.stem}-{digest}{target.suffix}")
    if not target.exists():
        write_bytes(target, content)
    return target
