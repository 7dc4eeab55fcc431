"""Snakemake's own tests of executors, as a user of the pool runs them: `pytest own_tests.py`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from snakemake.common.tests import TestWorkflowsLocalStorageBase

from snakemake_executor_plugin_condorsweep import ExecutorSettings


class TestNothingShared(TestWorkflowsLocalStorageBase):  # type: ignore[misc]  # Snakemake carries no types
    """Files of the project alone."""

    __test__ = True

    def get_executor(self) -> str:
        return "condorsweep"

    def get_executor_settings(self) -> ExecutorSettings:
        return ExecutorSettings(remote_jobs=True, prologue="path.sh")

    def get_assume_shared_fs(self) -> bool:
        return False

    def _copy_test_files(self, test_path: Path, tmp_path: Path) -> None:
        super()._copy_test_files(test_path, tmp_path)
        python, path = os.environ["PYTHON"], shlex.quote(os.environ["PYTHONPATH"])
        lines = f"PATH={python}/bin:$PATH", f"export PYTHONPATH={path}"
        (tmp_path / "path.sh").write_text("\n".join((*lines, "")))


class TestStorage(TestNothingShared):
    """Files that a storage keeps, of which the project has copies."""

    def get_default_storage_provider(self) -> str:
        return "folder"

    def get_default_storage_prefix(self) -> str:
        return "stored"  # in the project, so that jobs do not reach it
