"""Memory beyond inputs and outputs does not grow with the frames."""

from __future__ import annotations

import platform

import pytest

from benchmarks import memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="no glibc, which counts memory")
def test_seven_times_the_frames_take_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANISWEEP_DATA", raising=False)
    few, many = (memory.beyond(count, repetitions=1) for count in memory.FRAMES)

    assert abs(many - few) <= 0.1 * few
    assert few > 2**20  # what a block of centres needs: less would mean that nothing was measured
