"""Keys of shards: what makes a shard stale, and what does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import weakref
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from anisweep.cell import Hypers
from anisweep.config.project import Project
from anisweep.datasets.errors import DataError
from anisweep.describe import Request, describe
from anisweep.describe.format_npz import provenance_of
from anisweep.descriptors.kernels import loader
from anisweep.errors import UserError
from anisweep.features import shards
from anisweep.features.arrived import check_shard
from anisweep.features.cutting import write_pieces
from anisweep.features.feature_file import feature_file
from anisweep.features.job import CORE_TYPES, FeatureFile, compute
from anisweep.features.merging import merge_features, merge_fits
from anisweep.features.shards import FeaturePlan, frames_of_a_shard, plan_features
from anisweep.fitting import FitRequest, fit, summed_file
from anisweep.models import LabelWeights, load
from anisweep.models.settings import FitSettings
from tests.unit.describe.conftest import frames, write

HYPERS = replace(Hypers(), max_angular=3, max_radial=1, cutoff_radius=4.0)
LEVEL = loader.compiled_levels()[:2][-1]
ASKED = FeatureFile(
    *("some.xyz", "features.npz"),
    instruction_set=LEVEL,
    orientations="turned",
    diameters="widths",
    hypers=HYPERS,
)
SETTINGS = FitSettings(weights=LabelWeights(energies=2.0), force_fraction=0.5)


@pytest.fixture
def plan(project: Project, monkeypatch):
    """Makes a plan of shards of seven frames each, of forty frames."""
    monkeypatch.setattr(shards, "frames_of_a_shard", lambda *_: 7)
    monkeypatch.setenv(loader.VARIABLE, LEVEL)
    write(project.root / "some.xyz", labelled(40))

    def make(asked: FeatureFile = ASKED, environment: str = "here") -> FeaturePlan:
        made = plan_features(project, "some", asked, environment)
        made.write()
        return made

    return make


def labelled(count: int):
    made = frames(count)
    generator = np.random.default_rng(2)
    for atoms in made:
        atoms.info["energy"] = float(generator.normal())
        atoms.arrays["forces"] = generator.normal(size=(len(atoms), 3))
        atoms.arrays["forces"] -= atoms.arrays["forces"].mean(axis=0)
    return made


def run(made: FeaturePlan, backwards: bool = False) -> int:
    """Compute what is missing as jobs do, and return how many shards that were."""
    missing = list(made.missing)[:: -1 if backwards else 1]
    write_pieces(made.project.root, made.pieces(missing))
    for key in missing:
        output = made.project.root / made.path("shards", key)
        output.parent.mkdir(exist_ok=True)
        compute(Path(made.path("jobs", key)), Path(made.path("pieces", key)), output, lambda _: None)
    return len(missing)


def same_features(one: Path, other: Path) -> bool:
    with np.load(one) as first, np.load(other) as second:
        arrays = [name for name in first.files if name != "provenance"]
        return all(first[name].tobytes() == second[name].tobytes() for name in arrays)


def test_merged_shards_are_what_one_process_writes(plan):
    made = plan()
    assert run(made) == 6
    merge_features(made, Path("features.npz"))

    whole = Request(Path("some.xyz"), HYPERS, "turned", "widths")
    describe(whole, Path("whole.npz"), 1, lambda _: None)

    assert same_features(Path("whole.npz"), Path("features.npz"))


def test_the_provenance_names_shards_hosts_and_levels(plan):
    made = plan()
    run(made)
    merge_features(made, Path("features.npz"))

    origin = json.loads(provenance_of(Path("features.npz")))
    assert [each["key"] for each in origin["shards"]] == [job.key for job in made.jobs]
    assert origin["levels"] == [LEVEL]
    assert origin["code"] == made.code
    assert {"host", "sha256", "digest", "first", "frames"} < origin["shards"][0].keys()


@pytest.mark.parametrize(("ends", "shards_there"), [((10,), 7), ((2, 4, 6, 12), 6)])
def test_several_files_are_one_after_the_other_and_small_ones_share_a_shard(
    plan, project, ends, shards_there
):
    every = frames(40)
    names = [f"{number}.xyz" for number in range(len(ends) + 1)]
    for name, (begin, end) in zip(names, pairwise((0, *ends, 40)), strict=True):
        write(project.root / name, every[begin:end])
    write(project.root / "some.xyz", every)

    made = plan(replace(ASKED, file=tuple(names)))
    assert run(made) == shards_there
    merge_features(made, Path("features.npz"))
    describe(Request(Path("some.xyz"), HYPERS, "turned", "widths"), Path("whole.npz"), 1, lambda _: None)

    assert same_features(Path("whole.npz"), Path("features.npz"))


@pytest.mark.parametrize("shards_there", [1, 2, 4, 16])
def test_a_fit_is_that_of_one_process_and_the_order_of_its_shards_decides_no_bit(
    plan, monkeypatch, shards_there
):
    monkeypatch.setattr(shards, "frames_of_a_shard", lambda *_: -(-40 // shards_there))
    made = plan(replace(ASKED, output="model.json", fit=SETTINGS))
    assert run(made, backwards=True) == len(made.jobs) == min(shards_there, 14)
    merge_fits(made, Path("model.json"))

    for job in made.jobs:
        Path(made.path("shards", job.key)).unlink()
    again = plan(replace(ASKED, output="again.json", fit=SETTINGS))
    assert run(again) == len(made.jobs)
    merge_fits(again, Path("again.json"))
    request = FitRequest(Request(Path("some.xyz"), HYPERS, "turned", "widths"), settings=SETTINGS)
    fit(request, Path("whole.json"), 1, lambda _: None)

    one, other = load("whole.json").weights, load("model.json").weights
    assert np.abs(one - other).max() < 1e-10 * np.abs(one).max()
    assert load("again.json").weights.tobytes() == other.tobytes()


def test_a_merge_of_fits_holds_two_shards_at_a_time(plan, monkeypatch):
    """So that memory does not grow with their number."""
    made = plan(replace(ASKED, output="model.json", fit=SETTINGS))
    run(made)
    alive, most = weakref.WeakSet(), []
    read = summed_file.read

    def reading(path):
        found = read(path)
        alive.add(found.equations)
        most.append(len(alive))
        return found

    monkeypatch.setattr(summed_file, "read", reading)
    merge_fits(made, Path("model.json"))

    assert len(most) == 6
    assert max(most) <= 3  # the sum, the last one and the one that is read


@pytest.mark.skipif(LEVEL == "portable", reason="this machine has one instruction set")
def test_blas_computes_with_the_one_instruction_set():
    """As a new process does, which is asked for the name of its kernels."""
    asking = (
        "import numpy, threadpoolctl; print([i['architecture'] for i in threadpoolctl.threadpool_info()])"
    )
    environment = {**os.environ, "OPENBLAS_CORETYPE": CORE_TYPES["portable"]}

    said = subprocess.run(
        [sys.executable, "-c", asking], env=environment, capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == "['Nehalem']"
    assert not said.stderr


def test_a_shard_waits_for_no_library_that_it_does_not_need():
    asking = (
        "import sys, anisweep.features.job; print({'scipy', 'pandas', 'pydantic', 'torch'} & {*sys.modules})"
    )

    said = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, check=True).stdout

    assert said.strip() == "set()"


def test_a_run_after_it_computes_nothing_and_a_touched_file_neither(plan, project):
    run(plan())
    (project.root / "some.xyz").touch()

    assert not plan().missing


def test_a_shard_is_opened_once_and_looked_at_afterwards(plan, monkeypatch):
    run(plan())
    opened = []
    monkeypatch.setattr(shards, "check_shard", lambda path, key: opened.append(key))

    assert plan().missing == {}
    assert sorted(opened) == sorted(job.key for job in plan().jobs)
    opened.clear()
    assert plan().missing == {}
    assert opened == []


def test_appended_frames_compute_their_shards_only(plan, project):
    run(plan())
    write(project.root / "some.xyz", labelled(43))

    assert len(plan().missing) == 2  # the last one was not full, and a new one


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, hypers=replace(HYPERS, max_angular=4)),
        replace(ASKED, instruction_set="portable"),
        replace(ASKED, diameters=(1.0, 2.0, 3.0)),
        replace(ASKED, average=True),
        replace(ASKED, fit=FitSettings()),
    ],
)
def test_what_decides_bits_computes_all(plan, other):
    run(plan())

    assert len(plan(other).missing) == 6
    assert len(plan(environment="elsewhere").missing) == 6


def test_other_code_computes_all(plan, monkeypatch):
    run(plan())
    monkeypatch.setattr(shards, "code_digest", lambda _: "other code")

    assert len(plan().missing) == 6


def test_a_new_species_computes_all(plan, project):
    """It adds columns."""
    run(plan())
    every = labelled(41)
    every[-1].numbers[0] = 79
    write(project.root / "some.xyz", every)

    assert len(plan().missing) == 6


@pytest.mark.parametrize("left", [None, 100])
def test_a_damaged_shard_is_computed_again_alone(plan, left):
    made = plan()
    run(made)
    path = Path(made.path("shards", made.jobs[2].key))
    content = path.read_bytes()
    path.write_bytes(content[:left] if left else content[:3000] + b"?" + content[3001:])

    damaged = path.read_bytes()
    again = plan()

    assert list(again.missing) == [made.jobs[2].key]
    assert not path.exists()
    assert Path(made.path("damaged", made.jobs[2].key)).read_bytes() == damaged  # nothing is removed
    run(again)
    assert path.read_bytes() == content


def test_a_shard_under_another_name_is_refused(plan):
    made = plan()
    run(made)

    with pytest.raises(
        ValueError, match=f"holds the shard {made.jobs[0].key}. Allowed: .* {made.jobs[1].key}"
    ):
        check_shard(Path(made.path("shards", made.jobs[0].key)), made.jobs[1].key)


@pytest.mark.parametrize("fit", [None, SETTINGS])
def test_an_error_names_frame_and_line_of_the_users_file(plan, project, fit):
    every = labelled(40)
    every[9].arrays["widths"][:] = -1
    file = write(project.root / "some.xyz", every)

    with pytest.raises(DataError) as error:
        run(plan(replace(ASKED, output="model.json" if fit else "features.npz", fit=fit)))

    line = first_line(file, 9)
    assert error.value.where == f"some.xyz, frame 9 (from line {line} on), diameters"
    assert "piece" not in str(error.value)


def test_an_error_of_a_line_names_that_of_the_users_file(plan, project):
    file = project.root / "some.xyz"
    lines = file.read_text().splitlines(keepends=True)
    line = first_line(file, 9) + 3
    lines[line - 1] = lines[line - 1].replace("\n", " 1.0\n")
    file.write_text("".join(lines))

    with pytest.raises(DataError) as error:
        run(plan())

    assert error.value.where == f"some.xyz, frame 9, line {line}"


@pytest.mark.parametrize("files", [("some.xyz",), ("one.xyz", "some.xyz")])
def test_an_error_of_a_label_names_the_frame_of_the_users_file(plan, project, files):
    every = labelled(40)
    every[9].info["energy"] = np.inf
    write(project.root / "one.xyz", labelled(5))
    file = write(project.root / "some.xyz", every)

    with pytest.raises(DataError) as error:
        run(plan(replace(ASKED, file=files, output="model.json", fit=SETTINGS)))

    assert error.value.where == "some.xyz, labels"
    assert error.value.came.endswith(f"frame 9 (from line {first_line(file, 9)} on) has inf")


def test_an_error_names_the_file_of_a_shard_of_several(plan, project):
    every = labelled(6)
    every[4].arrays["widths"][:] = -1
    write(project.root / "one.xyz", every[:3])
    file = write(project.root / "two.xyz", every[3:])

    with pytest.raises(DataError) as error:
        run(plan(replace(ASKED, file=("one.xyz", "two.xyz"))))

    assert error.value.where == f"two.xyz, frame 1 (from line {first_line(file, 1)} on), diameters"


def first_line(file: Path, frame: int) -> int:
    """The number of a frame's first line, from 1, as an editor shows it."""
    lines = file.read_text().splitlines()
    return [number for number, line in enumerate(lines, start=1) if line.strip().isdigit()][frame]


def test_what_an_earlier_version_wrote_for_a_job_is_written_anew(plan):
    made = plan()
    work = Path(made.path("jobs", made.jobs[0].key))
    now = work.read_text()
    assert '"line"' in now
    work.write_text(now.replace('"line"', '"row"'))

    plan()

    assert work.read_text() == now


def test_a_machine_without_room_is_no_fault_of_the_data(plan, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))

    with pytest.raises(UserError, match="MB are free"):
        run(plan())


def test_the_number_of_frames_is_kept_until_another_time_is_asked_for(project, monkeypatch):
    monkeypatch.setattr(shards, "LARGEST_MB", 1e9)
    write(project.root / "some.xyz", frames(40))
    known = project.results / "frames.json"
    found = frames_of_a_shard(project, ASKED, known)
    write(project.root / "some.xyz", frames(40)[3:])

    assert frames_of_a_shard(project, replace(ASKED, hypers=Hypers()), known) == found
    twice = frames_of_a_shard(project, replace(ASKED, target_minutes=20.0), known)
    assert 1.5 * found < twice < 3 * found


def test_a_fit_takes_longer_the_more_columns_it_sums_over(project, monkeypatch):
    write(project.root / "some.xyz", frames(40))
    monkeypatch.setattr(shards, "LARGEST_MB", 1e9)
    asked = [
        replace(ASKED, fit=fit, hypers=replace(HYPERS, max_angular=degree))
        for fit, degree in ((None, 9), (FitSettings(), 2), (FitSettings(), 9))
    ]

    found = [frames_of_a_shard(project, each, project.results / f"{n}.json") for n, each in enumerate(asked)]

    assert found[0] > found[1] > 2 * found[2]


def test_shards_stay_below_a_size_that_file_transfer_takes(project, monkeypatch):
    write(project.root / "some.xyz", frames(40))
    long = replace(ASKED, target_minutes=10_000.0)
    monkeypatch.setattr(shards, "LARGEST_MB", 1.0)
    count = frames_of_a_shard(project, long, project.results / "frames.json")
    particles = count * sum(map(len, frames(10))) / 10

    assert 0.9 < shards.output_mb(long, 3, count, particles) < 1.1
    assert frames_of_a_shard(project, replace(long, fit=FitSettings()), project.results / "f.json") > count


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hypers: {max_angula: 3}", "hypers.max_angula: unknown key"),
        ("hypers: {cutoff_radius: -1.0}", "hypers.cutoff_radius: -1.0. Allowed: above 0"),
        ("instruction_set: sse", "instruction_set: 'sse'. Allowed: 'portable' or 'avx2' or 'avx512'"),
        ("fit: {alpa: 1.0}", "fit.alpa: unknown key"),
        ("target_minutes: 0", "target_minutes: 0. Allowed: above 0"),
        ("pairs: [[C, H, O]]", "each of `pairs` two species"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(project, line, said):
    path = project.features_file("wrong")
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"file: some.xyz\noutput: features.npz\n{line}\n")

    with pytest.raises(UserError) as error:
        feature_file(project, "wrong")
    assert said in str(error.value)


def test_a_name_without_a_file_is_refused_with_what_writes_it(project):
    with pytest.raises(UserError, match=r"'other'. Allowed: none yet.*\n.*anisweep features new other"):
        feature_file(project, "other")
