"""Calls are counted exactly, and the times of a profile add up to it."""

from __future__ import annotations

import pstats
from pathlib import Path

import pytest

import profiled_study
from anisweep import tables
from anisweep.tables.hotspots import hotspots_table, label, write_profiles

#: What separates profiles.
PROFILE = ["mode", "replicate"]


def test_calls_are_counted() -> None:
    table = hotspots_table(profiled_study.profiles())
    inner = table[table["function"] == "profiled_study:inner"]

    assert sorted(inner["calls"]) == [100, 100, 200, 200]
    assert set(table.loc[table["function"] == "profiled_study:outer", "calls"]) == {1}


def test_times_in_themselves_add_up() -> None:
    table = hotspots_table(profiled_study.profiles())
    sums = table.groupby(PROFILE).agg({"self_s": "sum", "profiled_s": "first"})
    outer = table[table["function"] == "profiled_study:outer"]

    assert list(sums["self_s"]) == pytest.approx(list(sums["profiled_s"]), rel=1e-9)
    assert (outer["cumulative_s"] <= outer["profiled_s"] * (1 + 1e-9)).all()
    assert (outer["self_s"] < outer["cumulative_s"]).all()


def test_imports_stand_apart() -> None:
    table = hotspots_table(profiled_study.profiles())

    assert set(table["import_s"]) == {1.25}
    assert not table["function"].str.contains("import").any()


def test_the_longest_comes_first() -> None:
    table = hotspots_table(profiled_study.profiles())
    assert table.groupby("profile")["self_s"].apply(lambda column: column.is_monotonic_decreasing).all()


def test_what_is_written(tmp_path: Path) -> None:
    profiles = profiled_study.profiles()
    write_profiles(profiles, tmp_path / "tables", tmp_path / "profiles")
    table = tables.read(tmp_path / "tables", "hotspots")

    assert len(table) == len(hotspots_table(profiles))
    for name in set(table["profile"]):
        read = pstats.Stats(str(tmp_path / "profiles" / f"{name}.prof"))
        assert read.total_calls >= 101  # type: ignore[attr-defined]
        assert (tmp_path / "profiles" / f"{name}.folded").read_text().startswith("w:")


def test_nothing_was_profiled(tmp_path: Path) -> None:
    write_profiles([], tmp_path / "tables", tmp_path / "profiles")
    assert tables.read(tmp_path / "tables", "hotspots").empty


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (("/x/numpy/_core/einsumfunc.py", 1244, "einsum"), "einsumfunc:einsum"),
        (("/x/anisoap/__init__.py", 3, "load"), "anisoap:load"),
        (("/x/frames.py", 143, "<setcomp>"), "frames:143 <setcomp>"),
        (("~", 0, "<built-in method numpy._core._multiarray_umath.c_einsum>"), "numpy.c_einsum"),
        (("~", 0, "<built-in method torch.einsum>"), "torch.einsum"),
        (("~", 0, "<built-in method builtins.len>"), "builtins.len"),
        (("~", 0, "<built-in method load>"), "load"),
        (("~", 0, "<method 'to' of 'torch._C.TensorBase' objects>"), "TensorBase.to"),
    ],
)
def test_functions_have_short_names(function: tuple[str, int, str], name: str) -> None:
    assert label(function) == name
