"""Which rules of four public workflows HTCondor can run; each other one is refused in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_any_files import run

from skeletons import NAMES, Skeleton

#: How many rules each workflow has that are jobs, and how many go to HTCondor, at least: by an image that has
#: neither Snakemake nor conda, and by one that has both.
COUNTED = {
    "dna_seq_varlociraptor": (119, 48, 118),
    "rna_seq_star_deseq2": (24, 8, 24),
    "snparcher": (70, 50, 64),
    "spras": (23, 0, 22),
}

#: Is always refused, so that nothing runs.
NEVER = """
rule never:
    output: "never"
    shadow: "full"
    shell: "true"
"""


@pytest.mark.parametrize("remote", [False, True], ids=["plain", "remote"])
@pytest.mark.parametrize("name", NAMES)
def test_rules_of_public_workflows_are_accepted_or_refused_in_words(
    tmp_path: Path, name: str, remote: bool
) -> None:
    workflow, rules, sources = Skeleton.read(name).one_by_one("image.sif")
    for source in (*sources, "toy.yaml", "toy.py", "toy/wrapper.py"):
        (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / source).touch()

    options = ["--resources", "dgidb_requests=1", *(["--condorsweep-remote-jobs"] if remote else [])]
    done = run(tmp_path, workflow + NEVER, "never", *rules, *options)

    assert done.returncode == 1
    assert "Not for HTCondor:" in done.stderr
    refused = set(re.findall(r"^rule (\w+): .*; .+", done.stderr, re.MULTILINE))
    refused.remove("never")
    assert refused <= set(rules)
    assert not (tmp_path / "results").exists()
    there, plain, by_snakemake = COUNTED[name]
    assert len(rules) == there
    assert there - len(refused) >= (by_snakemake if remote else plain)
