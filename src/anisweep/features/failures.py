"""Keep a record of each shard that failed for good: which frames it has, and why they have no features."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from anisweep.features.job import read_job
from anisweep.files import read_bytes, write_text


def record_failure(output: Path, reason: str) -> None:
    """Write down that an output will not come; where its job's file is lost every run asks for it anyway."""
    folder, name = output.parents[1], output.stem
    said = last_error(folder / "logs" / f"{name}.log")
    why = f"{said} ({reason})" if said else reason

    with suppress(OSError, ValueError):
        frames = read_job(folder / "jobs" / f"{name}.json").frames
        write_text(folder / "failed" / f"{name}.txt", f"{name}, {frames}: {why}\n")


def last_error(log: Path) -> str:
    """Return the error that a job printed last, in one line; empty where there is none."""
    if not log.is_file():
        return ""
    _, found, said = read_bytes(log).decode(errors="replace").rpartition("Error: ")
    return " ".join(said.split()) if found else ""
