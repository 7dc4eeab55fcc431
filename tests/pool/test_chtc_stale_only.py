"""What a change makes stale on a cluster: the counts of tests/workflow/test_stale_only.py, on the pool."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from sweep import Sweep

from condor.pool import Pool
from tests.workflow.test_stale_only import (  # noqa: F401
    test_a_cell_added_gets_a_pack_of_its_own_between_fresh_references,
    test_code_of_a_figure_draws_figures,
    test_code_of_a_mode_changes_its_cells,
    test_nothing_hangs_on_snakemakes_metadata,
    test_one_more_replicate,
    test_settings_of_the_measurement_are_part_of_the_cell,
    test_the_style_draws_all_figures,
    test_what_does_not_count_makes_nothing_stale,
    test_worker_code_changes_every_cell,
)

pytestmark = pytest.mark.fault


class OnTheCluster(Sweep):
    """A clone whose plans are for the cluster and whose runs go there."""

    def snakemake(self, *arguments: str, status: int = 0, **environment: str) -> str:
        return self.chtc(*arguments, status=status, **environment)

    def plan(self, *overrides: str, **environment: str) -> dict[str, Any]:
        return super().plan("site=chtc", *overrides, **environment)

    def pending(self, *overrides: str, **environment: str) -> list[str]:
        return super().pending("site=chtc", *overrides, **environment)


@pytest.fixture(scope="module")
def measured_there(pool: Pool, image: str) -> Sweep:
    """The study `tiny`, measured once on the pool."""
    sweep = Sweep.on(pool, "measured_there")
    sweep.chtc()
    return sweep


@pytest.fixture
def project(measured_there: Sweep, pool: Pool, request: pytest.FixtureRequest) -> OnTheCluster:
    """A copy of the measured project."""
    root = measured_there.root.with_name(request.node.name)
    shutil.copytree(measured_there.root, root, symlinks=True)
    pool.give(root)
    return OnTheCluster(root, {}, pool)
