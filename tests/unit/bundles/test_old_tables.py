"""The study's tables: the good lines are rows, the wrong ones are named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from anisweep.bundles.archive import Member
from anisweep.bundles.old_tables import Parsed, parse, table_name

HEAD = "file,mode,wall_s,N,species\n"


def parsed(name: str, text: str, site: str = "chtc") -> Parsed:
    return parse(Member(name, text.encode()), site)


def metrics(**changes: Any) -> str:
    plain = {"xyz": "a.xyz", "mode": "numpy_only", "returncode": 0, "elapsed_s": 2.5, "max_rss_kb": 9}
    return json.dumps(plain | {"inblock": 0, "oublock": 8} | changes)


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("results/timings.csv", "timings"),
        ("timings_chtc.csv", "timings_chtc"),
        ("summary_local.csv", "summary_local"),
        ("x/combined_from_metrics.csv", "combined_from_metrics"),
        ("a.numpy_only.metrics.json", "metrics"),
        ("other.csv", ""),
        ("timings_../evil.csv", ""),
        ("env_report.json", ""),
    ],
)
def test_tables_are_known_by_their_names(member: str, name: str) -> None:
    assert table_name(member) == name


def test_timings_of_jobs_have_no_head() -> None:
    (row,) = parsed("timings.csv", "17,ellipsoids.xyz,torch_full,1.25\n").rows

    assert (row.id, row.file, row.mode, row.wall_s) == ("17", "ellipsoids.xyz", "torch_full", 1.25)
    assert (row.site, row.table, row.line) == ("chtc", "timings", 1)


def test_the_name_of_a_table_says_the_site() -> None:
    assert parsed("timings_local.csv", HEAD + "a.xyz,numpy_only,1,82,1\n").rows[0].site == "local"


def test_no_row_claims_to_be_proven() -> None:
    (row,) = parsed("timings_chtc.csv", HEAD + "a.xyz,numpy_only,1,82,1\n").rows

    assert row.provenance == "old bundle"
    assert {"mode that ran", "threads", "fidelity"} <= set(row.unproven.split(", "))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("a.xyz,numpy_only,abc,82,1", "wall_s is 'abc', which is no number"),
        ("a.xyz,numpy_only,nan,82,1", "wall_s is 'nan'"),
        ("a.xyz,numpy_only,-1,82,1", "wall_s is '-1'"),
        ("a.xyz,numpy_only,,82,1", "wall_s is empty"),
        ("a.xyz,numpy_only,1,8.5,1", "N is '8.5', which is no whole number"),
        ("a.xyz,numpy_only,1", "3 entries where 5 belong"),
        (",numpy_only,1,82,1", "file is empty"),
        ('"a.xyz"x,numpy_only,1,82,1', "where 5 belong"),
        (f"{'a' * 300},numpy_only,1,82,1", "file is no word"),
        ("a\x00.xyz,numpy_only,1,82,1", "file is no word"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_kept(line: str, why: str) -> None:
    text = HEAD + "a.xyz,numpy_only,1,82,1\n" + line + "\nb.xyz,numpy_only,2,24,2\n"
    found = parsed("timings_chtc.csv", text)

    assert [row.file for row in found.rows] == ["a.xyz", "b.xyz"]
    (refused,) = found.refused
    assert refused.name == "timings_chtc.csv, line 3"
    assert why in refused.why


@pytest.mark.parametrize(
    ("name", "text", "needed"),
    [
        ("timings_chtc.csv", "file,seconds\na.xyz,1\n", "file, mode, wall_s"),
        ("timings_chtc.csv", "file,file,mode,wall_s\na,a,m,1\n", "file, mode, wall_s"),
        ("timings.csv", "", "file, mode, wall_s"),
        ("summary_local.csv", "file,mode\na.xyz,m\n", "file, mode, wall_mean or tag, util"),
        ("combined_from_metrics.csv", "file,mode\na.xyz,m\n", "file, mode, wall_s"),
    ],
)
def test_wrong_columns(name: str, text: str, needed: str) -> None:
    found = parsed(name, text)

    assert found.rows == []
    assert f"needed are {needed}" in found.refused[0].why


def test_utilisation() -> None:
    rows = parsed("summary_local.csv", "tag,util\nbefore,55\nafter,91.5\n").rows
    assert [(row.tag, row.util) for row in rows] == [("before", 55.0), ("after", 91.5)]


def test_metrics() -> None:
    (row,) = parsed("a.numpy_only.metrics.json", metrics()).rows

    assert (row.file, row.elapsed_s, row.oublock, row.wall_s) == ("a.xyz", 2.5, 8, None)
    assert parsed("a.metrics.json", metrics(returncode=-9)).rows[0].returncode == -9


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("3", "missing"),
        ("[]", "missing"),
        (metrics(elapsed_s=None), "elapsed_s is empty"),
        (metrics(elapsed_s="soon"), "elapsed_s is 'soon'"),
        (metrics(mode="a\nb"), "mode is no word"),
        ('{"xyz": 1}', "missing: ['mode', 'returncode', 'elapsed_s']"),
    ],
)
def test_wrong_metrics(text: str, why: str) -> None:
    found = parsed("a.metrics.json", text)

    assert found.rows == []
    assert why in found.refused[0].why


def test_what_is_no_text() -> None:
    assert "no text in UTF-8" in parse(Member("timings.csv", b"\xff\xfe"), "chtc").refused[0].why
