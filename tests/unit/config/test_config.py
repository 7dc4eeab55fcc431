"""The configuration: what stands on top of what, and what it becomes. Wrong ones: tests/wrong_inputs.yaml."""

import os
import re

import pytest
import yaml

from anisweep.cell import NOT_PINNED
from anisweep.config.load import load_config, load_study, overrides_of
from anisweep.config.project import Project
from anisweep.config.sections import Config, DatasetEntry, Measure, Sweep
from anisweep.config.site import Site
from anisweep.config.validation_messages import explain
from anisweep.datasets import canonical_xyz
from anisweep.errors import UserError
from anisweep.plan.expand import cells_of, datasets_of, hypers_of

STUDY = """
question: What stands on top of what?
replicates: 2
datasets: {ellipsoids: {frames: 2}, benzenes: {frames: 1}}
modes: [numpy_only]
hypers: {max_angular: 4}
full:
  replicates: 9
  datasets: {ellipsoids: {}}
  hypers: {cutoff_radius: 5.0}
"""

OWN = """1
Properties=species:S:1:pos:R:3:forces:R:3 pbc="F F F"
C 0 0 1.5 0.1 0.2 0.3
"""


@pytest.fixture
def study(project):
    project.study_file("mine").write_text(STUDY)
    return project


def load(project, **overrides):
    config, sweeps = load_config(project, {"study": "mine", **overrides})
    return config, sweeps["mine"]


def test_the_committed_studies_are_right(project):
    for name in project.study_names():
        for size in ("small", "full"):
            assert isinstance(load_study(project, name, size), Sweep)


def test_a_small_study_ignores_its_full_section(study):
    _, sweep = load(study)

    assert sweep.replicates == 2
    assert list(sweep.datasets) == ["ellipsoids", "benzenes"]


def test_a_full_study_takes_it_on_top(study):
    _, sweep = load(study, size="full")

    assert sweep.replicates == 9
    assert list(sweep.datasets) == ["ellipsoids"], "data sets are replaced as a whole"
    assert (sweep.hypers.max_angular, sweep.hypers.cutoff_radius) == (4, 5.0)


def test_the_command_line_is_on_top_of_everything(study):
    _, sweep = load(study, size="full", replicates=1, hypers={"max_angular": 2})

    assert sweep.replicates == 1
    assert (sweep.hypers.max_angular, sweep.hypers.cutoff_radius) == (2, 5.0)


def test_switches_and_keys_of_a_study_are_told_apart(study):
    config, sweep = load(study, site="chtc", modes=["torch_full"])

    assert (config.site, config.packing) == ("chtc", "merged")
    assert sweep.modes == ["torch_full"]


def test_several_studies_are_loaded_together(study):
    config, sweeps = load_config(study, {"study": ["mine", "first_look"]})

    assert config.studies == list(sweeps) == ["mine", "first_look"]


def test_the_committed_defaults_are_those_of_the_classes(project):
    assert load_config(project)[0] == Config()


def test_every_wrong_key_is_named_at_once(study):
    with pytest.raises(UserError) as error:
        load(study, modes=["nothing"], replicates=0, hypers={"max_angular": "six"})

    assert [line.split(": ")[1] for line in str(error.value).splitlines()[:-1]] == [
        "hypers.max_angular",
        "modes",
        "replicates",
    ]


def test_a_path_keeps_keys_that_look_like_types():
    """Pydantic's paths name branches of unions by `int` or `str`; a data set may be called so."""
    given = yaml.safe_load("{question: q, modes: [numpy_only], datasets: {int: {file: a.xyz, frames: x}}}")

    with pytest.raises(ValueError) as error:  # noqa: PT011  (pydantic's own)
        Sweep.model_validate(given)
    assert explain(Sweep, error.value, given, "here").startswith(
        "here: datasets.int.frames: 'x' is not allowed."
    )


# --- from a study to its cells ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["150", "Q0", "PO4"])
def test_diameters_by_species_that_are_no_elements(name):
    """YAML makes a number of a type."""
    given = yaml.safe_load(
        f"{{file: a.xyz, diameters: {{{name}: [3, 3, 1]}}, orientation_order: xyzw, radii: true}}"
    )
    entry = DatasetEntry.model_validate(given)

    assert entry.diameters == {name: [3.0, 3.0, 1.0]}
    assert (entry.orientation_order, entry.radii) == ("xyzw", True)


def test_a_species_that_yaml_takes_for_false_is_asked_about():
    given = yaml.safe_load("{file: a.xyz, diameters: {No: [3, 3, 1]}}")

    with pytest.raises(ValueError, match="in quotes"):
        DatasetEntry.model_validate(given)


def cells(project, **overrides):
    config, sweep = load(project, **overrides)
    return list(cells_of("mine", sweep, config.site, project))


def test_cells_are_the_product_of_all_axes(study):
    made = cells(
        study,
        modes=["numpy_only", "torch_full"],
        precisions=["fp64", "fp32"],
        threads=[1, 2],
        outputs=["coefficients", "power_spectrum"],
        hypers={"max_angular": [2, 3, 4]},
    )

    assert len(made) == len({cell.key for cell in made}) == 2 * 2 * 2 * 2 * 2 * 2 * 3
    assert {cell.hypers.max_angular for cell in made} == {2, 3, 4}
    assert {cell.replicate for cell in made} == {1, 2}


def test_what_is_free_is_not_pinned_and_changes_no_other_key(study):
    pinned = cells(study, threads=[1, 2])
    with_free = cells(study, threads=[1, 2, "free"])

    assert {cell.threads for cell in with_free} == {1, 2, NOT_PINNED}
    assert {cell.key for cell in pinned} < {cell.key for cell in with_free}


def test_a_data_set_may_have_outputs_of_its_own(study):
    datasets = {"ellipsoids": {"outputs": ["power_spectrum"]}, "benzenes": {}}
    outputs = {(cell.dataset.name, cell.output) for cell in cells(study, datasets=datasets)}

    assert outputs == {("ellipsoids", "power_spectrum"), ("benzenes", "coefficients")}


def test_frames_may_be_an_axis(study):
    datasets = {"ellipsoids": {"frames": [1, 5]}, "benzenes": {"frames": 2}}
    made = {(cell.dataset.name, cell.dataset.frames) for cell in cells(study, datasets=datasets)}

    assert made == {("ellipsoids", 1), ("ellipsoids", 5), ("benzenes", 2)}


@pytest.mark.parametrize("file", ["$MY_DATA/own.xyz", "${MY_DATA}/own.xyz"])
def test_a_variable_may_name_the_folder_of_a_file_whose_content_is_in_the_keys(study, monkeypatch, file):
    monkeypatch.setenv("MY_DATA", str(study.root / "given"))
    own = study.root / "given" / "own.xyz"
    own.parent.mkdir()
    own.write_text(OWN)
    given = {"own": {"file": file, "diameters": [3.0, 3.0, 1.0]}}
    before = cells(study, datasets=given)

    os.utime(own, (0, 0))
    assert [cell.key for cell in cells(study, datasets=given)] == [cell.key for cell in before]

    own.write_text(OWN.replace("1.5", "1.6"))
    after = cells(study, datasets=given)
    assert not {cell.key for cell in after} & {cell.key for cell in before}
    assert canonical_xyz.read(study.root / after[0].dataset.path)[0].arrays["forces"][0, 1] == 0.2


def test_several_sets_of_hypers_share_what_they_have_in_common(study):
    sets = [{"max_angular": [2, 3]}, {"max_angular": 3, "cutoff_radius": [5.0, 7.0]}]
    made = cells(study, hypers=sets)
    points = {(cell.hypers.max_angular, cell.hypers.cutoff_radius) for cell in made}

    assert points == {(2, 7.0), (3, 5.0), (3, 7.0)}
    assert len(made) == len({cell.key for cell in made})


def test_settings_of_the_measurement_reach_every_cell(study):
    made = cells(study, measure={"repetitions": 7, "limit_s": 3.5})

    assert {(cell.settings.repetitions, cell.settings.limit_s) for cell in made} == {(7, 3.5)}
    assert made[0].settings.warmups == Measure().warmups


def test_all_frames_are_taken_where_none_are_named(study):
    _, sweep = load(study, size="full")

    (dataset,) = datasets_of("mine", "ellipsoids", sweep.datasets["ellipsoids"], study)
    assert dataset.frames == 1000


def test_a_list_for_each_channel_is_one_value_of_its_axis(study):
    _, sweep = load(study, hypers={"max_angular": 2, "max_radial": [None, 1, [2, 1, 0]]})

    assert [point.max_radial for point in hypers_of(sweep.hypers, "mine")] == [None, 1, (2, 1, 0)]


def test_the_project_is_found_from_any_folder_inside(project, monkeypatch):
    monkeypatch.delenv("ANISWEEP_PROJECT")
    monkeypatch.chdir(project.root / "workflow" / "rules")

    assert Project.find() == project


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("netid:zoe\n", 1),
        ('netid:zoe\nemail: ""\n', 1),
        ('email: ""\n# who\nnetid:zoe\n', 3),
        ("image:\n  small:true\n  base: python:3.11\n", 2),
        ("email: zoe@wisc.edu\nnetid:zoe\nimage:\n  small: true\n", 2),
    ],
)
def test_a_blank_that_lacks_behind_a_colon_is_found_in_its_line(project, text, line):
    """YAML itself complains of the line below, or not at all."""
    (project.root / "condor" / "site.yaml").write_text(text)

    with pytest.raises(UserError, match=f"line {line}: a blank is missing after the colon"):
        Site.read(project)


@pytest.mark.parametrize("text", ["question: [\n", "a: 'b\n", "base: osdf:///a\nb: {\n", "at: 12:30\nb: [\n"])
def test_no_blank_is_missed_where_none_lacks(project, text):
    (project.root / "condor" / "site.yaml").write_text(text)

    with pytest.raises(UserError, match="not valid YAML") as refused:
        Site.read(project)
    assert "a blank is missing" not in str(refused.value)


def test_text_that_yaml_takes_for_a_number_is_to_be_quoted(project):
    (project.root / "condor" / "site.yaml").write_text("netid: 123\n")

    with pytest.raises(UserError, match=r"netid: 123 is not allowed. Allowed: text; quote it"):
        Site.read(project)


@pytest.mark.parametrize(("name", "after_a_hold"), [("queue", False), ("request_memory", True)])
def test_the_remedy_for_what_the_plan_sets_fits_it(project, name, after_a_hold):
    (project.root / "condor" / "site.yaml").write_text(f"submit: {{{name}: 5}}\n")

    with pytest.raises(UserError, match=f"{name}: set by the plan") as refused:
        Site.read(project)
    assert ("after a hold" in str(refused.value)) == after_a_hold


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("measure.minimum_s=1",), 'Write measure="{minimum_s: 1}"'),
        (("study=tiny.yaml",), "Did you mean study=tiny?"),
        (("study=config/studies/tiny.yaml",), "Did you mean study=tiny?"),
        (("study=[first_look, tiny.yml]",), "Did you mean study=tiny?"),
        (("study", "=", "tiny"), "There are no blanks round the `=`"),
        (("study=", "tiny"), "There are no blanks round the `=`"),
        (("study", "=tiny"), "There are no blanks round the `=`"),
    ],
)
def test_near_misses_on_the_command_line_are_told_what_is_meant(project, given, says):
    with pytest.raises(UserError, match=re.escape(says)):
        load_config(project, overrides_of(given))
