"""Sampled stacks: the function that works has the time, and nothing of the sampler stays behind."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from anisweep.cell import Settings
from anisweep.worker import timing
from anisweep.worker.sampling import Sampler


def work(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(100))


def rest() -> None:
    """A long call of compiled code; its time belongs to this function."""
    time.sleep(0.06)


def call() -> None:
    work(0.06)
    rest()


def shares(folded: str) -> dict[str, float]:
    """Share of each function with what it calls, by its last name."""
    lines = [line.rsplit(" ", 1) for line in folded.splitlines()]
    total = sum(int(count) for _, count in lines)
    found: dict[str, float] = {}

    for stack, count in lines:
        for name in {entry.rpartition(":")[2] for entry in stack.split(";")}:
            found[name] = found.get(name, 0.0) + int(count) / total
    return found


def test_time_goes_to_those_that_take_it() -> None:
    with Sampler() as sampler:
        for _ in range(3):
            call()

    found = shares(sampler.folded())
    assert found["call"] > 0.9
    assert 0.25 < found["work"] < 0.75
    assert 0.25 < found["rest"] < 0.75


def test_an_interrupt_on_the_way_out_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    late = signal.setitimer

    def slow(which: int, seconds: float, interval: float = 0.0) -> tuple[float, float]:
        if not seconds:
            signal.raise_signal(signal.SIGALRM)
        return late(which, seconds, interval)

    monkeypatch.setattr(signal, "setitimer", slow)
    with Sampler() as sampler:
        call()
    assert "Sampler" not in sampler.folded()


def test_stacks_begin_below_the_block_that_samples() -> None:
    with Sampler() as sampler:
        call()

    assert {line.split(";")[0].split(" ")[0] for line in sampler.folded().splitlines()} == {
        f"{__name__}:call"
    }


def test_what_was_there_before_is_there_again() -> None:
    before = signal.getsignal(signal.SIGALRM)

    with pytest.raises(ZeroDivisionError), Sampler():
        _ = 1 / 0

    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_profiled_cell_leaves_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "SAMPLED_S", 0.02)
    settings = Settings(repetitions=2, warmups=0, minimum_s=0.0, profile=True)
    frames: list[list[object]] = [[], [], []]
    file = tmp_path / "profiles" / "cell-0.json"

    timing.measure(lambda frames, clock: work(0.01), frames, settings, file)

    assert "work" in {name for _, _, name, *_ in json.loads(file.read_text())}
    assert ":work" in file.with_suffix(".folded").read_text()
