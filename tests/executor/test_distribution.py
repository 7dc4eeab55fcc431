"""The executor as a stranger gets it: its own distribution, which knows nothing of anisweep."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
EXECUTOR = HERE.parents[1] / "condor" / "executor"

#: An import of the library or of its pool, wherever it stands in a file.
OURS = re.compile(r"^\s*(?:from|import) (?:anisweep|condor)\b", re.MULTILINE)


def test_neither_the_executor_nor_its_tests_import_the_library() -> None:
    files = [*HERE.glob("*.py"), *(EXECUTOR / "snakemake_executor_plugin_condorsweep").glob("*.py")]
    assert len(files) > 30
    assert [file.name for file in files if OURS.search(file.read_text())] == []


def test_wheel_holds_all_that_the_executor_reads(tmp_path: Path) -> None:
    sources = shutil.copytree(
        EXECUTOR, tmp_path / "executor", ignore=shutil.ignore_patterns("build", "*.egg-info")
    )
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(sources)], check=True)

    (wheel,) = tmp_path.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    there = {
        str(file.relative_to(EXECUTOR))
        for file in EXECUTOR.glob("snakemake_executor_plugin_condorsweep/*")
        if file.suffix in (".py", ".sub", ".sh")
    }
    assert held == there


def test_pages_lead_somewhere() -> None:
    for page in (EXECUTOR / "README.md", *(EXECUTOR / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
