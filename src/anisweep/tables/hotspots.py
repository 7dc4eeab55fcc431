"""Make the hotspots table: one line for each function of a cProfile, with imports apart."""

from __future__ import annotations

import json
import marshal
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePath
from typing import Any

import pandas as pd

from anisweep.cell import FREE
from anisweep.row import Row, metric
from anisweep.tables.cells import dtypes_of

#: As cProfile keeps it: file, line, name.
Function = tuple[str, int, str]


@dataclass(frozen=True)
class Profile:
    """Hold what was profiled of one cell in one process.

    Attributes
    ----------
    import_s : import of the mode in that process, with all that nothing before it had imported
    calls : a cProfile, as `anisweep.worker.timing.calls_of` writes it
    stacks : sampled stacks, folded
    """

    row: Row
    import_s: float | None
    artifact: str
    calls: bytes
    stacks: bytes

    @property
    def name(self) -> str:
        """Return the name of its files, without a suffix."""
        row = self.row
        point = [row.dataset, row.output, row.mode, row.precision, row.device, f"{row.threads or FREE}t"]
        return "-".join([*point, f"r{row.replicate}p{row.process}", row.key[:8]])


@dataclass(frozen=True)
class Hotspot:
    """Describe one function in one profile.

    Times are those under cProfile, which slows down many short calls.
    """

    site: str = metric("where it was measured", default="")
    dataset: str = metric("name of the data set", default="")
    frames: int = metric("frames in the data set", default=0)
    output: str = metric("coefficients, power_spectrum, or the name of a task", default="")
    hypers: str = metric("hyperparameters, as canonical JSON", default="")
    mode: str = metric("mode", default="")
    precision: str = metric("floating-point format", default="")
    device: str = metric("cpu, cuda or mps", default="")
    threads: int = metric("threads that every pool was pinned to; 0: not pinned", default=1)
    replicate: int = metric("number of the replicate", default=0)
    process: int = metric("number of the fresh interpreter within the pack", default=0)
    function: str = metric("module and name; of compiled functions package and name", default="")
    calls: int = metric("how often it was called", default=0)
    self_s: float = metric("time in itself", "s", default=0.0)
    cumulative_s: float = metric("time in itself and in what it called", "s", default=0.0)
    profiled_s: float = metric("time of the whole profile, import not included", "s", default=0.0)
    import_s: float | None = metric("import of the mode before", "s")
    profile: str = metric("file in results/STUDY/profiles, without .prof or .folded", default="")
    artifact: str = metric("the artifact, relative to `results/`", default="")


def hotspots_table(profiles: Iterable[Profile]) -> pd.DataFrame:
    """Make a table with one line a function and profile.

    Within a profile the function with the longest own time comes first.
    """
    lines = [asdict(line) for profile in profiles for line in _hotspots(profile)]
    types = dtypes_of(Hotspot)
    table = pd.DataFrame(lines, columns=list(types)).astype(types)
    order = ["site", "dataset", "output", "hypers", "mode", "profile", "self_s", "function"]
    return table.sort_values(order, ascending=[*[True] * 6, False, True], ignore_index=True)


def write_profiles(profiles: Iterable[Profile], tables: Path, folder: Path) -> None:
    """Write ``hotspots.parquet`` and ``.csv`` among the tables, and the profiles themselves to a folder.

    There they are as `pstats`, and what reads its files, knows them, and as folded stacks.
    """
    kept = list(profiles)
    folder.mkdir(parents=True, exist_ok=True)
    tables.mkdir(parents=True, exist_ok=True)

    for profile in kept:
        (folder / f"{profile.name}.prof").write_bytes(marshal.dumps(stats_of(profile.calls)))
        (folder / f"{profile.name}.folded").write_bytes(profile.stacks)

    table = hotspots_table(kept)
    table.to_parquet(tables / "hotspots.parquet", index=False)
    table.to_csv(tables / "hotspots.csv", index=False)


def stats_of(calls: bytes) -> dict[Function, tuple[Any, ...]]:
    """Return a profile as `pstats` holds it.

    For each function these are calls without recursion, calls, own seconds, seconds, and the callers.

    It is read from plain lists: `marshal`, which `pstats` uses, must not be given files from elsewhere.
    """
    return {
        (file, line, name): (primitive, count, own, total, {tuple(c[:3]): tuple(c[3:]) for c in callers})
        for file, line, name, primitive, count, own, total, callers in json.loads(calls)
    }


def label(function: Function) -> str:
    """Return a short name such as ``einsumfunc:einsum`` or ``TensorBase.to``.

    A function without a name is told by its line.
    """
    file, line, name = function

    if file == "~":
        return _compiled(name.strip("<>"))

    path = PurePath(file)
    module = path.parent.name if path.stem == "__init__" else path.stem
    return f"{module}:{line} {name}" if name.startswith("<") else f"{module}:{name}"


def _compiled(name: str) -> str:
    """Shorten ``built-in method a.b.c`` and ``method 'c' of 'a.b' objects``."""
    if name.startswith("method "):
        _, method, _, owner, *_ = name.split("'")
        return f"{owner.rpartition('.')[2]}.{method}" if owner else method

    parts = name.removeprefix("built-in method ").split(".")
    return f"{parts[0]}.{parts[-1]}" if len(parts) > 1 else parts[0]


def _hotspots(profile: Profile) -> Iterator[Hotspot]:
    row = profile.row
    known: dict[str, Any] = {f.name: getattr(row, f.name) for f in fields(Hotspot) if hasattr(row, f.name)}
    known["hypers"] = json.dumps(row.hypers, sort_keys=True)
    stats = stats_of(profile.calls)
    total = sum(self_s for _, _, self_s, _, _ in stats.values())
    merged: dict[str, tuple[int, float, float]] = {}

    for function, (_, calls, self_s, cumulative_s, _) in stats.items():
        before = merged.get(label(function), (0, 0.0, 0.0))
        merged[label(function)] = (before[0] + calls, before[1] + self_s, before[2] + cumulative_s)

    origin = {"profile": profile.name, "artifact": profile.artifact, "import_s": profile.import_s}
    for name, (calls, self_s, cumulative_s) in merged.items():
        yield Hotspot(
            **{
                **known,
                **origin,
                "function": name,
                "calls": calls,
                "self_s": self_s,
                "cumulative_s": cumulative_s,
                "profiled_s": total,
            }
        )
