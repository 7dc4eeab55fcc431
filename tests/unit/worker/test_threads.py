"""Threads: set before the first import, asked of the pools, and checked against CPU time."""

import json
import os
import subprocess
import sys

import pytest

from anisweep.cell import NOT_PINNED
from anisweep.worker.threads import PINNED, VARIABLES, complaint, environment_for

POOLS = """
import json
import os
import numpy
from anisweep.worker.threads import pools
print(json.dumps(pools()))
"""


def pools_in(environment):
    command = [sys.executable, "-c", POOLS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("threads", [1, 2])
def test_every_pool_of_a_pinned_interpreter_has_the_number(threads):
    found = pools_in(environment_for(threads))

    assert set(found.values()) == {threads}
    assert any("openblas" in name or "mkl" in name for name in found)


def test_what_the_surroundings_say_is_overruled(monkeypatch):
    for name in VARIABLES:
        monkeypatch.setenv(name, "7")
    environment = environment_for(2)

    assert {environment[name] for name in VARIABLES} == {"2"}
    assert environment["OMP_DYNAMIC"] == "FALSE"


def test_what_is_not_pinned_knows_no_number_of_threads(monkeypatch):
    for name in [*VARIABLES, *PINNED]:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HOME", "/elsewhere")
    environment = environment_for(NOT_PINNED)

    assert not {*VARIABLES, *PINNED} & environment.keys()
    assert environment["HOME"] == "/elsewhere"


def test_pools_that_are_not_pinned_are_what_the_libraries_make_of_the_machine(monkeypatch):
    bare = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    by_themselves = pools_in(bare)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")

    assert pools_in(environment_for(NOT_PINNED)) == by_themselves
    assert complaint({"openblas": 7, "torch": 3}, NOT_PINNED, 5.0, 1.0) == ""


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
