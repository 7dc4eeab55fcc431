"""What is to be measured, and the reason that is given, for everything that can make a cell stale."""

from __future__ import annotations

from collections import Counter

import pytest

import examples
from anisweep.environments.lock import worker_environment
from anisweep.plan import code_digest, pack_file, write_packs
from anisweep.plan.run_lock import Holder

XYZ = '1\nLattice="9 0 0 0 9 0 0 0 9" Properties=species:S:1:pos:R:3 pbc="T T T"\nC {} 0 0\n'


def reasons(plan):
    return dict(Counter(wanted.reason for wanted in plan.to_measure))


def append(file, text):
    file.write_text(file.read_text() + text)


def change_code(package, file, text):
    append(package / file, text)
    code_digest.code_files.cache_clear()


def test_at_first_everything_is_new(plan):
    made = plan()

    assert len(made.cells) == 4
    assert reasons(made) == {"new": 4}
    assert made.measured == {}


def test_what_a_sound_artifact_holds_is_not_measured_again(plan, measure):
    names = {file.name.removesuffix(".tar.gz") for file in measure()}
    made = plan()

    assert made.to_measure == []
    assert made.packs == []
    assert made.estimated_s == 0
    assert set(made.measured.values()) == names
    assert set(made.artifacts_of("mine")) == names


def test_one_more_replicate_measures_its_own_cells(plan, measure):
    measure()
    made = plan(replicates=3)

    assert {wanted.cell.replicate for wanted in made.to_measure} == {3}
    assert reasons(made) == {"new": 2}
    assert len(made.measured) == 4


def test_one_more_mode_measures_its_own_cells(plan, measure):
    measure()
    made = plan(modes=["numpy_only", "torch_full", "torch_mixed"])

    assert {wanted.cell.mode for wanted in made.to_measure} == {"torch_mixed"}
    assert {pack.reference for pack in made.packs} == {"numpy_only"}


def test_the_code_of_a_mode_that_changed_is_named(plan, measure, package):
    measure()
    change_code(package, "modes/torch_full.py", "\n_A_NUMBER = 1\n")
    made = plan()

    assert reasons(made) == {"code changed: anisweep.modes.torch_full": 2}
    assert {wanted.cell.mode for wanted in made.to_measure} == {"torch_full"}


def test_the_code_of_the_worker_concerns_every_mode(plan, measure, package):
    measure()
    change_code(package, "worker/timing.py", "\n_A_NUMBER = 1\n")

    assert reasons(plan()) == {"code changed: anisweep.worker.timing": 4}


def test_comments_and_code_that_measures_nothing_make_nothing_stale(plan, measure, package):
    measure()
    append(package / "worker" / "timing.py", "\n# a better comment\n")
    append(package / "modes" / "numpy_only.py", "\n# another one\n")

    for file in ("plan/packing.py", "config/load.py", "tables/cells.py", "modes/torch_mixed.py"):
        append(package / file, "\n_A_NUMBER = 1\n")
    code_digest.code_files.cache_clear()

    assert reasons(plan()) == {}


def test_the_package_that_changed_is_named(plan, measure, project, monkeypatch):
    measure()
    monkeypatch.setattr("anisweep.plan.state.installed_differences", lambda environment: [])
    lock = project.root / "envs" / "worker.txt"
    version = worker_environment(project).packages["psutil"]
    lock.write_text(lock.read_text().replace(f"psutil=={version}", "psutil==0.0.1"))

    assert reasons(plan()) == {f"environment changed: psutil {version} -> 0.0.1": 4}


def test_other_hashes_in_the_lock_are_another_environment(plan, measure, project):
    measure()
    append(project.root / "envs" / "worker.txt", "    --hash=sha256:0123\n")

    assert reasons(plan()) == {"environment changed: hashes of the lock": 4}


def test_a_comment_in_the_lock_changes_nothing(plan, measure, project):
    measure()
    append(project.root / "envs" / "worker.txt", "# a comment\n")

    assert reasons(plan()) == {}


def test_other_settings_of_the_measurement_are_a_reason(plan, measure):
    measure()

    assert reasons(plan(measure={"repetitions": 9})) == {"settings of the measurement changed": 4}


def test_another_file_under_the_same_name_is_a_changed_data_set(plan, measure, project):
    file = project.root / "mine.xyz"
    file.write_text(XYZ.format(0))
    study = {"datasets": {"mine": {"file": "mine.xyz", "diameters": [3, 3, 1]}}}
    measure(**study)
    assert reasons(plan(**study)) == {}

    file.write_text(XYZ.format(1))

    assert reasons(plan(**study)) == {"dataset changed": 4}


def test_the_cells_of_a_damaged_artifact_are_measured_again_under_another_name(plan, measure, project):
    files = measure()
    plan()
    examples.overwrite(files[0], files[0].read_bytes()[:-20])
    name = files[0].name.removesuffix(".tar.gz")
    made = plan()

    assert reasons(made) == {f"artifact damaged: {name}": 2}
    assert [pack.name for pack in made.packs] == [f"{name}-2"]
    assert [entry.name for entry in made.damaged] == [name]

    measure()
    assert reasons(plan()) == {}


def test_the_cells_of_a_lost_artifact_are_measured_again(plan, measure):
    files = measure()
    plan()
    files[0].unlink()
    name = files[0].name.removesuffix(".tar.gz")

    assert reasons(plan()) == {f"artifact missing: {name}": 2}
    assert [pack.name for pack in plan().packs] == [f"{name}-2"]


def test_without_an_index_a_lost_artifact_is_simply_new(plan, measure):
    files = measure()
    files[0].unlink()

    assert reasons(plan()) == {"new": 2}


def test_a_failed_cell_counts_as_measured_unless_a_retry_is_asked_for(plan, measure):
    measure(status="failed")

    assert reasons(plan()) == {}
    assert reasons(plan(retry=True)) == {"failed or stalled before": 4}


def test_a_failed_cell_was_tried_whatever_else_was_measured_of_its_point(plan, measure):
    measure(status="failed")
    measure(started="2026-02-01T00:00:00+00:00", measure={"repetitions": 7})

    assert reasons(plan(retry=True)) == {"failed or stalled before": 4}


@pytest.mark.parametrize("status", ["wrong", "unavailable", "ok"])
def test_a_retry_asks_for_nothing_that_would_come_out_the_same(plan, measure, status):
    measure(status=status)

    assert reasons(plan(retry=True)) == {}


def test_a_retry_that_succeeded_is_not_asked_for_again(plan, measure, project):
    """Also where the failed artifact still holds another cell."""
    first, second = plan().packs
    project.artifacts.mkdir(parents=True)
    examples.write_artifact(project.artifacts, first, status="failed")
    examples.write_artifact(project.artifacts, second)

    again = examples.pack(first.cells[0], name="again-r1-0123456789ab")
    examples.write_artifact(project.artifacts, again, started="2026-02-01T00:00:00+00:00")

    assert [wanted.cell for wanted in plan(retry=True).to_measure] == [first.cells[1]]


def test_packs_in_flight_are_not_planned_again(plan, project, monkeypatch):
    before = plan()
    write_packs(project, before.packs)
    running = Holder("here", "me", 123, 0.0, (before.packs[0].name,))
    monkeypatch.setattr("anisweep.plan.state.holder", lambda project: running)
    made = plan()

    assert made.in_flight == {cell.key for cell in before.packs[0].cells}
    assert [pack.name for pack in made.packs] == [before.packs[1].name]
    assert made.running == running


def test_packs_are_written_once_and_mended_when_they_are_half(plan, project):
    packs = plan().packs
    write_packs(project, packs)
    file = project.root / pack_file(project, packs[0].name)
    whole, inode = file.read_text(), file.stat().st_ino

    write_packs(project, packs)
    assert file.stat().st_ino == inode

    file.write_text(whole[:100])
    write_packs(project, packs)
    assert file.read_text() == whole


def test_a_touched_artifact_makes_nothing_stale(plan, measure):
    for file in measure():
        examples.overwrite(file, file.read_bytes())

    assert reasons(plan()) == {}
