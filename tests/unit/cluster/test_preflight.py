"""What is in the way of a submission is planted, and found with its remedy: all that needs no pool.

The pool's part is in tests/pool/test_preflight.py, the full disk in tests/faults/test_disk.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

import examples
from anisweep import datasets
from anisweep.cell import Dataset, Pack
from anisweep.cli import main
from anisweep.cluster.jobs import Jobs
from anisweep.cluster.preflight import (
    CHECKS,
    Finding,
    as_text,
    files,
    pass_or_stop,
    preflight,
    site,
    volume,
)
from anisweep.cluster.preflight.pool import Slot, conjuncts, some_slot_fits
from anisweep.cluster.preflight.submission import Submission
from anisweep.config.project import Project
from anisweep.environments import images
from anisweep.errors import UserError
from anisweep.plan.cost import CostModel

Prepare = Callable[..., Submission]

DIGEST = datasets.generated()["ellipsoids"].digest


def a_pack(path: str = f"data/ellipsoids-{DIGEST[:12]}.xyz", minutes: float = 1) -> Pack:
    dataset = Dataset("ellipsoids", path, DIGEST, 2)
    pack = examples.pack(examples.cell(dataset=dataset, site="chtc"))
    return replace(pack, estimated_s=60 * minutes)


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    folder = tmp_path / "staging"
    folder.mkdir()
    return folder


@pytest.fixture
def prepare(project: Project, staging: Path, monkeypatch: pytest.MonkeyPatch) -> Prepare:
    """A submission of packs, by a user who has filled in this."""

    monkeypatch.setattr(site, "getuser", lambda: "bbadger")

    def prepared(*packs: Pack, **filled_in: Any) -> Submission:
        lines = {"netid": "bbadger", "staging": str(staging), **filled_in}
        (project.root / "condor" / "site.yaml").write_text(yaml.safe_dump(lines))

        packs = packs or (a_pack(),)
        jobs = Jobs.of(project, packs, CostModel.from_rows((), project.root))
        return Submission(jobs, [*map(jobs.outgoing, packs)])

    return prepared


def put_image(project: Project, staging: Path, **changes: str) -> None:
    """An image of this tree in the staging folder, or with changes one of another tree."""
    wanted = replace(images.wanted(project, "cpu"), **changes)
    file = staging / "anisweep-cpu-0123456789ab.sif"
    file.write_bytes(b"an image")
    image = images.Image(file, wanted.name, "0123", wanted.tree, wanted.inputs, wanted.base, "a commit")
    image.write_note()


def only(found: Any) -> Finding:
    (finding,) = found
    return finding


def test_nothing_in_the_way_is_one_line(project, staging, prepare):
    put_image(project, staging)
    submission = prepare()

    assert [finding for check in CHECKS for finding in check(submission)] == []
    assert as_text([], 1) == "Preflight: nothing is in the way of 1 job."


def test_site_not_filled_in(prepare):
    finding = only(site.filled_in(prepare(netid="")))

    assert finding.severity == "stop"
    assert "netid is empty" in finding.wrong
    assert "condor/site.yaml" in finding.remedy


@pytest.mark.parametrize("netid", ["zoe", "b badger", "BBadger"])
def test_another_netid_than_the_user_who_submits(prepare, netid):
    finding = only(site.netid_and_email_fit(prepare(netid=netid)))

    assert finding.severity == "warn"
    assert f"{netid!r} is not the user who submits, 'bbadger'" in finding.wrong


@pytest.mark.parametrize(
    ("email", "count"), [("zoe", 1), ("zoe@", 1), ("a@b@c", 1), ("zoe@wisc.edu", 0), ("", 0)]
)
def test_an_email_that_is_no_address(prepare, email, count):
    found = list(site.netid_and_email_fit(prepare(email=email)))

    assert [finding.severity for finding in found] == ["warn"] * count


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("request_gpu", "request_gpus"),
        ("Accounting_Groups", "accounting_group"),
        ("periodic_releases", "periodic_release"),
        ("transfer_wait", "transfer_wait_s"),
    ],
)
def test_a_near_miss_of_a_submit_command(prepare, name, near):
    finding = only(site.submit_commands_known(prepare(submit={name: "1"})))

    assert finding.severity == "warn"
    assert f"Did you mean {near}?" in finding.remedy


@pytest.mark.parametrize("name", ["+WantGPULab", "My.Project", "most_memory", "Priority", "stipend", "rank"])
def test_other_submit_commands_are_left_alone(prepare, name):
    assert list(site.submit_commands_known(prepare(submit={name: "1"}))) == []


@pytest.mark.parametrize("late", ["max_idle", "Max_Materialize"])
def test_an_image_sent_once_excludes_late_materialization(prepare, late):
    both = {"container_is_common": "true", late: "500"}
    finding = only(site.image_goes_one_way(prepare(submit=both)))

    assert finding.severity == "stop"
    assert late.lower() in finding.remedy
    for alone in both:
        assert list(site.image_goes_one_way(prepare(submit={alone: both[alone]}))) == []
    assert list(site.image_goes_one_way(prepare(submit=both | {"container_is_common": "False"}))) == []


def test_staging_unset(prepare, monkeypatch):
    monkeypatch.delenv("STAGING", raising=False)
    finding = only(site.staging_set(prepare(staging="$STAGING")))

    assert finding.severity == "stop"
    assert "$STAGING is not set" in finding.wrong
    assert "export STAGING=/staging/n/netid" in finding.remedy


def test_staging_set_by_its_variable(prepare, monkeypatch, staging):
    monkeypatch.setenv("STAGING", str(staging))

    assert list(site.staging_set(prepare(staging="$STAGING"))) == []


def test_staging_folder_absent(prepare, staging):
    assert "no folder" in only(site.staging_set(prepare(staging=f"{staging}/none"))).wrong


def test_image_missing(prepare, staging):
    finding = only(site.images_there(prepare()))

    assert finding.severity == "stop"
    assert finding.wrong == f"{staging} holds no image `cpu`."
    assert f"`anisweep image push cpu {staging}`" in finding.remedy


def test_remedy_for_an_image_has_its_options(prepare):
    image = {"small": True, "base": "python:3.12-slim-bookworm"}
    remedy = only(site.images_there(prepare(image=image))).remedy

    assert "`anisweep image build cpu --small --base python:3.12-slim-bookworm`" in remedy


@pytest.mark.parametrize("changed", ["envs/worker.txt", "containers/cpu.def"])
def test_image_of_another_lock_or_recipe(project, staging, prepare, changed):
    put_image(project, staging)
    file = project.root / changed
    file.write_text(file.read_text() + "something==1.0\n")

    finding = only(site.images_there(prepare()))
    assert finding.severity == "stop"
    assert "anisweep-cpu-0123456789ab.sif is not of this tree's recipe, lock and base" in finding.wrong
    assert "recipe and lock have the digest" in finding.wrong
    assert "anisweep image build cpu" in finding.remedy


def test_image_of_another_base(project, staging, prepare):
    put_image(project, staging, base="python:3.10", inputs="another")
    finding = only(site.images_there(prepare()))

    assert "its base is python:3.10, and python:3.11-slim-bookworm is wanted" in finding.wrong
    assert "digest" not in finding.wrong


def test_a_command_that_is_suggested_can_be_pasted(prepare, staging):
    folder = staging / "my images; rm"
    folder.mkdir()

    assert f"image push cpu '{folder}'`" in only(site.images_there(prepare(staging=str(folder)))).remedy


@pytest.mark.parametrize("flag", ["want_campus_pools", "+want_ospool", "MY.want_campus_pools", "+WantOSPool"])
@pytest.mark.parametrize("need", [{"requirements": "(HasCHTCStaging == true)"}, {"x": "file:///staging/n/a"}])
def test_staging_together_with_other_pools(prepare, flag, need):
    finding = only(site.staging_stays_home(prepare(submit={flag: True, **need})))

    assert finding.severity == "stop"
    assert flag in finding.wrong
    assert f"Remove {flag}" in finding.remedy


def test_staging_demanded_by_the_description(project, prepare):
    (project.root / "condor" / "chtc" / "pack.sub").write_text("requirements = HasCHTCStaging\n")
    submission = prepare(submit={"want_ospool": "true"})

    assert "HasCHTCStaging needs" in only(site.staging_stays_home(submission)).wrong


@pytest.mark.parametrize(
    "lines",
    [
        {"want_campus_pools": True},
        {"requirements": "HasCHTCStaging"},
        {"want_ospool": False, "requirements": "HasCHTCStaging"},
    ],
)
def test_one_of_the_two_is_allowed(prepare, lines):
    assert list(site.staging_stays_home(prepare(submit=lines))) == []


def test_input_missing(prepare):
    finding = only(files.inputs_there(prepare(a_pack("data/mine-0123456789ab.xyz"))))

    assert finding.severity == "stop"
    assert "data/mine-0123456789ab.xyz" in finding.wrong
    assert "anisweep plan" in finding.remedy


@pytest.mark.parametrize(("size", "count"), [(10**9, 0), (10**9 + 1, 1)])
def test_input_over_a_gigabyte(project, prepare, size, count):
    path = "data/mine-0123456789ab.xyz"
    (project.root / "data").mkdir()
    with (project.root / path).open("wb") as stream:
        stream.truncate(size)

    found = list(files.inputs_small(prepare(a_pack(path))))
    assert [finding.severity for finding in found] == ["stop"] * count
    assert all(path in finding.wrong and "`file:`" in finding.remedy for finding in found)


def test_image_over_a_gigabyte_is_exempt(project, staging, prepare):
    put_image(project, staging)
    os.truncate(staging / "anisweep-cpu-0123456789ab.sif", 4 * 10**9)

    assert [finding for check in CHECKS for finding in check(prepare())] == []


def test_results_cannot_be_a_folder(project, prepare):
    project.results.write_text("a file\n")
    finding = only(files.results_take_files(prepare()))

    assert finding.severity == "stop"
    assert str(project.results) in finding.wrong


def test_probe_leaves_nothing(project, prepare):
    assert list(files.results_take_files(prepare())) == []
    assert list(project.results.iterdir()) == []


@pytest.mark.parametrize(("jobs", "count"), [(10_000, 0), (10_001, 1)])
def test_too_many_jobs(prepare, jobs, count):
    found = list(volume.not_too_many(prepare(*[a_pack()] * jobs)))

    assert [finding.severity for finding in found] == ["warn"] * count
    assert all("10,001 jobs" in finding.wrong and "replicates=N" in finding.remedy for finding in found)


@pytest.mark.parametrize(("jobs", "minutes", "count"), [(1000, 1, 0), (1001, 5, 0), (1001, 4.9, 1)], ids=str)
def test_many_short_jobs(prepare, jobs, minutes, count):
    found = list(volume.not_too_short(prepare(*[a_pack(minutes=minutes)] * jobs)))

    assert [finding.severity for finding in found] == ["warn"] * count
    assert all("4.9 minutes" in finding.wrong and "target_minutes=" in finding.remedy for finding in found)


@pytest.mark.parametrize(
    ("jobs", "lines", "count"), [(40, {}, 0), (60, {}, 1), (60, {"container_is_common": True}, 0)]
)
def test_image_sent_from_here_to_many(prepare, monkeypatch, jobs, lines, count):
    monkeypatch.setattr(Jobs, "image_mb", lambda self, device: 2048.0)
    submission = prepare(*[a_pack()] * jobs, submit=lines)
    found = list(volume.images_not_too_often(submission))

    assert [finding.severity for finding in found] == ["warn"] * count
    assert all("60 jobs" in finding.wrong and "120 GB" in finding.wrong for finding in found)

    monkeypatch.setattr(Jobs, "image", lambda self, device: "osdf:///chtc/staging/b/bbadger/image.sif")
    assert list(volume.images_not_too_often(submission)) == []


def test_all_findings_at_once_and_what_stops_first(prepare, monkeypatch):
    monkeypatch.delenv("STAGING", raising=False)
    submission = prepare(*[a_pack("data/none.xyz")] * 1001, netid="", staging="$STAGING")
    found = preflight(submission.jobs, submission.outgoing)
    text = as_text(found, 1001)

    assert [finding.severity for finding in found] == ["stop"] * (len(found) - 1) + ["warn"]
    for planted in ("netid is empty", "$STAGING is not set", "data/none.xyz", "1,001 jobs"):
        assert planted in text
    assert all(finding.remedy in text for finding in found)

    with pytest.raises(UserError) as stopped:
        pass_or_stop(submission.jobs, submission.outgoing)
    assert str(stopped.value) == text


def test_the_command(prepare):
    prepare(netid="")
    done = CliRunner().invoke(main, ["preflight", "study=tiny"])

    assert done.exit_code == 1
    assert "netid is empty" in done.output


@pytest.mark.parametrize(
    ("expression", "parts"),
    [
        ("A", ["A"]),
        ('Microarch >= "x86_64-v3" && HasSIF', ['Microarch >= "x86_64-v3"', "HasSIF"]),
        ("(A && B) || C", ["(A && B) || C"]),
        ("ifThenElse(A && B, C, D) && E", ["ifThenElse(A && B, C, D)", "E"]),
        (r'Name == "a && \"b" && C', [r'Name == "a && \"b"', "C"]),
    ],
)
def test_the_parts_of_an_expression(expression, parts):
    assert conjuncts(expression) == parts


def test_a_slot_counts_with_all_that_it_has():
    classad2 = pytest.importorskip("classad2", reason="no HTCondor bindings")
    free = {"Cpus": 0, "Memory": 100, "Disk": 0, "GPUs": 0}
    total = {"TotalSlotCpus": 2, "TotalSlotMemory": 4096, "TotalSlotDisk": 2048 * 1024, "TotalSlotGPUs": 1}

    slot = Slot.of(classad2.ClassAd(free | total))
    assert (slot.cpus, slot.memory_mb, slot.disk_mb, slot.gpus) == (2, 4096, 2048, 1)
    assert slot.fulfils("TARGET.Memory >= MY.RequestMemory", classad2.ClassAd({"RequestMemory": 4096}))
    assert not slot.fulfils("TARGET.NoSuchThing", classad2.ClassAd())


def test_a_pool_without_slots_is_said_once(prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not as too little of each resource."""
    monkeypatch.setattr("anisweep.cluster.preflight.pool._slots", list)

    found = only(some_slot_fits(prepare(a_pack())))
    assert "no slot at all" in found.wrong
    assert "condor_status" in found.remedy
