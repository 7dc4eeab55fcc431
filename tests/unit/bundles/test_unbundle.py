"""Old bundles: rows into a table of their own, files to their folders, and nothing anywhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import synthetic
from anisweep import report, tables
from anisweep.bundles import unbundle
from anisweep.bundles.filing import file_away, safe_name
from anisweep.cli import main
from anisweep.config.load import RESERVED_NAMES, load_study
from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.tables.old_rows import read_old_rows
from study_bundles import CHTC, HOME, LOCAL, TIMINGS, tgz, zipped


@pytest.fixture
def taken_in(project: Project, tmp_path: Path) -> Project:
    unbundle(project, tgz(tmp_path / "X.tgz", CHTC), "chtc")
    unbundle(project, zipped(tmp_path / "Y.zip", HOME), "local")
    return project


def files(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_files_go_where_they_belong(taken_in: Project) -> None:
    logs = {
        "logs/chtc/job_ellipsoids.xyz_numpy.out",
        "logs/chtc/ellipsoids.numpy_only.wall",
        "logs/local/run.log",
    }
    others = {"profiler_traces/torch_trace_0.json", "figures/cprofile/prof_ellipsoids_callgraph.png"}
    found = set(files(taken_in.results))

    assert {name for name in found if not name.startswith("tables/")} == logs | others
    assert "tables/env_report.json" in found


def test_the_old_tables_are_there_again(taken_in: Project) -> None:
    """As they were, by name, columns and numbers."""
    folder = taken_in.results / "tables"

    assert (folder / "timings.csv").read_text() == CHTC["results/timings.csv"]
    assert (folder / "timings_chtc.csv").read_text() == TIMINGS
    assert (folder / "combined_from_metrics.csv").read_text() == TIMINGS
    assert pd.read_csv(folder / "timings_local.csv").to_csv() == pd.read_csv(_file(folder, LOCAL)).to_csv()
    assert list(pd.read_csv(folder / "summary_local.csv")["util"]) == [55.0, 91.0]


def _file(folder: Path, text: str) -> Path:
    (folder / "expected.csv").write_text(text)
    return folder / "expected.csv"


def test_claims_about_old_rows_have_their_figure(taken_in: Project) -> None:
    """Every row that came in is there, flagged."""
    rows = len(read_old_rows(taken_in.results / "tables"))
    line = next(one for one in CliRunner().invoke(main, ["claims"]).output.splitlines() if "old rows" in one)

    assert line.split()[:2] == ["confirmed", "1"]
    assert pd.read_csv(taken_in.results / "tables" / "bundles.csv")["passed"].sum() == rows > 0


def test_each_row_says_where_it_comes_from(taken_in: Project) -> None:
    rows = read_old_rows(taken_in.results / "tables")

    assert len(rows) == 2 + 2 + 1 + 2 + 2 + 2
    assert set(rows["provenance"]) == {"old bundle"}
    assert rows["unproven"].str.contains("mode that ran").all()
    assert set(rows["bundle"]) == {"X.tgz", "Y.zip"}
    assert set(rows.loc[rows["table"] == "timings", "member"]) == {"results/timings.csv"}


def test_a_bundle_taken_twice_is_taken_once(taken_in: Project, tmp_path: Path) -> None:
    before = files(taken_in.results)
    unbundle(taken_in, tmp_path / "X.tgz", "chtc")

    rows = read_old_rows(taken_in.results / "tables")
    assert len(rows) == 11
    assert set(files(taken_in.results)) == set(before)


def test_the_good_half_of_a_bundle(project: Project, tmp_path: Path) -> None:
    members = {"timings_chtc.csv": TIMINGS + "c.xyz,numpy_only,soon,1,1\n", "summary_chtc.csv": "a,b\n1,2\n"}
    outcome = unbundle(project, tgz(tmp_path / "X.tgz", members), "chtc")

    assert len(outcome.rows) == 2
    said = outcome.render()
    assert "refused: timings_chtc.csv, line 4: wall_s is 'soon', which is no number" in said
    assert "refused: summary_chtc.csv: its columns are a, b; needed are file, mode, wall_mean" in said


def test_old_rows_are_no_measured_cells(taken_in: Project, results: Path) -> None:
    """The report of a study is the same beside them, but for their own folded table."""
    rows = synthetic.first_look()
    folder = taken_in.results / "first_look"
    tables.write_all(rows, synthetic.sources(rows), folder / "tables")
    study = report.Study("first_look", "How?", folder / "tables", folder / "figures")

    report.write([study], taken_in.root / "elsewhere" / "report.html")
    report.write([study], taken_in.results / "report.html", bundle_tables=taken_in.bundle_tables)
    without = (taken_in.root / "elsewhere" / "report.html").read_text()
    page = (taken_in.results / "report.html").read_text()
    start = page.index("<details><summary>Old bundles: 11 unproven rows")
    end = page.index("</details>", start) + len("</details>\n")

    assert page[:start] + page[end:] == without
    assert "Unproven: mode that ran" in page[start:end]
    assert (taken_in.results / "first_look" / "tables" / "cells.parquet").read_bytes() == (
        results / "first_look" / "tables" / "cells.parquet"
    ).read_bytes()


@pytest.mark.parametrize("name", ["logs", "profiler_traces", "figures", "tables"])
def test_the_folders_are_no_names_of_studies(project: Project, name: str) -> None:
    assert name in RESERVED_NAMES
    with pytest.raises(UserError, match=f"'{name}' is the name of a folder"):
        load_study(project, name, "small")


def test_hostile_names_become_harmless() -> None:
    assert safe_name("a/b/$(basename data/x.xyz)_1.out") == "x.xyz_1.out"
    assert safe_name("$(basename ${xyz}).out") == "xyz_.out"
    assert safe_name("<img src=x>;rm -rf.log") == "img_src=x_rm_-rf.log"
    assert safe_name("...") == "unnamed"


def test_another_file_of_the_same_name_is_left_alone(tmp_path: Path) -> None:
    first = file_away(b"one", tmp_path, "run.log")
    second = file_away(b"two", tmp_path, "run.log")

    assert first.read_bytes() == b"one"
    assert second != first
    assert second.read_bytes() == b"two"
    assert file_away(b"one", tmp_path, "run.log") == first


def test_the_command(project: Project, tmp_path: Path) -> None:
    good = tgz(tmp_path / "X.tgz", CHTC)
    said = CliRunner().invoke(main, ["unbundle", str(good)])
    assert said.exit_code == 0
    assert "2 rows of timings_chtc -> results/tables" in said.output
    assert "left out, of no kind that is kept: README.md" in said.output

    (tmp_path / "nothing.tgz").write_bytes(good.read_bytes()[:20])
    said = CliRunner().invoke(main, ["unbundle", str(tmp_path / "nothing.tgz")])
    assert said.exit_code == 1
    assert "nothing.tgz: it ends in the middle" in said.output

    said = CliRunner().invoke(main, ["unbundle", str(tmp_path / "absent.tgz")])
    assert said.exit_code == 1
    assert "Allowed: a path that exists" in said.output


def test_metrics_stay_as_they_were(taken_in: Project) -> None:
    file = taken_in.results / "tables" / "ellipsoids.numpy_only.metrics.json"
    assert json.loads(file.read_text())["elapsed_s"] == 2.5
