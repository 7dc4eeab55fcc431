"""What a run for a cluster gives its jobs, and what comes back from them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import ase.io
import pytest
from ase import Atoms
from click.testing import CliRunner

from anisweep.cli import main
from anisweep.cli.features import FaultOfTheData
from anisweep.cluster.arrivals import accept, give_up
from anisweep.cluster.fetch import fetch
from anisweep.cluster.preflight import CHECKS, files, pool
from anisweep.cluster.preflight.submission import Submission
from anisweep.config.project import Project
from anisweep.config.site import Site, SiteLargeOutputs, place_of_large_outputs
from anisweep.datasets.errors import DataError
from anisweep.descriptors.kernels import loader
from anisweep.features import feature_file, large_output, shards
from anisweep.features.arrived import check_shard
from anisweep.features.job import compute
from anisweep.files import write_json
from anisweep.plan.requests import ResourceRequest
from anisweep.workflow.feature_run import FeatureRun
from snakemake_executor_plugin_condorsweep import schedd
from snakemake_executor_plugin_condorsweep.batch import Batch, Entry
from tests.unit.describe.conftest import frames, write

COMMON = Path(__file__).parents[3] / "condor" / "chtc" / "pack.sub"
LEVEL = loader.compiled_levels()[:2][-1]
ASKED = f"""
file: some.xyz
output: features.npz
orientations: turned
diameters: widths
hypers: {{max_angular: 2, max_radial: 1, cutoff_radius: 4.0}}
instruction_set: {LEVEL}
"""


@pytest.fixture
def run(project, monkeypatch) -> FeatureRun:
    """A run for a cluster with four shards to compute."""
    monkeypatch.setattr(shards, "frames_of_a_shard", lambda *_: 10)
    monkeypatch.setenv(loader.VARIABLE, LEVEL)
    monkeypatch.setenv("ANISWEEP_CONTROLLER", "")
    write(project.root / "some.xyz", frames(40))
    project.features_file("some").parent.mkdir()
    project.features_file("some").write_text(ASKED)
    return FeatureRun.read("some", "chtc")


def test_a_job_gets_its_own_frames_and_asks_for_what_it_needs(run):
    key = next(iter(run.plan.missing))
    run.split(run.plan.missing)

    work, piece = run.inputs(key)
    assert Path(work).exists()
    assert Path(piece).read_text().count("Lattice") == 10
    assert run.request(key) == ResourceRequest(1, memory_mb=1536, disk_mb=1536, minutes=60, gpus=0)


def test_what_is_computed_has_no_input_that_could_be_made(run):
    assert run.inputs("0" * 16) == ["results/features/0000000000000000 is not planned"]


def test_what_arrives_is_read_before_it_counts(run):
    key, other = list(run.plan.missing)[:2]
    run.split(run.plan.missing)
    arrived, output = Path("arrived.npz"), Path(run.plan.path("shards", key))
    compute(*map(Path, run.inputs(key)), arrived, lambda _: None)
    content = arrived.read_bytes()

    with pytest.raises(ValueError, match=f"holds the shard {key}"):
        accept(arrived, output.with_stem(other))
    arrived.write_bytes(content[:-100])
    with pytest.raises(ValueError, match="cannot be read"):
        accept(arrived, output)
    arrived.write_bytes(content)
    accept(arrived, output)

    assert output.read_bytes() == content
    assert not arrived.exists()
    assert len(FeatureRun.read("some", "chtc").plan.missing) == 3


def test_an_output_of_something_else_is_kept(run):
    Path("features.npz").write_bytes(b"mine")

    with pytest.raises(SystemExit, match=r"features\.npz"):
        FeatureRun.read("some", "chtc")
    assert Path("features.npz").read_bytes() == b"mine"


def test_a_shard_that_fails_for_good_is_named_with_its_frames_and_the_reason(run, capsys):
    key = list(run.plan.missing)[1]
    output, log = Path(run.plan.path("shards", key)), Path(run.plan.path("logs", key))
    log.write_text("a warning\nError: some.xyz, frame 3: no widths. What to do: give some.\n")

    give_up(output.absolute(), "the command ended with exit status 1")
    run.fail()

    said = capsys.readouterr().out
    assert "1 of 4 shards could not be computed" in said
    assert f"some-{key}, frames 10 to 19 of some.xyz: some.xyz, frame 3: no widths" in said
    assert "(the command ended with exit status 1)" in said
    assert Path(run.plan.path("failed", key)).read_text() in said.replace("  some-", "some-")


def test_a_shard_that_fails_here_is_named_too_and_one_that_was_stopped_is_not(run, capsys):
    failed, stopped = list(run.plan.missing)[:2]
    Path(run.plan.path("logs", failed)).write_text("Error: no widths\n")
    Path(run.plan.path("logs", stopped)).write_text("10 of 40 frames\n")

    run.fail()

    said = capsys.readouterr().out
    assert f"some-{failed}, frames 0 to 9 of some.xyz: no widths" in said
    assert stopped not in said


def test_frames_that_a_job_under_way_reads_are_not_written_again(run):
    run.split(run.plan.missing)
    assert run.plan.to_split == []

    pieces = [Path(run.plan.path("pieces", key)) for key in run.plan.missing]
    pieces[2].unlink()
    before = [piece.stat().st_mtime_ns for piece in pieces if piece.exists()]
    run.split(run.plan.missing)

    assert [piece.stat().st_mtime_ns for piece in pieces if piece != pieces[2]] == before
    assert pieces[2].exists()


def test_a_bad_frame_is_tried_on_no_other_machine(run, project):
    source = project.root / "some.xyz"
    source.write_text(re.sub(r"\n(\w+) +\S+", r"\n\1 nan", source.read_text(), count=1))
    run = FeatureRun.read("some", "chtc")
    key = run.plan.jobs[0].key
    run.split(run.plan.missing)

    bad = describe_shard(run, key)

    assert "frame 0" in bad.output
    assert bad.exit_code == FaultOfTheData.exit_code
    assert not Path("shard.npz").exists()
    assert f"\nretry_until = {FaultOfTheData.exit_code}\n" in COMMON.read_text()


@pytest.mark.parametrize(
    "break_it", [lambda text: text[:-40], lambda text: "x" + text[1:], lambda text: text + "1"]
)
def test_frames_that_broke_on_their_way_are_sent_again(run, break_it):
    key = next(iter(run.plan.missing))
    run.split(run.plan.missing)
    piece = Path(run.inputs(key)[1])
    piece.write_text(break_it(piece.read_text()))

    broken = describe_shard(run, key)

    assert f"{piece}: it is not the frames that were cut" in broken.output
    assert broken.exit_code == 1
    assert not Path("shard.npz").exists()


@pytest.mark.parametrize(("precision", "names"), [("fp64", [LEVEL]), ("fp32", [LEVEL, f"{LEVEL}_single"])])
def test_a_job_in_an_older_image_compiles_only_the_kernels_that_it_runs(
    run, project, monkeypatch, precision, names
):
    file = project.features_file("some")
    file.write_text(f"{file.read_text()}precision: {precision}\n")
    run = FeatureRun.read("some", "chtc")
    run.split(run.plan.missing)
    asked = []
    monkeypatch.setattr(loader, "compile_kernels", asked.extend)

    assert describe_shard(run, next(iter(run.plan.missing))).exit_code == 0
    assert asked == names


def test_a_lack_of_this_machine_is_tried_on_others(run, monkeypatch):
    run.split(run.plan.missing)
    monkeypatch.setattr(loader, "compile_kernels", lack)

    lacking = describe_shard(run, next(iter(run.plan.missing)))

    assert "AVX" in lacking.output
    assert lacking.exit_code == 1


def describe_shard(run, key):
    """What a job of a shard ends with."""
    return CliRunner().invoke(main, ["features", "shard", *run.inputs(key), "shard.npz"])


def lack(levels):
    raise RuntimeError("this CPU lacks AVX2")


def test_jobs_of_shards_have_names_requests_and_sizes(run):
    keys = list(run.plan.missing)
    outgoing = [run.outgoing(key) for key in keys]

    assert [each.name for each in outgoing] == [f"some-{key}" for key in keys]
    assert {each.request.minutes for each in outgoing} == {60}
    assert all(each.inputs == tuple(run.inputs(key)) for key, each in zip(keys, outgoing, strict=True))


def test_snakemake_sends_the_same_commands(run, project):
    write_json(project.results / "features" / "some" / "frames.json", {"target_minutes": 10.0, "frames": 10})
    command = ["snakemake", "-np", "--config", "features=some", "site=chtc"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    for key in run.plan.missing:
        assert run.outgoing(key).command in done.stdout


def test_the_plan_names_shards_and_changes_nothing(run, project):
    damaged = Path(run.plan.path("shards", next(iter(run.plan.missing))))
    damaged.write_bytes(b"half of a shard")

    done = CliRunner().invoke(main, ["plan", "features=some", "site=chtc"])

    assert "40 frames in 4 shards: 4 to compute" in done.output
    assert f"{damaged.stem}  frames 0 to 9 of some.xyz" in done.output
    assert damaged.read_bytes() == b"half of a shard"


def test_status_and_cancel_know_shards(run, project, monkeypatch):
    monkeypatch.setattr(schedd, "remove_jobs", lambda jobs, reason: None)
    monkeypatch.setattr(schedd, "in_queue", lambda batches: {name: {(7, None)} for name in batches})
    one, other, *_ = map(run.outgoing, run.plan.missing)
    entries = [Entry(each.name, each.output, each.inputs, each.command) for each in (one, other)]
    Batch.new(project.root, "results/batches", "describe_shard", entries).write({})

    said = CliRunner().invoke(main, ["status"]).output
    assert re.search(f"{one.name} +idle +frames 0 to 9 of some.xyz", said)
    assert "not wanted" not in said
    assert f"{other.name}: cancelled" in CliRunner().invoke(main, ["cancel", other.name[:-1]]).output

    again = FeatureRun.read("some", "chtc")
    assert len(again.to_send) == 3
    assert "4 to compute, about 10 minutes each; 1 under way" in again.opening


def test_fetch_brings_whole_shards(run, project, tmp_path, monkeypatch):
    run.split(run.plan.missing)
    for key in list(run.plan.missing)[:2]:
        compute(*map(Path, run.inputs(key)), Path(run.plan.path("shards", key)), lambda _: None)
    whole, damaged = sorted(Path(run.plan.path("shards", "")).parent.glob("*.npz"))
    damaged.write_bytes(damaged.read_bytes()[:-100])
    laptop = replace(project, root=tmp_path / "laptop")

    monkeypatch.setattr(Project, "find", lambda: laptop)
    came = fetch(laptop, str(project.root))
    done = CliRunner().invoke(main, ["fetch", str(project.root)])

    assert came.came == (whole.name,)
    assert "0 artifacts and 0 shards fetched and verified; 1 were here" in done.output
    assert "Next: snakemake --profile local features --config features=some site=chtc" in done.output
    assert "report" not in done.output
    assert (laptop.root / whole).read_bytes() == (project.root / whole).read_bytes()
    assert not (laptop.root / damaged).exists()
    assert damaged.name in came.unsound[0]


def test_shards_that_fit_no_slot_stop_a_submission(run, monkeypatch):
    pytest.importorskip("classad2", reason="no HTCondor on this platform")
    slot = pool.Slot(cpus=2, memory_mb=1000, disk_mb=10_000, gpus=0, ad=classad2_ad())
    monkeypatch.setattr(pool, "_slots", lambda: [slot])

    found = list(pool.some_slot_fits(Submission(run.jobs, [*map(run.outgoing, run.plan.missing)])))

    assert (
        "Memory in MB: a job asks for 1,536, and no slot of this pool has more than 1,000" in found[0].wrong
    )


def test_a_first_file_is_guessed_from_the_first_frames_and_knows_the_species_of_all(project, monkeypatch):
    monkeypatch.setattr(feature_file, "LOOKED_AT", 3)
    every = [Atoms("CC", positions=[[0, 0, 0], [2, 0, 0]]) for _ in range(5)]
    every[4].numbers[1] = 8
    ase.io.write(project.root / "late.xyz", every)

    said = CliRunner().invoke(main, ["features", "new", "late", "late.xyz"]).output
    written = project.features_file("late").read_text()

    assert "guessed from the first 3 of 5 frames; species from all" in said
    assert '"O": [3.0, 3.0, 1.0]' in written


@pytest.mark.parametrize(("above_mb", "stops"), [(1.0, 0), (0.001, 1)])
def test_sums_that_file_transfer_does_not_take_stop_a_submission(wide, above_mb, stops):
    site = replace_section(wide.jobs.site, above_mb=above_mb)
    outgoing = [wide.outgoing(key) for key in wide.plan.missing]

    found = list(files.outputs_small(Submission(replace(wide.jobs, site=site), outgoing)))

    assert files.outputs_small in CHECKS
    assert len(found) == stops
    for finding in found:
        assert "file transfer takes outputs of up to 0.001 MB" in finding.wrong
        assert "large_outputs: {url: file:///FOLDER}" in finding.remedy
        assert "pair_features" in finding.remedy


def test_sums_of_a_fit_are_as_large_as_was_said(wide, monkeypatch):
    key = next(iter(wide.plan.missing))
    shard = compute_here(wide, key)

    said = 1e6 * wide.output_mb(key)
    assert said < shard.stat().st_size < said + 10_000  # labels and headers beside the numbers


def test_large_outputs_stay_where_the_site_says_and_a_receipt_counts_as_the_shard(wide, project, tmp_path):
    place = tmp_path / "scratch"
    site = f"large_outputs: {{url: 'file://{place}', above_mb: 0.001}}\n"
    (project.root / "condor" / "site.yaml").write_text(site)
    made = FeatureRun.look(project, "some", "chtc")
    key = next(iter(made.plan.missing))
    outgoing = made.outgoing(key)

    assert f"--large file://{place}/some/{made.plan.shard(key)}.npz" in outgoing.command
    assert f"also_remaps = ; large.npz = file://{place}/some/$(entry).npz" in made.jobs.description
    assert outgoing.output_mb < 1
    assert outgoing.large_mb == made.output_mb(key)
    assert files.large_outputs_have_a_place in CHECKS
    assert not list(files.large_outputs_have_a_place(Submission(made.jobs, [outgoing])))

    there = place / "some" / f"{made.plan.shard(key)}.npz"
    compute_here(made, key).rename(there)
    receipt = project.root / made.plan.path("shards", key)
    large_output.write_receipt(there, f"file://{there}", receipt)
    check_shard(receipt, key)

    assert key not in FeatureRun.look(project, "some", "chtc").plan.missing
    assert large_output.content_of(receipt) == there
    content = there.read_bytes()
    there.write_bytes(content[:-1] + b"x")
    with pytest.raises(DataError, match="not what its job made"):
        large_output.content_of(receipt)
    there.unlink()
    assert key in FeatureRun.look(project, "some", "chtc").plan.missing
    with pytest.raises(DataError, match="join the shards on the access point"):
        large_output.content_of(receipt)


def test_a_folder_for_large_outputs_that_cannot_be_written_stops_a_submission(wide, tmp_path):
    (tmp_path / "file").write_text("")
    jobs = replace(wide.jobs, large_outputs=f"file://{tmp_path}/file/some")
    outgoing = [replace(wide.outgoing(key), large_mb=1.0) for key in wide.plan.missing]

    found = list(files.large_outputs_have_a_place(Submission(jobs, outgoing)))

    assert len(found) == 1
    assert f"{tmp_path}/file/some: large outputs cannot be stored" in found[0].wrong
    assert "large_outputs: {url: file:///FOLDER}" in found[0].remedy


@pytest.mark.parametrize(
    ("staging", "url", "place"),
    [
        ("/staging/b/bucky", "", "file:///staging/b/bucky/anisweep"),
        ("/home/bucky", "", ""),
        ("/home/bucky", "osdf:///chtc/staging/b/bucky/", "osdf:///chtc/staging/b/bucky"),
    ],
)
def test_large_outputs_go_below_staging_without_being_told(staging, url, place):
    site = Site(staging=staging, large_outputs=SiteLargeOutputs(url=url))

    assert place_of_large_outputs(site) == place


def test_jobs_that_leave_large_outputs_in_staging_need_machines_that_see_it(wide):
    jobs = replace(wide.jobs, large_outputs="file:///staging/b/bucky/anisweep/some")

    assert "HasCHTCStaging" in jobs.requirements
    assert "HasCHTCStaging" not in wide.jobs.requirements


@pytest.fixture
def wide(run, project) -> FeatureRun:
    """A run whose shards are sums for a fit."""
    every = frames(40)
    for atoms in every:
        atoms.info["energy"] = float(len(atoms))
    write(project.root / "some.xyz", every)
    asked = ASKED.replace("features.npz", "model.json") + "fit: {}\n"
    project.features_file("some").write_text(asked)
    return FeatureRun.read("some", "chtc")


def compute_here(run: FeatureRun, key: str) -> Path:
    """Compute a shard as its job does, and return its file."""
    run.plan.write()
    run.split([key])
    shard = run.plan.project.root / run.plan.path("shards", key)
    compute(Path(run.plan.path("jobs", key)), Path(run.plan.path("pieces", key)), shard, lambda _: None)
    return shard


def replace_section(site: Site, above_mb: float) -> Site:
    return site.model_copy(update={"large_outputs": SiteLargeOutputs(above_mb=above_mb)})


def classad2_ad():
    from classad2 import ClassAd

    return ClassAd({"Microarch": "x86_64-v4"})
