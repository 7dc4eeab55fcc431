"""Keep a record of each shard that failed for good: which frames it has, and why they have no features."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from anisweep.features.job import read_job
from anisweep.files import read_bytes, write_json
from anisweep.parsing.json_text import read_json
from anisweep.parsing.schema import build


@dataclass(frozen=True)
class Failure:
    """Say which frames of which file have no features, and why."""

    shard: str
    frames: str
    reason: str

    def __str__(self) -> str:
        """Return it as a line."""
        return f"{self.shard}, {self.frames}: {self.reason}"


def record_failure(output: Path, reason: str) -> None:
    """Write down that an output will not come; where its job's file is lost every run asks for it anyway."""
    folder, name = output.parents[1], output.stem
    said = last_error(folder / "logs" / f"{name}.log")

    with suppress(OSError, ValueError):
        job = read_job(folder / "jobs" / f"{name}.json")
        why = f"{said} ({reason})" if said else reason
        write_json(folder / "failed" / f"{name}.json", asdict(Failure(name, job.frames, why)))


def read_failure(file: Path) -> Failure | None:
    """Return what a record says; None where there is none."""
    with suppress(OSError, ValueError):
        return build(Failure, read_json(read_bytes(file)))
    return None


def last_error(log: Path) -> str:
    """Return the error that a job printed last; empty where there is none."""
    with suppress(OSError):
        _, found, said = read_bytes(log).decode(errors="replace").rpartition("Error: ")
        return " ".join(said.split()) if found else ""
    return ""
