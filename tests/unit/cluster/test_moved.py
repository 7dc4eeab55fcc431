"""A clone that was moved or copied while jobs were out: what it says, and what it takes over."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anisweep.cluster import arrivals
from anisweep.cluster.moved import (
    BROUGHT,
    bring_events,
    events_elsewhere,
    in_words,
    is_elsewhere,
    moved_batches,
)
from anisweep.cluster.status import as_text, states
from anisweep.config.project import Project
from anisweep.errors import UserError
from anisweep.plan.pending import packs_under_way
from snakemake_executor_plugin_condorsweep.batch import Batch, Entry

PACK = "one_species-r1-0123456789ab"
SUBMITTED = "000 (007.000.000) 2026-12-01 10:00:00Z Job submitted from host: <127.0.0.1:9618>\n...\n"
ENDED = (
    "005 (007.000.000) 2026-12-01 10:01:00Z Job terminated.\n\t(1) Normal termination (return value 0)\n...\n"
)


def submitted_from(project: Project, old: Path) -> Batch:
    """A batch of one pack under way that was submitted at another place."""
    entry = Entry(PACK, f"results/artifacts/{PACK}.tar.gz", (), "true")
    batch = Batch.new(project.root, "results/batches", "measure_pack", [entry])
    batch.write({"jobs.sub": f"universe = container\ninitialdir = {old}\n", "jobs.txt": ""})
    batch.events.write_text(SUBMITTED)
    return batch


def test_nothing_has_moved_where_jobs_were_submitted_from_here(project):
    submitted_from(project, project.root)

    assert moved_batches(project) == []
    assert in_words(project, []) == ""


def test_a_link_at_the_old_place_is_no_other_place(project, tmp_path):
    (tmp_path / "home").symlink_to(project.root)

    assert not is_elsewhere(tmp_path / "home", project.root)
    assert is_elsewhere(tmp_path, project.root)
    assert is_elsewhere(tmp_path / "nowhere", project.root)


@pytest.mark.parametrize("made_anew", [False, True])
def test_the_remedy_fits_the_old_place(project, tmp_path, made_anew):
    """HTCondor makes the folder anew for what ends meanwhile; a link would lie inside of it."""
    old = tmp_path / "the old place"
    submitted_from(project, old)
    if made_anew:
        old.mkdir()

    words = in_words(project, moved_batches(project))
    assert f"1 pack under way was submitted at {old}" in words
    assert f"ln -s {project.root} '{old}'\n" in words
    assert "tries what is held again within 5 minutes" in words
    assert (f"mv '{old}' '{old}.left' && " in words) == made_anew


def test_of_a_clone_that_is_still_there_this_is_a_copy(project, tmp_path):
    old = tmp_path / "first"
    batch = submitted_from(project, old)
    old.mkdir()
    (old / "Snakefile").touch()
    (moved,) = moved_batches(project)
    assert not moved.of_a_copy  # another clone has come to the old place

    shutil.copytree(batch.folder, old / batch.path)
    assert moved.of_a_copy
    assert f"rm -r {batch.path}" in in_words(project, [moved])


def test_what_has_come_to_the_old_place_is_taken_over(project, tmp_path):
    old = tmp_path / "old"
    batch = submitted_from(project, old)
    there = old / batch.path
    for folder in ("inbox", "logs"):
        (there / folder).mkdir(parents=True)
    (there / "events.log").write_text(ENDED)
    (there / "inbox" / f"{PACK}.tar.gz").write_text("an artifact")
    (there / "inbox" / "another.tar.gz").write_text("half of one that is still on its way")
    (there / "logs" / f"{PACK}.log").write_text("printed")

    (moved,) = moved_batches(project)
    for _ in range(2):
        moved.bring()
        assert batch.events.read_text() == SUBMITTED + ENDED
        assert (project.root / batch.inbox(batch.entries[0])).read_text() == "an artifact"
        assert batch.printed(batch.entries[0]).read_text() == "printed"
        assert [file.name for file in (batch.folder / "inbox").iterdir()] == [f"{PACK}.tar.gz"]


def test_what_a_controller_has_accepted_at_the_old_place_is_taken_over_too(project, tmp_path):
    """It was running when the clone was moved, and knows the old path only."""
    old = tmp_path / "old"
    batch = submitted_from(project, old)
    batch.events.write_text(SUBMITTED + ENDED)
    (old / "results" / "artifacts").mkdir(parents=True)
    (old / batch.entries[0].output).write_text("an artifact")

    (moved,) = moved_batches(project)
    moved.bring()
    assert (project.root / batch.inbox(batch.entries[0])).read_text() == "an artifact"


def test_another_clone_at_the_old_place_keeps_what_it_has_measured(project, tmp_path):
    old = tmp_path / "old"
    batch = submitted_from(project, old)
    batch.events.write_text(SUBMITTED + ENDED)
    artifact = old / batch.entries[0].output
    artifact.parent.mkdir(parents=True)
    artifact.write_text("its own artifact")
    (old / "Snakefile").touch()

    (moved,) = moved_batches(project)
    moved.bring()
    assert artifact.read_text() == "its own artifact"
    assert not (project.root / batch.inbox(batch.entries[0])).exists()


@given(st.lists(st.integers(1, 400), max_size=6))
def test_events_come_over_once_and_whole_however_the_log_grows(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("logs")
    there, here = folder / "there.log", folder / "here.log"
    whole = "".join(SUBMITTED.replace("007", f"{number:03d}") for number in range(12))
    here.write_text(ENDED)

    written = 0
    for step in [*steps, len(whole)]:
        written = min(written + step, len(whole))
        there.write_text(whole[:written])
        bring_events(there, here)
        assert here.read_text().endswith("\n...\n")

    assert here.read_text() == ENDED + whole
    shutil.rmtree(folder)


def test_a_log_that_was_begun_anew_is_read_from_its_start(tmp_path):
    there, here = tmp_path / "there.log", tmp_path / "here.log"
    here.touch()
    there.write_text(SUBMITTED)
    here.with_name(here.name + BROUGHT).write_text(f"{there.stat().st_ino} 100000\n")

    bring_events(there, here)
    assert here.read_text() == SUBMITTED


def test_a_pack_whose_file_is_lost_is_not_planned_again_while_its_job_is_under_way(project):
    submitted_from(project, project.root)

    with pytest.raises(
        UserError, match=rf"results/packs/{PACK}.json: it is gone.*\n.*`anisweep cancel --all`"
    ):
        packs_under_way(project)


def held(proc: int, minute: int) -> str:
    """The event of a hold, as HTCondor writes it where the clone is not found."""
    return (
        f"012 (007.{proc:03d}.000) 2026-12-01 10:{minute:02d}:00Z Job was held.\n"
        f"\tTransfer input files failure at slot{proc}@ep: reading from file /old/{proc}.sh: No such file\n"
        "\tCode 13 Subcode 2\n...\n"
    )


def test_the_newest_event_counts_wherever_it_was_written(project, tmp_path):
    """Also while a run holds the project, or for who may only read: then nothing is taken over."""
    old = tmp_path / "old"
    batch = submitted_from(project, old)
    (old / batch.path).mkdir(parents=True)
    (old / batch.path / "events.log").write_text(held(0, minute=5))

    (state,) = states(project, None)
    assert state.state == "held"
    assert "`condor_release 7.0` does it at once" in state.said

    batch.events.write_text(SUBMITTED + held(0, 4) + ENDED.replace("10:01", "10:09"))
    (state,) = states(project, None)
    assert state.state == "terminated"


def test_an_event_log_may_be_at_the_old_place_alone(project, tmp_path):
    old = tmp_path / "old"
    batch = submitted_from(project, old)
    (old / batch.path).mkdir(parents=True)
    batch.events.rename(old / batch.path / "events.log")
    assert events_elsewhere(batch) == [old / batch.path / "events.log"]


def test_what_was_moved_aside_for_the_link_is_taken_over(project, tmp_path):
    old = tmp_path / "old"
    batch = submitted_from(project, old)
    aside = tmp_path / "old.left" / batch.path
    aside.mkdir(parents=True)
    (aside / "events.log").write_text(held(0, minute=5))
    old.symlink_to(project.root)

    assert moved_batches(project) == []
    arrivals.import_finished(project)
    assert batch.events.read_text() == SUBMITTED + held(0, minute=5)


def test_a_second_folder_that_is_moved_aside_does_not_fall_into_the_first(project, tmp_path):
    """HTCondor has made the old place anew twice; each time it wrote other events there."""
    old = tmp_path / "old"
    batch = submitted_from(project, old)
    there = old / batch.path / "events.log"

    for name, minute in (("old.left", 5), ("old.left2", 6)):
        there.parent.mkdir(parents=True)
        there.write_text(held(0, minute))
        assert f"mv {old} {tmp_path / name} && " in in_words(project, moved_batches(project))
        arrivals.import_finished(project)
        old.rename(tmp_path / name)
    old.symlink_to(project.root)

    arrivals.import_finished(project)
    assert batch.events.read_text() == SUBMITTED + held(0, minute=5) + held(0, minute=6)


def test_a_hold_of_many_packs_is_said_once(project):
    names = [f"one_species-r{proc}-0123456789ab" for proc in range(7)]
    entries = [Entry(name, f"results/artifacts/{name}.tar.gz", (), "true") for name in names]
    batch = Batch.new(project.root, "results/batches", "measure_pack", entries)
    batch.write({})
    batch.events.write_text("".join(held(proc, minute=5) for proc in range(7)))

    text = as_text(states(project, None))
    assert text.count("its input could not be sent") == 1
    assert text.count(f"as for {names[0]}") == 6
