"""What the commands of a cluster say where nothing answers or nothing is there."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

import examples
from anisweep.cli import cluster, main
from anisweep.cluster import arrivals
from anisweep.cluster.schedd_errors import troubles_in_words
from anisweep.cluster.status import states
from anisweep.config.site import Site
from anisweep.errors import UserError
from snakemake_executor_plugin_condorsweep import schedd
from snakemake_executor_plugin_condorsweep.batch import Batch, Entry
from snakemake_executor_plugin_condorsweep.schedd import Refused, Unreachable


def said(*command: str, status: int = 0) -> str:
    done = CliRunner().invoke(main, command)
    assert done.exit_code == status, done.output
    return done.output


def test_status_of_a_project_that_has_submitted_nothing(project):
    assert "Nothing has completed yet" in said("status")


def test_logs_and_cancel_of_a_pack_that_is_not_there(project):
    assert "no submission holds this pack" in said("logs", "ellipsoids-r1", status=1)
    assert "not under way" in said("cancel", "ellipsoids-r1", status=1)


@pytest.mark.parametrize("place", ["/nowhere", "."])
def test_a_folder_that_is_no_project_is_not_an_empty_one(project, tmp_path, place):
    (tmp_path / "empty").mkdir()
    place = str(tmp_path / "empty") if place == "." else place

    assert "Allowed: the folder of an AniSweep project" in said("fetch", place, status=1)


def test_nothing_to_fetch_yet(project):
    assert "Nothing has completed there yet" in said("fetch", str(project.root))


@pytest.mark.parametrize(
    ("error", "words"), [(Unreachable("no daemon"), "does not answer"), (Refused("too many"), "refuses")]
)
def test_troubles_of_the_queue_are_messages(error, words):
    with pytest.raises(UserError, match=words), troubles_in_words():
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


EXECUTING = "001 ({job}) {when} Job executing on host: <127.0.0.1:9618>\n...\n"


def under_way(project, *packs):
    """A submission of some packs."""
    entries = [Entry(name, f"results/artifacts/{name}.tar.gz", (), "true") for name in packs]
    batch = Batch.new(project.root, "results/batches", "measure_pack", entries)
    batch.write({})
    return batch


def test_events_that_were_written_in_another_time_zone_are_as_old_as_they_are(project, live_in):
    live_in("Asia/Kathmandu")
    batch = under_way(project, "a_pack")
    submitted = datetime.fromtimestamp(batch.since, UTC)
    batch.events.write_text(EXECUTING.format(job="007.000.000", when=f"{submitted:%Y-%m-%d %H:%M:%S}"))

    (state,) = states(project, None)
    assert state.since == batch.since


def test_jobs_of_another_submission_in_an_event_log_are_not_cancelled(project, monkeypatch):
    removed = []
    monkeypatch.setattr(schedd, "remove_jobs", lambda jobs, reason: removed.extend(jobs))
    batch = under_way(project, "one", "other")
    jobs = ("007.000.000", "007.001.000", "007.002.000")
    batch.events.write_text("".join(EXECUTING.format(job=job, when="2026-12-01 10:00:00Z") for job in jobs))

    arrivals.cancel(project, ["other"])
    assert removed == [(7, 1)]


def test_a_pack_is_cancelled_by_the_beginning_of_its_name(project, monkeypatch):
    monkeypatch.setattr(schedd, "remove_jobs", lambda jobs, reason: None)
    monkeypatch.setattr(schedd, "in_queue", lambda batches: {name: {(7, None)} for name in batches})
    under_way(project, "discs-r1-00aa", "discs-r1-00bb", "discs-r1-00aa-2", "spheres-r1-00cc")

    refused = said("cancel", "discs-r1", status=1)
    assert "discs-r1: 3 packs under way begin so: discs-r1-00aa, discs-r1-00aa-2, discs-r1-00bb" in refused
    assert "discs-r1-00aa: cancelled" in said("cancel", "discs-r1-00aa", "sph")  # a whole name is meant alone
    assert {each.pack for each in states(project, None) if each.open} == {"discs-r1-00aa-2", "discs-r1-00bb"}


def test_after_everything_was_cancelled_that_is_one_line(project, monkeypatch):
    monkeypatch.setattr(schedd, "remove", lambda batches, reason: None)
    monkeypatch.setattr(schedd, "in_queue", lambda batches: {name: {(7, 0), (7, None)} for name in batches})
    batch = under_way(project, *(f"pack-{number}" for number in range(16)))
    batch.events.write_text(EXECUTING.format(job="007.000.000", when="2026-12-01 10:00:00Z"))

    assert said("cancel", "--all").splitlines() == ["16 of 16 packs that are under way cancelled."]
    text = said("status")
    assert text.count("cancelled") <= 2
    assert "anisweep fetch" not in text  # nothing has completed


def test_a_machine_without_htcondor_says_so(project, monkeypatch):
    monkeypatch.setattr(cluster.shutil, "which", lambda name: None)
    assert "There is no HTCondor on this machine" in said("status")

    monkeypatch.setattr(cluster.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert "There is no HTCondor" not in said("status")


def test_what_the_plan_sets_is_refused_in_site_yaml(project):
    file = project.root / "condor" / "site.yaml"
    file.write_text("submit: {request_memory: 8GB}\n")

    with pytest.raises(UserError, match="request_memory: set by the plan for each pack"):
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
    words = str(Volume.of([*map(jobs.outgoing, packs)], jobs))

    assert "3 jobs, 3 core-hours" in words
    assert ("at most 3.0 GB over the network.\n" in words) == built
    assert ("beside the image of 3 jobs, which is not there yet" in words) != built
    assert "`--pilot N` sends the first N jobs" in words
