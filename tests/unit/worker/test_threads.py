"""Threads: set before the first import, asked of the pools, and checked against CPU time."""

import json
import subprocess
import sys

import pytest

from anisweep.worker.threads import VARIABLES, complaint, pinned_environment

POOLS = """
import json
import numpy
from anisweep.worker.threads import pools
print(json.dumps(pools()))
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_every_pool_of_a_pinned_interpreter_has_the_number(threads):
    command = [sys.executable, "-c", POOLS]
    done = subprocess.run(
        command, env=pinned_environment(threads), capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)

    assert set(found.values()) == {threads}
    assert any("openblas" in name or "mkl" in name for name in found)


def test_what_the_surroundings_say_is_overruled(monkeypatch):
    for name in VARIABLES:
        monkeypatch.setenv(name, "7")
    environment = pinned_environment(2)

    assert {environment[name] for name in VARIABLES} == {"2"}
    assert environment["OMP_DYNAMIC"] == "FALSE"


def test_a_pool_of_another_size_is_named():
    assert complaint({"openblas": 1, "torch": 1}, 1, 1.0, 1.0) == ""

    said = complaint({"openblas": 1, "torch": 4}, 1, 1.0, 1.0)
    assert said == "1 threads were asked for, but torch: 4"


@pytest.mark.parametrize(
    ("threads", "cpu_s", "right"), [(1, 1.04, True), (1, 1.06, False), (2, 2.09, True), (2, 2.11, False)]
)
def test_more_cpu_time_than_the_threads_can_have_used_is_a_complaint(threads, cpu_s, right):
    said = complaint({}, threads, cpu_s, 1.0)

    assert (said == "") == right
    assert right or said.endswith(f"more than {threads} thread(s) did the work")
