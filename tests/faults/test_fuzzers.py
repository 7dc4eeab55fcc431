"""A minute of made-up inputs for every reader; `make fuzz` has more. And whether the fuzzers see anything."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fuzz import campaign
from fuzz.campaign import Input, Target, keep, run
from fuzz.targets import TARGETS

SECONDS = 60 / len(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_is_a_fault(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]
    tried = run(target, seed=1, seconds=SECONDS)

    said = [f"{fault.again}\n{fault.seen}" for fault in tried.faults]
    assert not said, said[0]
    assert tried.tried


def raises() -> None:
    raise KeyError("a fault")


def never_ends() -> None:
    while True:
        pass


def eats_memory() -> None:
    bytearray(3 * 2**30)


def dies() -> None:
    os._exit(3)


def waits() -> None:
    time.sleep(60)


@pytest.mark.parametrize(
    ("does", "seen"),
    [
        (raises, "KeyError: 'a fault'"),
        (never_ends, "it does not end"),
        (waits, "it does not end"),
        (eats_memory, "MemoryError"),
        (dies, "it ended: 3"),
    ],
)
def test_a_fault_is_seen_and_the_next_input_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: Callable[[], None], seen: str
) -> None:
    """The fourth input is a fault, and only that one."""
    monkeypatch.setattr(campaign, "MOST_SECONDS", 0.5)
    monkeypatch.setattr(campaign, "LONGEST_WAIT", 5.0)

    def check(given: Input, folder: Path) -> None:
        if given.content == odd:
            does()

    target = Target("example", lambda rng: Input(rng.randbytes(4)), check)
    odd = target.input(1, 3).content
    tried = run(target, seed=1, seconds=8)

    assert [fault.number for fault in tried.faults] == [3]
    assert seen in tried.faults[0].seen
    assert tried.tried > 4

    file = keep(tried.faults[0], Input(odd), tmp_path)
    assert file.read_bytes() == odd
    assert "python -m fuzz example --seed 1 --number 3" in file.with_suffix(".txt").read_text()
