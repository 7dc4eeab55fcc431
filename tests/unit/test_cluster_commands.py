"""What the commands of a cluster say where nothing answers or nothing is there."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import examples
from anisweep.cli import main
from anisweep.cluster.queue import troubles_in_words
from anisweep.config import ConfigError
from anisweep.site import Site
from snakemake_executor_plugin_condorsweep.schedd import Refused, Unreachable


def said(*command: str, status: int = 0) -> str:
    done = CliRunner().invoke(main, command)
    assert done.exit_code == status, done.output
    return done.output


def test_status_of_a_project_that_has_submitted_nothing(project):
    assert "Nothing has come home yet" in said("status")


def test_logs_and_cancel_of_a_pack_that_is_not_there(project):
    assert "no submission holds this pack" in said("logs", "ellipsoids-r1", status=1)
    assert "not under way" in said("cancel", "ellipsoids-r1", status=1)


@pytest.mark.parametrize("place", ["/nowhere", "."])
def test_a_folder_that_is_no_project_is_not_an_empty_one(project, tmp_path, place):
    (tmp_path / "empty").mkdir()
    place = str(tmp_path / "empty") if place == "." else place

    assert "Allowed: the folder of an AniSweep project" in said("fetch", place, status=1)


def test_nothing_to_fetch_yet(project):
    assert "Nothing has come home there yet" in said("fetch", str(project.root))


@pytest.mark.parametrize(
    ("error", "words"), [(Unreachable("no daemon"), "does not answer"), (Refused("too many"), "refuses")]
)
def test_troubles_of_the_queue_are_messages(error, words):
    with pytest.raises(ConfigError, match=words), troubles_in_words():
        raise error


def test_a_broken_study_does_not_hide_what_is_under_way(project):
    project.study_file("broken").write_text("question: [\n")
    text = said("status")

    assert "Which packs are still wanted is not known" in text
    assert "Nothing is under way" in text


def test_a_damaged_submission_is_named(project):
    folder = project.results / "batches" / "20261121-120000-abcdef"
    folder.mkdir(parents=True)
    (folder / "batch.json").write_text("{")

    assert "20261121-120000-abcdef" in said("status", status=1)


def test_what_the_plan_sets_is_refused_in_site_yaml(project):
    file = project.root / "condor" / "site.yaml"
    file.write_text("submit: {request_memory: 8GB}\n")

    with pytest.raises(ConfigError, match="request_memory: set by the plan for each pack"):
        Site.read(project)


def test_demands_of_the_user_stand_beside_those_of_the_profile(project):
    from anisweep.cluster.jobs import Jobs
    from anisweep.plan.cost import CostModel

    (project.root / "condor" / "site.yaml").write_text("submit: {requirements: HasGpfs}\n")
    jobs = Jobs.of(project, [], CostModel.from_rows((), Path()))

    assert jobs.requirements == 'TARGET.Microarch >= "x86_64-v3" && HasGpfs'


@pytest.mark.parametrize("built", [True, False])
def test_a_preview_says_hours_gigabytes_and_how_to_go_in_parts(project, tmp_path, built):
    from anisweep.cluster.jobs import Jobs
    from anisweep.cluster.submission import Volume
    from anisweep.plan.cost import CostModel

    image = tmp_path / "cpu.sif"
    with image.open("wb") as stream:
        stream.truncate(2**30)

    packs = [replace(examples.pack(examples.cell(replicate=k)), estimated_s=3600.0) for k in (1, 2, 3)]
    jobs = Jobs.of(project, packs, CostModel.from_rows((), Path()))
    jobs = replace(jobs, images={"cpu": image if built else None})
    words = str(Volume.of(packs, jobs))

    assert "3 jobs, 3 core-hours" in words
    assert ("at most 3.0 GB over the network.\n" in words) == built
    assert ("beside the image of 3 jobs, which is not there yet" in words) != built
    assert "`--pilot N` sends the first N packs, `replicates=1` the first replicate" in words
