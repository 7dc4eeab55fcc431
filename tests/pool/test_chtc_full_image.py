"""A study with torch, in the full image, gives the tables of a run on this machine."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sweep import IN_TURN, SITE, Sweep, descriptors

from anisweep.row import Row
from clone import Clone
from condor.pool import Pool
from condor.pool.image import image_of_the_tree

pytestmark = pytest.mark.fault

#: Two packs, one for each execute point, of the smallest systems in all modes that need the full image.
STUDY = (
    "study=tiny",
    "modes=[numpy_only, torch_mixed, torch_full, torch_batched, fused_cpu, fused_torch]",
    "datasets={ellipsoids: {frames: 2, outputs: [coefficients, power_spectrum]}, two_species: {frames: 1}}",
)

#: Times, what is used of a machine, and what a measurement is calibrated to.
MEASURED = {name for name, field in Row.__dataclass_fields__.items() if field.metadata.get("unit")}
MEASURED |= {"started", "order", "loops", "warnings", "cpu_utilisation", "gpu_utilisation"}

#: Site, hosts and digests; names of packs and artifacts are digests.
ELSEWHERE = {"site", "host", "cpu_model", "key", "environment", "pack", "artifact", "artifact_sha256"}

ORDER = ["dataset", "output", "replicate", "mode", "role", "process"]

#: The accuracy to which numbers agree, relative to the largest.
ACCURACY = 1e-12


@pytest.fixture(scope="module")
def runs(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> tuple[Clone, Clone]:
    """The study, measured here and on the pool."""
    image_of_the_tree(pool)
    there = Sweep.on(pool, "full", SITE.replace("small: true", "small: false"))
    there.submits(requirements=IN_TURN)
    there.run("snakemake", "--profile", "chtc", "--config", *STUDY, "--", "tables")
    there.check_complete(packs=2)
    assert {record["host"] for record in there.job_records()} == {"ep1", "ep2"}

    here = Clone.of_the_tree(tmp_path_factory.mktemp("here") / "a copy")
    here.run("snakemake", "--profile", "local", "--config", *STUDY, "--", "tables")
    return here, there


def test_tables_are_equal(runs: tuple[Clone, Clone]) -> None:
    here, there = (_cells(run) for run in runs)
    measured = MEASURED | {name for name in here if name.startswith("stage_")}
    same = [name for name in here if name not in measured | ELSEWHERE | {"max_relative_error"}]

    assert {"status", "mode_executed", "pairs", "features", "code", "count_moments"} <= set(same)
    pd.testing.assert_frame_equal(here[same], there[same])
    np.testing.assert_allclose(here["max_relative_error"], there["max_relative_error"], rtol=0, atol=ACCURACY)


def test_descriptors_are_equal(runs: tuple[Clone, Clone]) -> None:
    here, there = (descriptors(run) for run in runs)

    assert here.keys() == there.keys()
    assert len(here) == 36
    for point, expected in here.items():
        assert np.abs(there[point] - expected).max() <= ACCURACY * np.abs(expected).max()


def test_thread_pools_are_those_requested(runs: tuple[Clone, Clone]) -> None:
    cells = _cells(runs[1])
    pools = [name for name in cells if name.startswith("pool_")]

    assert "pool_torch" in pools
    for name in pools:
        known = cells[cells[name].notna()]
        assert (known[name] == known["threads"]).all(), name
    assert cells[pools].notna().any(axis=1).all()


def _cells(run: Clone) -> pd.DataFrame:
    """Rows that mean the same in the same order."""
    table = pd.read_parquet(run.root / "results" / "tiny" / "tables" / "cells.parquet")
    return table.sort_values(
        ["point", "replicate", "role", "process", "dataset", "output", "mode"]
    ).reset_index(drop=True)
