"""The plan as a person reads it and as a program does, and what may be pruned."""

import pytest

import examples
from anisweep import modes
from anisweep.artifacts.store import Store
from anisweep.errors import UserError
from anisweep.files import write_json
from anisweep.formatting import duration
from anisweep.plan.prune import unwanted
from anisweep.plan.run_lock import Holder
from anisweep.plan.text import artifact_as_text, cell_as_text, plan_as_json, plan_as_text


def test_a_program_gets_every_cell_with_its_reason_its_pack_and_its_seconds(plan, measure):
    measure()
    made = plan(replicates=3)
    plain = plan_as_json(made)

    assert (plain["cells"], plain["measured"], plain["in_flight"], plain["packs"]) == (6, 4, 0, 1)
    assert {each["reason"] for each in plain["to_measure"]} == {"new"}
    assert {each["pack"] for each in plain["to_measure"]} == {made.packs[0].name}
    assert [each["key"] for each in plain["to_measure"]] == [wanted.cell.key for wanted in made.to_measure]
    assert plain["estimated_s"] > sum(each["estimated_s"] for each in plain["to_measure"]) > 0


def test_a_person_gets_the_answer_first_then_packs_then_reasons(plan):
    made = plan()
    text = plan_as_text(made)

    assert text.startswith("4 cells: 0 measured, 0 in flight, 4 to measure.\n2 packs, about ")
    assert all(pack.name in text for pack in made.packs)
    assert "  new: 4 cells\n" in text
    assert "... and 1 more (--json lists them)" in text


def test_when_everything_is_there_it_says_so(plan, measure):
    measure()

    assert plan_as_text(plan()) == "4 cells: 4 measured, 0 in flight, 0 to measure.\nNothing to measure."


def test_a_long_plan_is_shown_by_its_first_packs(plan):
    text = plan_as_text(plan(replicates=25, target_minutes=0.001, packing="cell"))

    assert "50 packs" in text
    assert "  ... and 30 more packs" in text


def test_who_is_measuring_is_said(plan, monkeypatch):
    monkeypatch.setattr("anisweep.plan.state.holder", lambda project: Holder("here", "me", 123, 0.0, ()))

    assert "A run is going on: me on here, pid 123." in plan_as_text(plan())


def test_durations_are_in_the_unit_that_a_person_would_take():
    assert [duration(seconds) for seconds in (0.4, 119, 120, 7199, 7200)] == [
        "0 s",
        "119 s",
        "2.0 min",
        "120.0 min",
        "2.0 h",
    ]


def test_an_artifact_is_shown_with_its_cells(measure, project):
    file = measure()[0]
    store = Store(project.artifacts, project.state)
    entry = store.entries()[0]
    text = artifact_as_text(store, entry)

    assert str(file) in text
    assert entry.sha256 in text
    assert all(key[:12] in text for key in entry.keys)

    cell = cell_as_text(store, entry, entry.keys[0])
    assert entry.keys[0] in cell
    assert "status               ok" in cell


def test_a_damaged_artifact_is_shown_with_its_damage(measure, project):
    file = measure()[0]
    examples.overwrite(file, b"nothing")
    store = Store(project.artifacts, project.state)
    entry = next(each for each in store.entries() if not each.sound)

    assert artifact_as_text(store, entry) == f"{entry.name}: damaged\n  {entry.damage}"


def test_only_what_no_study_asks_for_is_unwanted(measure, project):
    wanted = measure()
    examples.write_artifact(project.artifacts, examples.pack(name="old-r1-0123456789ab"))
    broken = project.artifacts / "broken-r1-0123456789ab.tar.gz"
    broken.write_bytes(b"nothing")

    assert unwanted(project) == [
        ("broken-r1-0123456789ab", "damaged"),
        ("old-r1-0123456789ab", "no study asks for its cells"),
    ]
    assert all(file.exists() for file in wanted)


def test_what_another_site_measured_of_a_wanted_point_is_wanted(plan, project):
    pack = plan(site="chtc").packs[0]
    project.artifacts.mkdir(parents=True)
    examples.write_artifact(project.artifacts, pack)

    assert unwanted(project) == []


def test_nothing_is_unwanted_while_a_run_goes_on(project, monkeypatch):
    project.artifacts.mkdir(parents=True)
    examples.write_artifact(project.artifacts, examples.pack())
    monkeypatch.setattr("anisweep.plan.prune.holder", lambda project: Holder("here", "me", 123, 0.0, ()))

    assert unwanted(project) == []


def test_what_the_last_run_was_given_is_asked_for(measure, project):
    measure()
    more = [file.name.removesuffix(".tar.gz") for file in measure(replicates=3)]
    assert [name for name, _ in unwanted(project)] == more

    write_json(project.results / "mine" / "overrides.json", {"replicates": 3})
    assert unwanted(project) == []


def test_a_study_whose_file_is_not_given_keeps_everything_if_it_was_run_here(measure, project, monkeypatch):
    monkeypatch.delenv("ANISWEEP_DATA", raising=False)
    measure()
    assert unwanted(project) == []

    (project.results / "liquid_benzene").mkdir()
    with pytest.raises(
        UserError, match=r"(?s)liquid_benzene .* Nothing was deleted\..*ANISWEEP_DATA is not set"
    ):
        unwanted(project)


def test_a_study_that_cannot_be_read_keeps_everything(measure, project):
    measure()
    project.study_file("broken").write_text("question: What?\n")

    with pytest.raises(UserError, match=r"(?s)^What the study broken .* Nothing was deleted\..*broken\.yaml"):
        unwanted(project)


def test_a_pruned_artifact_is_forgotten(measure, project):
    name = measure()[0].name.removesuffix(".tar.gz")
    store = Store(project.artifacts, project.state)
    store.entries()
    store.delete(name)

    assert store.lost() == []
    assert name not in [entry.name for entry in store.entries()]


def test_what_no_machine_can_compute_is_said_with_the_reason_before_and_after_it_is_measured(plan, measure):
    two_species = {"datasets": {"two_species": {"frames": 1}}, "outputs": ["power_spectrum"], "replicates": 1}
    words = "2 cells without a time, `unavailable`: power spectrum of 2 species: the published package"

    assert words in plan_as_text(plan(**two_species))
    measure(status="unavailable", **two_species)
    made = plan(**two_species)
    assert words in plan_as_text(made)
    assert [len(keys) for keys in plan_as_json(made)["unavailable"].values()] == [2]


def test_a_mode_is_asked_once_for_all_its_replicates(plan, monkeypatch):
    made = plan(replicates=5)
    asked = []
    monkeypatch.setattr(modes, "precisions", lambda name: asked.append(name) or ("fp64",))

    plan_as_text(made)

    assert len(made.cells) > len(asked)
    assert sorted(asked) == sorted({*asked})


def test_a_precision_that_a_mode_lacks_is_said(plan):
    text = plan_as_text(plan(precisions=["fp64", "tf32"]))

    assert "`unavailable`: precision tf32: this mode has fp64 only." in text


def test_nothing_is_unavailable_where_all_can_be_computed(plan):
    assert "unavailable" not in plan_as_text(plan())
    assert plan_as_json(plan())["unavailable"] == {}
