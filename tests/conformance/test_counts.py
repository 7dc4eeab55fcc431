"""What is called how often, and on which clock it shows."""

from importlib import import_module
from itertools import product
from time import perf_counter, sleep

import numpy as np
import pytest
from ase.neighborlist import neighbor_list
from cases import ON_CPU, random_frames, run, traced

from anisweep import modes
from anisweep.cell import Hypers
from anisweep.worker.clock import Clock

package = pytest.importorskip("anisoap.representations.ellipsoidal_density_projection", reason="no anisoap")
featomic = pytest.importorskip("featomic", reason="no featomic")
torch = pytest.importorskip("torch", reason="no torch")

PER_PAIR = ["numpy_only", "torch_mixed", "torch_full"]

#: The modes that call the published package.
ON_THE_PACKAGE = [*PER_PAIR, "torch_batched"]
CUTOFF = 4.0


def pair_count(frames):
    """Ordered pairs within the cutoff and self-pairs, not counted by the package."""
    return sum(len(neighbor_list("i", frame, CUTOFF)) + len(frame) for frame in frames)


@pytest.mark.parametrize(("mode", "species", "lmax"), list(product(PER_PAIR, [1, 2, 3], [2, 6])))
def test_coefficients_take_exactly_the_published_number_of_contractions(mode, species, lmax):
    frames = random_frames(species)
    counts = traced(mode, frames, max_angular=lmax, cutoff_radius=CUTOFF).counts

    assert counts["contraction"] == pair_count(frames) * (lmax + 1) + species**2 * (lmax + 1)
    assert counts["gaussians"] == counts["moments"] == pair_count(frames)


@pytest.mark.parametrize(("mode", "lmax"), list(product(PER_PAIR, [2, 6])))
def test_the_power_spectrum_takes_exactly_the_published_number_of_contractions(mode, lmax):
    frames = random_frames()
    counts = traced(mode, frames, "power_spectrum", max_angular=lmax, cutoff_radius=CUTOFF).counts

    in_pairs = pair_count(frames) * (lmax + 1)
    in_spectrum = (lmax + 1) + (lmax + 1) ** 2
    assert counts["contraction"] == in_pairs + in_spectrum + (lmax + 1)


def test_torch_batched_contracts_once_per_block_and_l():
    counts = traced("torch_batched", random_frames(species=2), max_angular=6, cutoff_radius=CUTOFF).counts

    assert counts["contraction"] == 4 * 7 + 4 * 7


@pytest.mark.parametrize("mode", PER_PAIR)
@pytest.mark.parametrize(
    ("count", "pairs", "spectrum", "coefficients"),
    [
        (50, 668, 4_739, 4_683),
        (200, 2_527, 17_752, 17_696),
    ],
)
def test_the_numbers_of_the_study_on_its_own_data(real_frames, mode, count, pairs, spectrum, coefficients):
    frames = real_frames[:count]
    of_spectrum = traced(mode, frames, "power_spectrum").counts
    of_coefficients = traced(mode, frames).counts

    assert of_spectrum["moments"] == of_coefficients["moments"] == pairs
    assert of_spectrum["contraction"] == spectrum
    assert of_coefficients["contraction"] == coefficients


@pytest.mark.parametrize(("count", "pairs"), [(50, 586), (200, 2_206)])
def test_the_pairs_of_the_study_without_self_pairs(real_frames, count, pairs):
    counts = traced("numpy_only", real_frames[:count], subtract_center_contribution=True).counts

    assert counts["moments"] == pairs


def spy(monkeypatch, owner, name):
    """Count the calls of ``owner.name``; returns the list of their first arguments."""
    calls = []
    function = getattr(owner, name)

    def spied(*args, **kwargs):
        calls.append(args[0])
        return function(*args, **kwargs)

    monkeypatch.setattr(owner, name, spied)
    return calls


def test_in_torch_mixed_every_contraction_is_torchs_and_none_numpys(monkeypatch):
    frames = random_frames()
    expected = traced("numpy_only", frames, "power_spectrum").counts["contraction"]

    of_numpy = spy(monkeypatch, np, "einsum")
    of_torch = spy(monkeypatch, torch, "einsum")
    run("torch_mixed", frames, "power_spectrum")

    assert len(of_torch) == expected
    assert len(of_numpy) == 0


@pytest.mark.parametrize("mode", ["torch_full", "torch_batched"])
def test_tensors_are_made_once_per_block_of_the_neighbour_list(monkeypatch, mode):
    frames = random_frames(species=2)
    module = modes.load(mode)
    calculator = module.prepare(Hypers(), "coefficients", "fp64", "cpu")

    made = [spy(monkeypatch, torch, name) for name in ("from_numpy", "tensor", "as_tensor", "asarray")]
    of_numpy = spy(monkeypatch, np, "einsum")
    clock = Clock()
    module.compute(calculator, frames, clock)

    blocks = 2**2
    of_numbers = [data for calls in made for data in calls if np.asarray(data).dtype.kind == "f"]
    assert len(of_numbers) == blocks
    assert clock.counts["conv_in"] == blocks

    # One result block per centre species and l.
    assert clock.counts["conv_out"] == 2 * 7
    assert len(of_numpy) == 0


@pytest.mark.parametrize(
    ("mode", "module"),
    [
        ("torch_mixed", "_mixed"),
        ("torch_full", "_tensors"),
        ("torch_batched", "_tensors"),
    ],
)
def test_a_sleep_in_the_converter_shows_in_conv_in(monkeypatch, mode, module):
    frames = random_frames(frames=1, particles=2)
    owner = import_module(f"anisweep.modes.{module}")
    convert = owner._into_torch

    def sleepy(*args):
        sleep(0.005)
        return convert(*args)

    before = traced(mode, frames, cutoff_radius=2.0)
    monkeypatch.setattr(owner, "_into_torch", sleepy)
    after = traced(mode, frames, cutoff_radius=2.0)

    assert after.counts == before.counts
    assert after.seconds["conv_in"] >= 0.005 * after.counts["conv_in"]


@pytest.mark.parametrize(("mode", "output"), list(product(ON_CPU, ["coefficients", "power_spectrum"])))
def test_the_stages_explain_the_wall_time(mode, output):
    frames = random_frames(frames=8)
    shares = []

    # The best of three, since anything may interrupt a process between two stages.
    for _ in range(3):
        clock = Clock()
        module = modes.load(mode)
        calculator = module.prepare(Hypers(), output, "fp64", "cpu")

        start = perf_counter()
        module.compute(calculator, frames, clock)
        shares.append(sum(clock.seconds.values()) / (perf_counter() - start))

    assert 0.95 <= max(shares) <= 1


@pytest.mark.parametrize("mode", ON_THE_PACKAGE)
def test_the_package_is_as_it_was_after_a_call_that_fails(monkeypatch, mode):
    def fail(*args):
        raise ZeroDivisionError

    monkeypatch.setattr(package, "compute_moments", fail)
    before = (np.einsum, featomic.NeighborList.compute, dict(vars(package)))

    with pytest.raises(ZeroDivisionError):
        traced(mode, random_frames())

    assert (np.einsum, featomic.NeighborList.compute, dict(vars(package))) == before
    assert "compute" not in vars(featomic.NeighborList)


def test_a_silent_clock_leaves_the_published_package_untouched(monkeypatch):
    published = (np.einsum, package.compute_moments, package.pairwise_ellip_expansion)
    seen = []
    sum_neighbours = package.contract_pairwise_feat

    def look(*args, **kwargs):
        seen.append((np.einsum, package.compute_moments, package.pairwise_ellip_expansion))
        return sum_neighbours(*args, **kwargs)

    monkeypatch.setattr(package, "contract_pairwise_feat", look)
    run("numpy_only", random_frames())

    assert seen == [published]
