"""The file that holds a study's cells: as small as one replicate, and the cells come back in their order."""

import json
from dataclasses import asdict

import pytest

import examples
from anisweep.cell import Cell
from anisweep.workflow.studies import cells_in_file, cells_of_file

MODES = ("numpy_only", "torch_batched")


def replicates(*numbers: int) -> list[Cell]:
    return [examples.cell(replicate=number, mode=mode) for number in numbers for mode in MODES]


UNEVEN = [*replicates(1, 2), examples.cell(replicate=3)]


@pytest.mark.parametrize(
    ("cells", "written"),
    [
        (replicates(*range(1, 1001)), 2),
        (replicates(1), 2),
        (replicates(3), 2),
        (replicates(2, 1), 4),
        (UNEVEN, 5),
        ([], 0),
    ],
)
def test_cells_come_back(cells: list[Cell], written: int) -> None:
    held = cells_in_file(cells)
    assert len(held["cells"]) == written

    back = cells_of_file(json.dumps(held).encode())
    assert back == cells
    assert [cell.key for cell in back[-2:]] == [cell.key for cell in cells[-2:]]


def test_the_list_of_an_earlier_version_is_read() -> None:
    plain = [asdict(cell) for cell in UNEVEN]
    assert cells_of_file(json.dumps(plain).encode()) == UNEVEN


@pytest.mark.parametrize("content", ["3", "{}", '{"replicates": 2}', '{"replicates": 0, "cells": []}'])
def test_what_is_no_such_file_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match="Allowed"):
        cells_of_file(content.encode())
