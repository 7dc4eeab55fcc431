"""Which rules of four public workflows HTCondor can run; each other one is refused in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_any_files import run

from skeletons import NAMES, Skeleton

#: How many rules each workflow has that are jobs, and how many go to HTCondor, at least, by an image that has
#: neither Snakemake nor conda.
COUNTED = {
    "dna_seq_varlociraptor": (119, 48),
    "rna_seq_star_deseq2": (24, 8),
    "snparcher": (70, 50),
    "spras": (23, 0),
}


@pytest.mark.parametrize("name", NAMES)
def test_rules_of_public_workflows_are_accepted_or_refused_in_words(tmp_path: Path, name: str) -> None:
    workflow, rules, sources = Skeleton.read(name).one_by_one("image.sif")
    for source in (*sources, "toy.yaml", "toy.py", "toy/wrapper.py"):
        (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / source).touch()

    done = run(tmp_path, workflow, *rules, "--resources", "dgidb_requests=1")

    assert done.returncode == 1
    assert "Not for HTCondor:" in done.stderr
    refused = set(re.findall(r"^rule (\w+): .*; .+", done.stderr, re.MULTILINE))
    assert refused <= set(rules)
    assert not (tmp_path / "results").exists()
    assert (len(rules), len(rules) - len(refused)) >= COUNTED[name]
    assert len(rules) == COUNTED[name][0]
