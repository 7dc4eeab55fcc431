"""What the test pool says where it cannot be, and when it makes its root file systems anew."""

from __future__ import annotations

import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from condor.pool import Pool, PoolError, machine, rootfs, why_no_memory_limits, why_not
from condor.pool.cache import alone
from condor.pool.pool import _project_binds
from condor.pool.rootfs import IMAGE_BASE, NODES, RootFS
from what_did_not_run import ALLOWED


def test_no_root_is_an_allowed_reason(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert why_not().startswith(ALLOWED)
    with pytest.raises(PoolError, match=r"no root.*ANISWEEP_POOL=system"):
        Pool.start("never")


def test_no_debian_is_an_allowed_reason(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda program: None)

    assert "Debian" in why_not()
    assert why_not().startswith(ALLOWED)


def test_no_cgroups_is_an_allowed_reason(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "cgroup.procs").touch()

    assert why_no_memory_limits() == "no cgroups (version 1) of cpu, devices, freezer"
    assert why_no_memory_limits().startswith(ALLOWED)


def test_a_root_file_system_is_made_anew_when_its_recipe_changes(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    others = [
        replace(NODES, packages=(*NODES.packages, "git")),
        replace(NODES, suite="forky"),
        replace(NODES, owner=IMAGE_BASE.owner),
    ]

    assert len({each.folder for each in (NODES, IMAGE_BASE, *others)}) == 5
    assert replace(NODES, purpose="anything", size_mb=1).folder == NODES.folder
    assert NODES.folder.parent == tmp_path / "anisweep" / "rootfs"


def test_of_several_pools_that_start_at_once_one_makes_the_root_file_system(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(rootfs, "install_programs", lambda: None)
    made = []

    def install(self, target):
        target.mkdir()
        time.sleep(0.2)
        made.append(target)

    monkeypatch.setattr(RootFS, "_install", install)
    with ThreadPoolExecutor(4) as pools:
        folders = set(pools.map(lambda _: NODES.make(), range(4)))

    assert len(made) == 1
    assert folders == {NODES.folder}
    assert NODES.folder.is_dir()


def test_one_waits_for_what_another_makes_and_for_nothing_else(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    entered = Event()

    def enter(name):
        with alone(name):
            entered.set()

    with ThreadPoolExecutor(2) as others:
        with alone("image"):
            others.submit(enter, "root").result(timeout=60)
            assert entered.is_set()

            entered.clear()
            others.submit(enter, "image")
            assert not entered.wait(0.2)
        assert entered.wait(60)


def test_a_pool_that_does_not_run_is_not_found(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    with pytest.raises(PoolError, match=r"No pool 'mine' runs. `make pool`"):
        Pool.found("mine")


def test_nodes_keep_their_own_system_where_python_is_a_part_of_it(monkeypatch):
    monkeypatch.setattr("sys.base_prefix", "/usr")
    monkeypatch.setattr(Path, "exists", lambda _: True)
    folders = [bind.source for bind in _project_binds()]

    assert Path("/usr") not in folders
    assert {folder.name for folder in folders} >= {f"python{sys.version_info.major}.{sys.version_info.minor}"}
