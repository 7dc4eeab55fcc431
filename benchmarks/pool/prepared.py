"""Prepare a folder with everything that jobs read, for submissions without a plan."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.pool.stage import Stage


def prepare(stage: Stage, folder: Path, packs: int) -> list[str]:
    """Fill a folder with the packs that the project plans, and what all of them read.

    Returns
    -------
    the files that all jobs read, relative to the folder
    """
    stage.forget_results()
    stage.run(*stage.controller(packs, "--dry-run", "--quiet", "all"))

    shutil.rmtree(folder, ignore_errors=True)
    for name in ("data", "results/packs", "results/code", "condor/chtc"):
        shutil.copytree(stage.clone / name, folder / name)
    for name in ("results/artifacts", "results/logs"):
        (folder / name).mkdir()

    names = sorted(file.stem for file in (folder / "results" / "packs").glob("*.json"))
    (folder / "packs.txt").write_text("".join(f"{name}\n" for name in names))

    files = [
        *folder.glob("data/*.xyz"),
        *folder.glob("results/code/*.whl"),
        folder / "condor/chtc/prologue.sh",
    ]
    return sorted(str(file.relative_to(folder)) for file in files)
