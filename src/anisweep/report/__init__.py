"""Write the report, one self-contained page over all studies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from anisweep import figures, tables
from anisweep.analysis import claims
from anisweep.report.answer import answer, answer_of, write_answer
from anisweep.report.disturbance import disturbance
from anisweep.report.inline_svg import picture
from anisweep.report.judged_claims import claims_table
from anisweep.report.model import Measured, StudyPart, headline
from anisweep.report.old_bundles import old_bundle_tables
from anisweep.report.provenance import artifacts_table, platforms_table
from anisweep.report.sections import sections_of

__all__ = ["Study", "answer", "answer_of", "write", "write_answer"]

#: The figure of the first screen.
LEAD = "wall_time_by_system"


@dataclass(frozen=True)
class Study:
    """Name a study of the report, and the folders with its tables and its figures."""

    name: str
    question: str
    tables: Path
    figures: Path


def write(
    studies: Sequence[Study], path: Path, judged: Path | None = None, bundle_tables: Path | None = None
) -> None:
    """Write the report.

    Parameters
    ----------
    path : the page; links to artifacts are relative to its folder
    judged : the file with the claims as they were judged
    bundle_tables : the folder of tables that came with old bundles
    """
    measured = [_read(study) for study in studies]
    platforms = [platform for study in measured for platform in study.platforms.values()]

    environment = Environment(
        loader=PackageLoader("anisweep.report", "page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    ledger = claims_table(claims.read(judged)) if judged else None
    parts = [_part(study, content) for study, content in zip(studies, measured, strict=True)]
    above = [table for part in parts for table in (part.headline, *part.sections)]
    linked = {href for table in [*above, *([ledger] if ledger else ())] for href in table.links}
    provenance = [
        platforms_table(platforms),
        artifacts_table(measured, linked),
        *(old_bundle_tables(bundle_tables) if bundle_tables else ()),
    ]
    page = environment.get_template("report.html.j2").render(
        ledger=ledger,
        studies=parts,
        provenance=provenance,
        ids={"provenance", *(name for table in [*above, *provenance] for name in table.ids)},
    )

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def _read(study: Study) -> Measured:
    folder = study.tables
    profiled = (folder / "hotspots.parquet").exists()

    return Measured(
        name=study.name,
        question=study.question,
        cells=tables.read(folder, "cells", without=tables.LISTS),
        summary=tables.read(folder, "summary"),
        job_records=tables.read(folder, "job_records"),
        hotspots=tables.read(folder, "hotspots") if profiled else pd.DataFrame(),
        platforms=tables.read_platforms(folder),
        missing=json.loads((folder / "missing.json").read_text()),
    )


def _drawn(folder: Path, hotspots: pd.DataFrame) -> list[Path]:
    """Return the pictures of a study's figures that exist today; leftovers of removed ones do not count."""
    sets = hotspots.reindex(columns=["dataset", "frames"]).drop_duplicates()
    names = figures.names(zip(sets["dataset"], sets["frames"], strict=True))
    files = [folder / f"{name}.svg" for name in names]
    return [file for file in files if file.exists()]


def _part(study: Study, content: Measured) -> StudyPart:
    drawn = _drawn(study.figures, content.hotspots)
    pictures = [picture(file, f"{study.name}-{file.stem}") for file in drawn]
    shown = [p for p in pictures if p.drawn]
    lead = next((p for p in shown if p.name == LEAD), shown[0] if shown else None)

    return StudyPart(
        name=study.name,
        question=study.question,
        answer=answer(content.summary, content.cells, content.missing),
        disturbance=disturbance(content.cells),
        headline=headline(content),
        lead=lead,
        figures=[p for p in shown if p is not lead],
        not_drawn=[p for p in pictures if not p.drawn],
        sections=sections_of(content),
        missing=content.missing,
    )
