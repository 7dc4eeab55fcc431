"""Results that travel as one file, and a study that profiles, from the command to the report."""

from __future__ import annotations

import shutil
from pathlib import Path

from clone import Clone


def tables(project: Clone) -> dict[str, bytes]:
    folder = project.root / "results" / "tiny" / "tables"
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_bundle_brings_everything_back(project: Clone, tmp_path: Path) -> None:
    """Tables equal to the byte, and nothing is left to measure."""
    before, artifacts = tables(project), project.digests()
    project.run("anisweep", "bundle", "tiny", str(tmp_path / "tiny.tgz"))
    shutil.rmtree(project.root / "results")

    said = project.run("anisweep", "unbundle", str(tmp_path / "tiny.tgz"))

    assert "refused" not in said
    assert tables(project) == before
    assert project.digests() == artifacts
    assert project.plan()["to_measure"] == []


def test_a_study_that_profiles(project: Clone) -> None:
    measure = "measure={profile: true, repetitions: 2, warmups: 0, minimum_s: 0}"
    sets = "datasets={two_species: {frames: 1}}"

    project.snakemake("replicates=1", measure, sets)

    study = project.root / "results" / "tiny"
    report = (project.root / "results" / "report.html").read_text()
    hotspots = (study / "tables" / "hotspots.csv").read_text()

    assert "numpy.c_einsum" in hotspots
    assert len(list((study / "profiles").glob("*.prof"))) == 2
    for name in ("prof_two_species_callgraph", "prof_two_species_1", "flame_two_species"):
        assert (study / "figures" / f"{name}.png").stat().st_size > 5000
        assert f"tiny-{name}-" in report
