"""Files that a storage plugin keeps: this run retrieves and stores them, and jobs get copies."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_any_files import HERE, PLUGIN, run

STORAGE = HERE.parent / "pool" / "storage"

WORKFLOW = """
storage:
    provider="folder"
rule twice:
    input: storage("kept/in.txt")
    output: storage("kept/out.txt")
    container: "image.sif"
    shell: "cat {input} {input} > {output}"
"""


@pytest.mark.parametrize("usage", [(), ("--shared-fs-usage", "none")], ids=["usual", "none"])
def test_storage_is_read_and_written_here(tmp_path: Path, usage: tuple[str, ...]) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "in.txt").write_text("word\n")

    done = run(tmp_path, WORKFLOW, "twice", *usage, PYTHONPATH=f"{PLUGIN}:{HERE}:{STORAGE}")

    assert done.returncode == 0, done.stderr
    assert (kept / "out.txt").read_text() == "word\nword\n"
    (listed,) = tmp_path.glob("results/batches/*/jobs.txt")
    assert ".snakemake/storage/folder/kept/in.txt" in listed.read_text()
    assert not list((tmp_path / ".snakemake" / "storage").rglob("*.txt"))
