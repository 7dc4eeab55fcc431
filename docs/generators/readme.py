"""Write the figures in README.md: taken from results, stored in docs/first_look.json, and checked."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from anisweep import report, tables
from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.formatting import time_with_unit

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
STUDY = "first_look"
KEPT = Path("docs/first_look.json")
PICTURE = Path("docs/first_look.svg")
PUBLISHED = "numpy_only"


@dataclass(frozen=True)
class Line:
    """Hold one problem: the published package's time, and each other mode's ratio to it with its interval."""

    problem: str
    pairs: int
    published_s: float
    ratios: dict[str, tuple[float, float, float]]


def take(root: Path) -> None:
    """Keep the figures of results/first_look and its picture, for README.md."""
    project = Project(root)
    summary = tables.read(project.tables(STUDY), "summary")
    platform = next(iter(tables.read_platforms(project.tables(STUDY)).values()))
    picture = project.figures(STUDY) / "wall_time_by_system.svg"
    shutil.copyfile(picture, root / PICTURE)

    kept = {
        "answer": report.answer_of(project.tables(STUDY)),
        "cpu": platform.cpu_model,
        "packages": {name: platform.packages[name] for name in ("anisoap", "numpy", "torch")},
        "picture_sha256": _sha256(picture),
        "lines": [asdict(line) for line in _lines(summary)],
    }
    (root / KEPT).write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def text(root: Path) -> str:
    """Return README.md with the kept figures between its markers."""
    page = (root / "README.md").read_text()
    kept = json.loads((root / KEPT).read_text())

    if _sha256(root / PICTURE) != kept["picture_sha256"]:
        raise UserError(f"{PICTURE} is not the picture of {KEPT}. `make readme` writes both from results.")

    return between(page, BEGIN, END, _block(kept))


def between(page: str, begin: str, end: str, lines: Iterable[str]) -> str:
    """Return the page with these lines between two of its marks."""
    before, rest = page.split(begin)
    _, after = rest.split(end)
    return before + "\n".join([begin, *lines, end]) + after


def _block(kept: dict[str, Any]) -> list[str]:
    lines = [Line(**line) for line in kept["lines"]]
    modes = sorted(lines[0].ratios)
    versions = ", ".join(f"{name} {version}" for name, version in kept["packages"].items())

    return [
        f"What `make run` found (one core of {kept['cpu']}; {versions}):",
        "",
        "\n>\n".join(f"> {line}" for line in kept["answer"].splitlines()),
        "",
        "<details>",
        "<summary><b>The time of each mode</b></summary>",
        "",
        "For published AniSOAP this is the wall time of one computation. For each mode it is the ratio of",
        "its time to that of published AniSOAP in the same process, with the 95 % interval over replicates.",
        "",
        "| | pairs | published AniSOAP | " + " | ".join(f"`{mode}`" for mode in modes) + " |",
        "|---|--:|--:|" + "--:|" * len(modes),
        *(_table_line(line, modes) for line in lines),
        "",
        "</details>",
    ]


def _table_line(line: Line, modes: list[str]) -> str:
    ratios = ["{} ({}–{})".format(*map(_two_digits, line.ratios[mode])) for mode in modes]
    return (
        f"| {line.problem} | {line.pairs:,} | {time_with_unit(line.published_s)} | "
        + " | ".join(ratios)
        + " |"
    )


def _two_digits(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.2g}"


def _lines(summary: pd.DataFrame) -> list[Line]:
    lines = []

    for (dataset, output), group in summary.groupby(["dataset", "output"], sort=False):
        by_mode = group.set_index("mode")
        others = by_mode.drop(index=PUBLISHED)
        ratios = {
            str(mode): (float(row["ratio"]), float(row["ratio_low"]), float(row["ratio_high"]))
            for mode, row in others.iterrows()
        }
        problem = f"{dataset}, {output}".replace("_", " ")
        pairs = int(by_mode["pairs"][PUBLISHED])
        lines.append(Line(problem, pairs, float(by_mode["wall_mean_s"][PUBLISHED]), ratios))

    return lines


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
