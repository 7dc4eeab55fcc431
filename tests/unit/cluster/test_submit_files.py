"""What goes to CHTC and what goes to the test pool differ in the lines listed here, and in no other."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from anisweep.cluster import submission
from anisweep.cluster.jobs import Jobs
from anisweep.config.load import load_config, overrides_of
from anisweep.config.project import Project
from anisweep.plan import make_plan
from anisweep.plan.requests import request_of

ROOT = Path(__file__).parents[3]

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


STAGING_OF_A_GROUP = "/staging/groups/cersonsky"


def test_a_group_s_image_is_read_where_it_is_mounted_and_not_through_caches(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CHTC's page on file transfer: files of /staging/groups cannot be transferred with osdf:///."""
    site = CHTC.replace("/staging/z/zcersonsky", STAGING_OF_A_GROUP)
    mine = _lines(project, CHTC, "/staging/z/zcersonsky", monkeypatch)
    group = _lines(project, site, STAGING_OF_A_GROUP, monkeypatch)

    assert group["container_image"] == f"file://{STAGING_OF_A_GROUP}/anisweep-cpu.sif"
    assert group["requirements"] == f"{mine['requirements']} && TARGET.HasCHTCStaging == true"
    assert "osdf" not in " ".join(group.values())


def test_demands_of_staging_stand_beside_the_user_s(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "submit: {Requirements: HasGpfs || HasCHTCStaging}"
    site = f"netid: zcersonsky\nstaging: {STAGING_OF_A_GROUP}\n{lines}\n"
    group = _lines(project, site, STAGING_OF_A_GROUP, monkeypatch)

    assert group["requirements"] == (
        'TARGET.Microarch >= "x86_64-v3" && (HasGpfs || HasCHTCStaging) && TARGET.HasCHTCStaging == true'
    )


@pytest.mark.parametrize("gpus", [0, 1])
def test_gpu_jobs_and_no_others_opt_into_the_gpu_lab(
    project: Project, monkeypatch: pytest.MonkeyPatch, gpus: int
) -> None:
    """As HTCondor reads the submit file."""
    htcondor2 = pytest.importorskip("htcondor2", reason="no HTCondor on this platform")
    text = _text(project, CHTC, "/staging/z/zcersonsky", monkeypatch, *(["devices=[cuda]"] if gpus else []))
    read = dict(htcondor2.Submit(text))

    assert read.get("request_gpus") == ("1" if gpus else None)
    assert read.get("My.WantGPULab") == ("true" if gpus else None)
    assert read.get("My.GPUJobLength") == ('"short"' if gpus else None)
    assert read.get("gpus_minimum_capability") == ("7.0" if gpus else None)


def test_the_build_job_runs_where_staging_is_and_brings_nothing_back() -> None:
    text = (ROOT / "containers" / "build.sub").read_text()

    assert "\n+IsBuildJob = true\n" in text
    assert "\nrequirements = (HasCHTCStaging == true)\n" in text
    assert '\ntransfer_output_files = ""\n' in text


def _lines(project: Project, site: str, staging: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The commands of the submit file by name, with its batch's own number taken out."""
    text = _text(project, site, staging, monkeypatch)
    found = re.findall(r"^(queue|[\w.]+(?= =))(?: =)? (.*)$", text, re.MULTILINE)
    return dict(found)


def _text(project: Project, site: str, staging: str, monkeypatch: pytest.MonkeyPatch, *overrides: str) -> str:
    image = Path(staging) / "anisweep-cpu.sif"
    monkeypatch.setattr("anisweep.cluster.jobs.image_at", lambda site, project, device: image)
    monkeypatch.setattr(Jobs, "request", lambda self, pack: request_of(pack, self.model))
    shutil.copytree(ROOT / "condor" / "chtc", project.root / "condor" / "chtc", dirs_exist_ok=True)
    (project.root / "condor" / "site.yaml").write_text(site)

    given = {"study": "tiny", "site": "chtc", **overrides_of(overrides)}
    plan = make_plan(project, *load_config(project, given))
    jobs = Jobs.of(project, plan.packs, plan.model)
    batches = submission.batches_of(project, map(jobs.outgoing, plan.packs), jobs)

    batch, files = batches[-1]
    return files["jobs.sub"].replace(batch.id, "ID").replace(batch.created, "WHEN")
