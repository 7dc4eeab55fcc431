"""Write the page of a GPU: ``python -m benchmarks._gpu_page [results/benchmarks/gpu.json]``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from anisweep.formatting import plain, time_with_unit, whole

KEPT = Path("docs/benchmarks-gpu.json")
PAGE = Path("docs/reference/benchmarks-gpu.md")

TEXT = Path(__file__).with_suffix(".md")

NOT_MEASURED = (
    "**Not measured.** No GPU has run this yet. On a machine with one, in a checkout, write it by:\n\n"
    "    PYTHONPATH=src python3 -m benchmarks gpu"
)


def take(root: Path, result: Path) -> None:
    """Keep the figures of a run, and write the page."""
    (root / KEPT).write_text(result.read_text(encoding="utf-8").strip() + "\n", encoding="utf-8")
    (root / PAGE).write_text(contents(root), encoding="utf-8")
    print(f"written: {root / PAGE}", flush=True)


def contents(root: Path) -> str:
    """What the page must be, from the kept figures, if there are any."""
    path = root / KEPT
    figures = (
        "\n".join(measured(json.loads(path.read_text(encoding="utf-8")))) if path.exists() else NOT_MEASURED
    )
    return TEXT.read_text(encoding="utf-8").replace("{figures}", figures)


def measured(kept: dict[str, Any]) -> Iterator[str]:
    """All tables of a run."""
    machine, rows = kept["machine"], kept["timed"]
    versions = ", ".join(f"{name} {machine[name]}" for name in ("torch", "triton", "cuda"))
    yield f"{machine['gpu']}, beside one core of {machine['cpu']} with {machine['level']} ({versions})."
    yield from rates(kept["rates"])
    yield from checks(kept["checked"])

    for lmax, max_radial in dict.fromkeys((row["lmax"], row["max_radial"]) for row in rows):
        here = [row for row in rows if row["lmax"] == lmax]
        yield f"\n## lmax {lmax}" + (f", nmax {max_radial}" if max_radial else "")
        for task in dict.fromkeys(row["task"] for row in here):
            yield from times(task, [row for row in here if row["task"] == task])
        yield from shares([row for row in here if row["operations"]], kept["rates"])
    yield from left_out(kept["left_out"])


def table(*heads: str) -> Iterator[str]:
    yield ""
    yield line(*heads)
    yield line("---", *("--:" for _ in heads[1:]))


def line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def rates(kept: dict[str, float]) -> Iterator[str]:
    """What the card reaches."""
    if kept:
        yield from table("a matrix product of the card, and a copy", *kept)
        units = ("TB/s" if name == "copy" else "T/s" for name in kept)
        yield line(
            "", *(f"{plain(rate / 1e12)} {unit}" for rate, unit in zip(kept.values(), units, strict=True))
        )


def checks(kept: list[dict[str, Any]]) -> Iterator[str]:
    """Errors beside their bounds."""
    yield from table("checked against the C kernels", "error", "at most", "holds")
    for row in kept:
        holds = "yes" if row["error"] <= row["bound"] else "**no**"
        yield line(row["what"], plain(row["error"]), plain(row["bound"]), holds)


def times(task: str, rows: list[dict[str, Any]]) -> Iterator[str]:
    """A line for each size, a column for each way; then from where on each is faster than one core."""
    found = {(row["particles"], row["way"]): row for row in rows}
    ways = list(dict.fromkeys(row["way"] for row in rows))
    sizes = {row["particles"]: row["pairs"] for row in rows}

    yield from table(task, "particles", *ways)
    for particles, pairs in sizes.items():
        core = found.get((particles, "one core"))
        cells = (cell(found.get((particles, way)), core) for way in ways)
        yield line(f"{whole(pairs)} pairs", whole(particles), *cells)

    yield ""
    for way in ways[1:]:
        yield f"- `{way}`: {crossover(found, sizes, way)}"


def cell(row: dict[str, Any] | None, core: dict[str, Any] | None) -> str:
    """A time, and how many times as fast as one core that is."""
    if row is None:
        return ""
    ratio = "" if core in (None, row) else f" ({plain(core['seconds'] / row['seconds'])} ×)"
    return time_with_unit(row["seconds"]) + ratio


def crossover(found: dict[Any, Any], sizes: dict[int, int], way: str) -> str:
    """The first size from which on a way is faster than one core."""
    both = [size for size in sizes if (size, way) in found and (size, "one core") in found]
    slower = [
        n for n, size in enumerate(both) if found[size, way]["seconds"] >= found[size, "one core"]["seconds"]
    ]
    first = slower[-1] + 1 if slower else 0
    if first == len(both):
        return "slower than one core for all sizes that were measured"
    return f"faster than one core from {whole(sizes[both[first]])} pairs on"


def shares(rows: list[dict[str, Any]], known: dict[str, float]) -> Iterator[str]:
    """What part of the card's arithmetic and bandwidth the features take, and their memory."""
    yield from table("features", "way", "arithmetic", "bandwidth", "peak memory")
    for row in rows:
        arithmetic = share(row["operations"] / row["seconds"], known.get(row["way"].split()[-1]))
        bandwidth = share(row["bytes"] / row["seconds"], known.get("copy"))
        memory = f"{plain(row['peak_bytes'] / 2**20)} MiB"
        yield line(f"{whole(row['pairs'])} pairs", row["way"], arithmetic, bandwidth, memory)


def share(rate: float, of: float | None) -> str:
    return f"{plain(100 * rate / of)} %" if of else ""


def left_out(kept: list[dict[str, str]]) -> Iterator[str]:
    if kept:
        yield "\n## Left out\n"
    for why in dict.fromkeys(row["why"] for row in kept):
        yield f"- {why}: " + "; ".join(row["what"] for row in kept if row["why"] == why)


if __name__ == "__main__":
    for given in sys.argv[1:]:
        take(Path(), Path(given))
    PAGE.write_text(contents(Path()), encoding="utf-8")
