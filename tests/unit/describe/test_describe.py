"""What `anisweep describe` writes is what the library computes, whatever was killed or divided."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ase.io
import metatensor
import numpy as np
import pytest

from anisweep.datasets import DIAMETERS, DataError
from anisweep.describe import Progress, Request, Shard, describe, merge, run
from anisweep.descriptors import EllipsoidalDensityProjection, tensormap


def silent(progress: Progress) -> None:
    pass


def described(request: Request, output: Path) -> dict[str, Any]:
    assert describe(request, output, 1, silent)
    with np.load(output) as there:
        return dict(there)


def by_the_library(request: Request) -> Any:
    """The same without files."""
    frames = ase.io.read(request.file, ":")
    for frame in frames:
        frame.arrays["c_q"] = frame.arrays["turned"]
        for name, widths in zip(DIAMETERS, frame.arrays["widths"].T, strict=True):
            frame.arrays[name] = widths.copy()

    projection = EllipsoidalDensityProjection(
        **vars(request.hypers), rotation_key="c_q", cutoff_smoothing=request.cutoff_smoothing
    )
    return projection.describe(frames, request.output, request.per_centre)


VARIANTS = [
    {},
    {"per_centre": False},
    {"output": "coefficients"},
    {"output": "coefficients", "per_centre": False},
    {"cutoff_smoothing": 1.5},
]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_numbers_and_labels_are_the_library_s(request_, tmp_path, variant):
    request = replace(request_, **variant)
    there, expected = described(request, tmp_path / "out.npz"), by_the_library(request)

    for name in ("frame", "centre", "species", "neighbours", "columns", "values"):
        assert np.array_equal(there[name], getattr(expected, name)), name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.npz", "some.xyz"]


def test_the_provenance_says_all_that_was_asked_for(request_, tmp_path):
    origin = json.loads(str(described(request_, tmp_path / "out.npz")["provenance"]))

    assert origin["file"] == "some.xyz"
    assert origin["hypers"] == vars(request_.hypers)
    assert (origin["orientations"], origin["diameters"]) == ("turned", "widths")
    assert origin["cutoff_smoothing"] is None
    assert len(origin["sha256"]) == len(origin["code"]) == 64
    assert set(origin["versions"]) == {"anisweep", "ase", "numpy", "python"}


def test_pairs_are_the_chosen_columns(request_, tmp_path):
    some = described(replace(request_, pairs=(("C", "H"), ("O", "O"))), tmp_path / "some.npz")
    every = described(request_, tmp_path / "every.npz")

    columns = every["columns"]
    chosen = [
        (a, b) in ((6, 1), (8, 8)) for a, b in zip(columns["species_a"], columns["species_b"], strict=True)
    ]
    assert 0 < sum(chosen) < len(chosen)
    assert np.array_equal(some["columns"], columns[chosen])
    assert np.array_equal(some["values"], every["values"][:, chosen])


@pytest.mark.parametrize("ending", ["npz", "mts"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_shards_merge_into_the_bytes_of_the_whole(request_, tmp_path, variant, ending):
    request = replace(request_, **variant)
    described(request, whole := tmp_path / f"whole.{ending}")
    shards = [tmp_path / f"{number}.npz" for number in (2, 3, 1)]
    for shard in shards:
        described(replace(request, shard=Shard(int(shard.stem), 3)), shard)

    merge(shards, merged := tmp_path / f"merged.{ending}")
    assert merged.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("per_centre", [True, False])
def test_threads_do_not_change_a_byte(request_, tmp_path, per_centre):
    request = replace(request_, per_centre=per_centre)
    for threads in (1, 2):
        describe(request, tmp_path / f"{threads}.npz", threads, silent)
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()


class Killed(BaseException):
    pass


@pytest.mark.parametrize("after", [1, 3, 5])
def test_what_a_killed_run_had_finished_is_not_computed_again(request_, tmp_path, monkeypatch, after):
    told = []

    def dying(progress: Progress) -> None:
        told.append(progress)
        if len(told) == after:
            raise Killed

    with pytest.raises(Killed):
        describe(request_, tmp_path / "out.npz", 1, dying)
    assert not (tmp_path / "out.npz").exists()

    read = []
    really = run.particles
    monkeypatch.setattr(run, "particles", lambda *where: read.append(where[1:]) or really(*where))
    assert describe(request_, tmp_path / "out.npz", 1, told.append)

    assert read == [(7 * after, 40)]
    assert told[after] == Progress(7 * after, min(7 * after + 7, 40), 40)
    describe(request_, tmp_path / "fresh.npz", 1, silent)
    assert (tmp_path / "out.npz").read_bytes() == (tmp_path / "fresh.npz").read_bytes()


def test_finished_parts_need_no_room_a_second_time(request_, tmp_path, monkeypatch):
    def dying(progress: Progress) -> None:
        if progress.done > 34:
            raise Killed

    with pytest.raises(Killed):
        describe(request_, tmp_path / "out.npz", 1, dying)

    describe(request_, tmp_path / "whole.npz", 1, silent)
    output = np.load(tmp_path / "whole.npz")["values"].nbytes

    def free(bytes_):
        monkeypatch.setattr(run.shutil, "disk_usage", lambda folder: SimpleNamespace(free=bytes_))

    free(output)
    with pytest.raises(DataError, match="MB are needed"):
        describe(request_, tmp_path / "out.npz", 1, silent)
    free(1.2 * output)
    assert describe(request_, tmp_path / "out.npz", 1, silent)


def test_a_part_that_is_damaged_or_of_another_request_is_computed_again(request_, tmp_path):
    def dying(progress: Progress) -> None:
        if progress.done == 21:
            raise Killed

    other = replace(request_, per_centre=False)
    for request in (other, request_):
        with pytest.raises(Killed):
            describe(request, tmp_path / "out.npz", 1, dying)

    (parts,) = tmp_path.glob(".out.npz.parts")
    assert sorted(path.name for path in parts.glob("*-*.npz")) == ["0-7.npz", "14-21.npz", "7-14.npz"]
    half = (parts / "7-14.npz").read_bytes()
    (parts / "7-14.npz").write_bytes(half[: len(half) // 2])

    found = []
    describe(request_, tmp_path / "out.npz", 1, lambda progress: found.append(progress.found))
    assert set(found) == {14}
    describe(request_, tmp_path / "fresh.npz", 1, silent)
    assert (tmp_path / "out.npz").read_bytes() == (tmp_path / "fresh.npz").read_bytes()


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes() or b"x")
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def with_fewer_labels(path: Path) -> None:
    """The shape of an array in its header, which no checksum need see."""
    path.write_bytes(path.read_bytes().replace(b"'shape': (", b"'shape':  ", 1))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def of_another_name(path: Path) -> None:
    others = sorted(other for other in path.parent.glob("*.npz*") if other != path)
    path.write_bytes(others[0].read_bytes())


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "harm", [flipped, with_fewer_labels, emptied, of_another_name, a_folder, a_pipe, Path.unlink]
)
@pytest.mark.parametrize(
    "name", ["survey.npz", "survey.npz.sha256", "7-14.npz", "7-14.npz.sha256", "key", "lock"]
)
def test_no_damaged_file_of_an_unfinished_output_is_believed(request_, tmp_path, name, harm):
    def dying(progress: Progress) -> None:
        if progress.done == 21:
            raise Killed

    describe(request_, tmp_path / "fresh.npz", 1, silent)
    with pytest.raises(Killed):
        describe(request_, tmp_path / "out.npz", 1, dying)
    harm(tmp_path / ".out.npz.parts" / name)

    describe(request_, tmp_path / "out.npz", 1, silent)
    assert (tmp_path / "out.npz").read_bytes() == (tmp_path / "fresh.npz").read_bytes()


def test_a_file_that_changes_meanwhile_is_refused(request_, tmp_path):
    def appending(progress: Progress) -> None:
        with request_.file.open("a") as stream:
            stream.write("\n")

    with pytest.raises(DataError, match="it changed while it was read"):
        describe(request_, tmp_path / "out.npz", 1, appending)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["some.xyz"]


def test_two_runs_for_one_output_keep_out_of_each_other_s_way(request_, tmp_path):
    def beginning_another(progress: Progress) -> None:
        with pytest.raises(DataError, match="another run is making this output"):
            describe(request_, tmp_path / "out.npz", 1, silent)

    assert describe(request_, tmp_path / "out.npz", 1, beginning_another)


def test_an_output_that_is_there_is_neither_made_again_nor_overwritten(request_, tmp_path):
    described(request_, tmp_path / "out.npz")
    before = (tmp_path / "out.npz").read_bytes()

    assert not describe(request_, tmp_path / "out.npz", 1, silent)
    for other in ({"per_centre": False}, {"cutoff_smoothing": 1.5}):
        with pytest.raises(DataError, match=r"out\.npz: it is there already, of another file, other options"):
            describe(replace(request_, **other), tmp_path / "out.npz", 1, silent)
    assert (tmp_path / "out.npz").read_bytes() == before


def test_metatensor_reads_what_the_library_gives(request_, tmp_path):
    for output in ("power_spectrum", "coefficients"):
        request = replace(request_, output=output)
        describe(request, tmp_path / f"{output}.mts", 1, silent)
        expected = by_the_library(request)
        labelled = getattr(tensormap, output)(expected)

        there = metatensor.load(tmp_path / f"{output}.mts")
        assert metatensor.equal_metadata(there, labelled)
        assert metatensor.allclose(there, labelled, rtol=0, atol=1e-14 * np.abs(expected.values).max())


def test_shards_that_do_not_belong_together_are_refused(request_, tmp_path):
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    described(replace(request_, shard=Shard(1, 3)), one)
    described(replace(request_, shard=Shard(2, 3)), two)
    described(replace(request_, shard=Shard(2, 3), per_centre=False), averaged := tmp_path / "averaged.npz")
    described(replace(request_, shard=Shard(2, 3), cutoff_smoothing=1.5), smooth := tmp_path / "smooth.npz")
    shutil.copy(two, again := tmp_path / "again.npz")

    def refused(shards: list[Path], message: str) -> None:
        with pytest.raises(DataError, match=message):
            merge(shards, tmp_path / "merged.npz")
        assert not (tmp_path / "merged.npz").exists()

    refused([one, two], "of 3 shards these are missing: 3.*--shard 3/3")
    refused([one, two, again], r"again\.npz: it is shard 2, and so is .*two\.npz")
    refused([one, two, two], r"two\.npz: it is named twice")
    refused([one, smooth], r"smooth\.npz: its cutoff_smoothing differs from that of .*one\.npz")
    refused([one, averaged], r"averaged\.npz: its per_centre differs from that of .*one\.npz")
    refused([one, request_.file], r"some\.xyz: it is no file of features")

    described(request_, whole := tmp_path / "whole.mts")
    refused([one, whole], r"whole\.mts: it is in metatensor's format.*shards in \.npz")
    with pytest.raises(DataError, match=r"three\.mts: it is to hold one of several shards.*three\.npz"):
        described(replace(request_, shard=Shard(3, 3)), tmp_path / "three.mts")

    middle = bytearray(two.read_bytes())
    middle[-3000] ^= 1
    two.write_bytes(middle)
    described(replace(request_, shard=Shard(3, 3)), three := tmp_path / "three.npz")
    refused([one, two, three], r"two\.npz: it cannot be read .*CRC")
