"""One pool for the tests of a process: two execute points of different hardware, and a trying home."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from jobs import AT_ONCE
from sweep import STORAGE, Scenario, Sweep

from condor.pool import (
    ACCESS_POINT,
    BUILD,
    EXECUTE_POINTS,
    Bind,
    Pool,
    SystemPool,
    User,
    why_no_memory_limits,
    why_not,
)
from condor.pool.cache import cache
from condor.pool.image import image_binds, small_image
from condor.pool.nodes import USER_ID

#: Of the execute points, whatever the machine is: the second one is older, and good enough for a pack.
MICROARCH = 'Microarch = "x86_64-v{}"\nSTARTD_ATTRS = $(STARTD_ATTRS) Microarch\n'


#: The file that takes longest.
LONGEST = "test_chtc_full_image.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest file, so that one process does not end long after the other."""
    items.sort(key=lambda item: item.path.name != LONGEST)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the pools of workers that were ended before they had done it, as after Ctrl-C."""
    if hasattr(config, "workerinput"):
        return

    for folder in (cache() / "pools").glob(f"test-{os.getpid()}-*"):
        if (folder / "pool.json").exists():
            Pool.found(folder.name).stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def own_name() -> str:
    """What the names of this process's pools begin with: the session's first process, and the worker."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    return f"test-{os.getppid()}-{worker}" if worker else f"test-{os.getpid()}-alone"


@pytest.fixture(scope="session")
def any_pool(own_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool | SystemPool]:
    """The pool, or with ANISWEEP_POOL=system the machine's own."""
    if SystemPool.wanted():
        if SystemPool.why_not():
            pytest.skip(SystemPool.why_not())
        yield SystemPool()
        return

    if why_not():
        pytest.skip(why_not())

    newer, older = EXECUTE_POINTS
    started = Pool.start(
        own_name,
        nodes=(
            ACCESS_POINT,
            replace(newer, config=MICROARCH.format(4)),
            replace(older, config=MICROARCH.format(3)),
            BUILD,
        ),
        user=User("zoe", "/home/zoë b"),
        binds=(*image_binds(), _storage(tmp_path_factory.mktemp("storage"))),
    )
    try:
        yield started
    finally:
        started.stop()


def _storage(folder: Path) -> Bind:
    """A folder for large data, which all nodes see: what /staging is at CHTC."""
    os.chown(folder, USER_ID, USER_ID)
    return Bind(folder, STORAGE, writable=True, everywhere=True)


@pytest.fixture(scope="session")
def pool(any_pool: Pool | SystemPool) -> Pool:
    """The pool, for tests that enter or break its nodes."""
    if isinstance(any_pool, SystemPool):
        pytest.skip("no root on the machine's own pool: its nodes are not ours to break")
    return any_pool


@pytest.fixture
def limited(pool: Pool) -> Pool:
    """The pool, where it can limit the memory of jobs."""
    if why_no_memory_limits():
        pytest.skip(why_no_memory_limits())
    return pool


@pytest.fixture(scope="session")
def image(any_pool: Pool | SystemPool) -> str:
    """The small image, as the access point sees it."""
    if isinstance(any_pool, SystemPool):
        pytest.skip("no root on the machine's own pool: there is no build node")
    return small_image(any_pool)


@pytest.fixture(scope="module")
def beside(request: pytest.FixtureRequest, pool: Pool, image: str) -> Iterator[dict[Scenario, Future[None]]]:
    """The scenarios of a module, each with a clone of its own, side by side on one pool: they mostly wait."""
    wanted = [item for item in request.session.items if item.module is request.module]
    chosen = [item.callspec.params["scenario"] for item in wanted if "beside" in item.fixturenames]

    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield {each: threads.submit(each, Sweep.planted(pool, each.__name__)) for each in chosen}
