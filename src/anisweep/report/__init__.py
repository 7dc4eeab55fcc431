"""The report: one self-contained page over all studies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from anisweep import claims, tables
from anisweep.profiled import profile_figures
from anisweep.report.answer import answer
from anisweep.report.content import Measured, Section, Table, headline
from anisweep.report.conversion import conversion_table
from anisweep.report.crossover import crossover_table
from anisweep.report.details import artifacts_table, details, platforms_table
from anisweep.report.downstream import downstream_table
from anisweep.report.growth import growth_table
from anisweep.report.hotspots import hotspots_tables
from anisweep.report.ingested import ingested_tables
from anisweep.report.invariances import invariances_table
from anisweep.report.ledger import claims_table
from anisweep.report.noise import disturbance
from anisweep.report.parity import parity_table
from anisweep.report.recommended import recommended_table
from anisweep.report.svg import picture

__all__ = ["Study", "answer", "answer_of", "write"]

#: Each file here is a figure (`anisweep.figures`); listing them needs no matplotlib.
FIGURES = Path(__file__).parents[1] / "figures"

#: The figure of the first screen.
LEAD = "wall_time_by_system"


@dataclass(frozen=True)
class Study:
    """A study of the report; ``folder`` holds its ``tables/`` and ``figures/``."""

    name: str
    question: str
    folder: Path


def write(studies: Sequence[Study], path: Path) -> None:
    """Write the report; links to artifacts are relative to the folder of ``path``, where ``claims.csv``
    lies if claims have been judged."""
    measured = [_read(study) for study in studies]
    platforms = [platform for study in measured for platform in study.platforms.values()]

    environment = Environment(
        loader=PackageLoader("anisweep.report", "page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    page = environment.get_template("report.html.j2").render(
        ledger=_ledger(path.parent / "claims.csv"),
        sections=[_section(study, content) for study, content in zip(studies, measured, strict=True)],
        provenance=[
            platforms_table(platforms),
            artifacts_table(measured),
            *ingested_tables(path.parent / "tables"),
        ],
    )

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def answer_of(tables_folder: Path) -> str:
    """The answer of one study, for the terminal; a second line if the run was disturbed."""
    missing = json.loads((tables_folder / "missing.json").read_text())
    said = answer(tables.read(tables_folder, "summary"), missing)
    return "\n".join(filter(None, [said, disturbance(tables.read(tables_folder, "cells"))]))


def _read(study: Study) -> Measured:
    folder = study.folder / "tables"

    return Measured(
        name=study.name,
        question=study.question,
        cells=tables.read(folder, "cells"),
        summary=tables.read(folder, "summary"),
        journeys=tables.read(folder, "journeys"),
        platforms=tables.read_platforms(folder),
        missing=json.loads((folder / "missing.json").read_text()),
    )


def _ledger(file: Path) -> Table | None:
    return claims_table(claims.read(file)) if file.exists() else None


def _drawn(folder: Path) -> list[Path]:
    """The pictures of a study's figures that exist today; what a removed one left behind is passed over."""
    names = [module.stem for module in sorted(FIGURES.glob("[!_]*.py"))]
    files = [folder / "figures" / f"{name}.svg" for name in [*names, *_profiles(folder / "tables")]]
    return [file for file in files if file.exists()]


def _folded(content: Measured) -> list[Table]:
    recommended = recommended_table(content.cells, content.summary)
    first = [
        recommended,
        parity_table(content.cells),
        crossover_table(content.cells),
        growth_table(content.cells),
        conversion_table(content.summary),
        invariances_table(content.cells),
        downstream_table(content.cells),
    ]
    return [*(table for table in first if table.rows), *details(content)]


def _profiles(folder: Path) -> list[str]:
    """The figures of each data set that was profiled."""
    if not (folder / "hotspots.parquet").exists():
        return []

    sets = tables.read(folder, "hotspots")[["dataset", "frames"]].drop_duplicates()
    pairs = zip(sets["dataset"], sets["frames"], strict=True)
    return [name for dataset, frames in pairs for name in profile_figures(dataset, frames)]


def _section(study: Study, content: Measured) -> Section:
    pictures = [picture(file, f"{study.name}-{file.stem}") for file in _drawn(study.folder)]
    shown = [p for p in pictures if p.drawn]
    lead = next((p for p in shown if p.name == LEAD), shown[0] if shown else None)

    return Section(
        name=study.name,
        question=study.question,
        answer=answer(content.summary, content.missing),
        disturbance=disturbance(content.cells),
        headline=headline(content),
        lead=lead,
        figures=[p for p in shown if p is not lead],
        not_drawn=[p for p in pictures if not p.drawn],
        details=[*_folded(content), *hotspots_tables(study.folder / "tables")],
        missing=content.missing,
    )
