"""The cells table that grows: the same as one made anew, only new packs are read, no damage is believed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import synthetic
from anisweep import tables
from anisweep.artifacts.columns import columns_of
from anisweep.row import Row
from anisweep.tables import PackRows, PackSource, grown_cells

TEMPLATE = synthetic.first_look(1)[0]

#: Entries of a dictionary, of every kind that becomes a column of its own type.
ENTRIES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(-1, 1),
    st.sampled_from(["gto", "1.5", '"gto"']),
    st.lists(st.integers(0, 3), max_size=2),
)
CHANGES = st.fixed_dictionaries(
    {
        "hypers": st.dictionaries(st.sampled_from(["cutoff_radius", "max_radial"]), ENTRIES),
        "counts": st.dictionaries(st.just("contraction"), st.integers(1, 9)),
        "warnings": st.lists(st.sampled_from(["load average 3", "spread"]), max_size=1),
        "wall_s": st.one_of(st.none(), st.floats(1e-3, 1)),
        "reason": st.sampled_from(["", "MemoryError"]),
        "dataset": st.sampled_from(["benzenes", "ellipsoids"]),
        "replicate": st.integers(1, 3),
    }
)


def packs_of(changes: Sequence[Sequence[dict[str, object]]]) -> dict[str, list[Row]]:
    return {
        f"pack-{number}": [
            replace(TEMPLATE, pack=f"pack-{number}", order=order, **change)  # type: ignore[arg-type]
            for order, change in enumerate(rows)
        ]
        for number, rows in enumerate(changes)
    }


def counted(packs: Mapping[str, list[Row]], read: list[str]) -> dict[str, PackRows]:
    """The packs as a table asks for them, which notes whose rows were read."""

    def reader(name: str, rows: list[Row]) -> Callable[[], tuple[pa.Table, PackSource]]:
        def rows_of_pack() -> tuple[pa.Table, PackSource]:
            read.append(name)
            return columns_of(rows), synthetic.sources(rows)[name]

        return rows_of_pack

    return {name: PackRows(f"bytes of {name}", reader(name, rows)) for name, rows in packs.items()}


def written(packs: Mapping[str, PackRows], folder: Path) -> pd.DataFrame:
    """The table of these packs, which grows in a folder."""
    cells = grown_cells(packs, folder / "kept")
    tables.write_grown_cells(cells, folder, ["one that is missing"], folder / "kept")
    return tables.read(folder, "cells")


def made_anew(packs: Mapping[str, list[Row]], folder: Path) -> pd.DataFrame:
    rows = [row for each in packs.values() for row in each]
    tables.write_cells(rows, synthetic.sources(rows), folder / "anew", ["one that is missing"])
    return tables.read(folder / "anew", "cells")


def the_same_files(folder: Path) -> bool:
    names = ("cells.parquet", "cells.csv", "platforms.json", "missing.json")
    return all((folder / name).read_bytes() == (folder / "anew" / name).read_bytes() for name in names)


@settings(deadline=None, max_examples=60)
@given(changes=st.lists(st.lists(CHANGES, min_size=1, max_size=3), min_size=2, max_size=4), first=st.data())
def test_a_table_that_grew_is_one_that_is_made_anew(
    changes: list[list[dict[str, object]]], first: st.DataObject
) -> None:
    packs = packs_of(changes)
    former = first.draw(st.sets(st.sampled_from(sorted(packs)), min_size=1), "packs that were there before")

    with TemporaryDirectory() as place:
        folder = Path(place)
        written(counted({name: rows for name, rows in packs.items() if name in former}, []), folder)
        found = written(counted(packs, []), folder)

        expected = made_anew(packs, folder)
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
        assert found.attrs == expected.attrs
        assert the_same_files(folder)


@pytest.fixture
def packs() -> dict[str, list[Row]]:
    rows = synthetic.with_troubles()
    return {name: [row for row in rows if row.pack == name] for name in sorted({row.pack for row in rows})}


def test_only_rows_of_new_packs_are_read(packs: dict[str, list[Row]], tmp_path: Path) -> None:
    *most, last = packs
    read: list[str] = []
    written(counted({name: packs[name] for name in most}, read), tmp_path)
    assert read == most

    read.clear()
    found = written(counted(packs, read), tmp_path)
    assert read == [last]
    pd.testing.assert_frame_equal(found, made_anew(packs, tmp_path), check_exact=True)

    read.clear()
    written(counted(packs, read), tmp_path)
    assert read == []


def test_a_pack_that_went_or_has_other_bytes_makes_the_table_anew(
    packs: dict[str, list[Row]], tmp_path: Path
) -> None:
    written(counted(packs, []), tmp_path)
    first, *others = packs

    read: list[str] = []
    changed = counted(packs, read)
    written(changed | {first: replace(changed[first], origin="other bytes")}, tmp_path)
    assert read == list(packs)

    read.clear()
    fewer = {name: packs[name] for name in others}
    found = written(counted(fewer, read), tmp_path)
    assert read == others
    pd.testing.assert_frame_equal(found, made_anew(fewer, tmp_path), check_exact=True)


@pytest.mark.parametrize("ending", [".parquet", ".json"])
@pytest.mark.parametrize("place", [9, -200, None])
def test_a_kept_table_that_is_damaged_is_made_anew(
    packs: dict[str, list[Row]], tmp_path: Path, ending: str, place: int | None
) -> None:
    expected = written(counted(packs, []), tmp_path)
    file = tmp_path / f"kept{ending}"
    content = bytearray(file.read_bytes())
    if place is not None:
        content[place] ^= 1
    file.write_bytes(content if place is not None else b"")

    read: list[str] = []
    found = written(counted(packs, read), tmp_path)
    assert read == list(packs)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_other_code_makes_the_table_anew(
    packs: dict[str, list[Row]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(counted(packs, []), tmp_path)
    monkeypatch.setattr(pd, "__version__", "another one")

    read: list[str] = []
    written(counted(packs, read), tmp_path)
    assert read == list(packs)


def test_a_table_that_cannot_be_kept_is_written_all_the_same(
    packs: dict[str, list[Row]], tmp_path: Path
) -> None:
    (tmp_path / "kept.parquet").mkdir()
    found = written(counted(packs, []), tmp_path)
    pd.testing.assert_frame_equal(found, made_anew(packs, tmp_path), check_exact=True)
