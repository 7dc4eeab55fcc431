"""What goes to CHTC and what goes to the test pool differ in the lines listed here, and in no other."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from anisweep import images
from anisweep.cluster import submission
from anisweep.cluster.jobs import Jobs
from anisweep.config import Project, load_config
from anisweep.plan import make_plan

ROOT = Path(__file__).parents[2]

POOL = """\
netid: zoe
staging: /images
submit: {}
"""

CHTC = """\
netid: zcersonsky
staging: /staging/z/zcersonsky
submit: {accounting_group: Chem_Cersonsky}
"""

#: The image comes through the caches of the pool instead of from the access point; and the user's own lines.
DIFFERENT = {"container_image", "accounting_group"}


def test_only_listed_lines_differ(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    here = _lines(project, POOL, "/images", monkeypatch)
    there = _lines(project, CHTC, "/staging/z/zcersonsky", monkeypatch)

    differences = {name for name in here.keys() | there.keys() if here.get(name) != there.get(name)}
    assert differences == DIFFERENT
    assert there["container_image"] == "osdf:///chtc/staging/z/zcersonsky/anisweep-cpu.sif"
    assert here["container_image"] == "/images/anisweep-cpu.sif"


def _lines(project: Project, site: str, staging: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The commands of the submit file by name, with its batch's own number taken out."""
    image = Path(staging) / "anisweep-cpu.sif"
    monkeypatch.setattr(Jobs, "container", lambda self, pack: images.url(image))
    shutil.copytree(ROOT / "condor" / "chtc", project.root / "condor" / "chtc", dirs_exist_ok=True)
    (project.root / "condor" / "site.yaml").write_text(site)

    given = {"study": "tiny", "site": "chtc"}
    plan = make_plan(project, *load_config(project, given))
    jobs = Jobs.of(project, plan.packs, plan.model)
    ((batch, files),) = submission.batches_of(project, plan.packs, jobs)

    text = files["jobs.sub"].replace(batch.id, "ID").replace(batch.created, "WHEN")
    found = re.findall(r"^(queue|[\w.]+(?= =))(?: =)? (.*)$", text, re.MULTILINE)
    return dict(found)
