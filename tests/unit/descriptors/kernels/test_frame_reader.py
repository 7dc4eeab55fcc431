"""What the kernels' reader copies is what NumPy would have copied; the rest is left to NumPy."""

import pickle
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest
from ase import Atoms
from frames_for_tests import projection, random_frame
from scipy.spatial.transform import Rotation

from anisweep.descriptors import BadInput
from anisweep.descriptors import projection as module
from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.frames import gather, survey
from anisweep.descriptors.kernels import frame_reader

needs_layout = pytest.mark.skipif(
    not frame_reader.KNOWN_LAYOUT, reason="a layout of arrays that the reader lacks"
)


def test_it_is_in_use_where_it_can_be():
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    assert gil == frame_reader.KNOWN_LAYOUT
    assert not gil or reads(some_frames())


def some_frames():
    frames = [random_frame(n, species=(8, 1, 200), seed=n) for n in (1, 5, 0, 3)]
    frames[1].pbc = [True, False, True]
    for frame in frames:
        frame.arrays["c_mat"] = Rotation.random(len(frame), random_state=0).as_matrix().reshape(-1, 3, 3)
    return frames


def reads(frames, key="c_q"):
    """Whether the reader takes the frames, and does not leave them to NumPy."""
    counts = np.array([len(frame) for frame in frames])
    return frame_reader.read(
        frames, key, FrameArrays.empty("matrix" if key == "c_mat" else "quaternion", counts, 0)
    )


def gathered(frames, key="c_q", kind="quaternion"):
    return gather(frames, survey(frames)[0], key, kind)


def both_ways(frames, key, kind, monkeypatch):
    """The arrays by the reader, and by NumPy."""
    one = gathered(frames, key, kind)
    with monkeypatch.context() as patch:
        patch.setattr(frame_reader, "KNOWN_LAYOUT", False)
        other = gathered(frames, key, kind)
    return one, other


@needs_layout
@pytest.mark.parametrize(("key", "kind"), [("c_q", "quaternion"), ("c_mat", "matrix")])
def test_it_copies_what_numpy_copies(key, kind, monkeypatch):
    frames = some_frames()
    assert reads(frames, key)

    one, other = both_ways(frames, key, kind, monkeypatch)
    for field in fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))
        assert np.asarray(getattr(one, field.name)).dtype == np.asarray(getattr(other, field.name)).dtype


@needs_layout
def test_frames_of_another_process_are_read():
    """Their arrays have types of their own, not NumPy's one object."""
    assert reads(pickle.loads(pickle.dumps(some_frames())))


def every_second(array):
    return np.repeat(array, 2, axis=0)[::2]


UNUSUAL = {
    "strided": every_second,
    "by columns": np.asfortranarray,
    "big-endian": lambda array: array.astype(array.dtype.newbyteorder()),
    "single precision": lambda array: array.astype(np.float32),
    "a list": np.ndarray.tolist,
    "a subclass": lambda array: array.view(np.recarray),
}


@needs_layout
@pytest.mark.parametrize("unusual", UNUSUAL)
def test_other_arrays_are_left_to_numpy(unusual, monkeypatch):
    frames = some_frames()
    expected = gathered(frames).positions
    frames[1].arrays["positions"] = UNUSUAL[unusual](frames[1].arrays["positions"])

    assert not reads(frames)
    positions = gathered(frames).positions
    assert np.abs(positions - expected).max() < (1e-6 if unusual == "single precision" else 1e-300)


@needs_layout
@pytest.mark.parametrize("species", [[-1], [256], [2**40]])
def test_species_beyond_all_elements_are_counted(species):
    frames = some_frames()
    assert survey(frames)[1].tolist() == [1, 8, 200]

    frames[0].numbers[:] = species
    counts, found = survey(frames)
    assert counts.tolist() == [1, 5, 0, 3]
    assert found.tolist() == sorted([1, 8, 200, *species])


@needs_layout
@pytest.mark.parametrize("wrong", ["no frame", "no dictionary", "no array", "no cell"])
def test_what_is_no_frame_leaves_no_error_behind(wrong):
    frames = some_frames()
    if wrong == "no frame":
        frames[2] = None
    if wrong == "no dictionary":
        frames[2].arrays = [1, 2]
    if wrong == "no array":
        del frames[2].arrays["c_q"]
    if wrong == "no cell":
        frames[2]._cellobj = None

    counts = np.array([1, 5, 0, 3])
    assert not frame_reader.read(frames, "c_q", FrameArrays.empty("quaternion", counts, 0))
    assert frame_reader.survey(frames, counts, np.zeros(256, dtype=bool)) == (
        wrong in ("no array", "no cell")
    )


class Interrupted(Atoms):
    """Whose periodicity is asked for while the user presses Ctrl-C, or memory runs out."""

    error: type[BaseException]

    @property
    def pbc(self):
        raise self.error

    @pbc.setter
    def pbc(self, value):
        self._pbc = value


@needs_layout
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interruption_is_not_taken_for_a_frame_that_is_not_as_expected(error):
    frame = Interrupted(random_frame())
    frame.arrays.update(random_frame().arrays)
    frame.error = error

    with pytest.raises(error):
        reads([frame])


def test_frames_that_change_meanwhile_are_refused(monkeypatch):
    """Between counting and reading another thread may run."""
    frames = [random_frame(3, (8, 1)), random_frame(2, (8,))]
    for counted in ([8], [1, 6]):
        seen = (np.array([3, 2]), np.array(counted))
        monkeypatch.setattr(module, "survey", lambda frames, first, seen=seen: seen)
        with pytest.raises(BadInput, match=r"the species of the frames changed .* describe copies"):
            projection().describe(frames)

    with pytest.raises(BadInput, match="2 frames came where 1 were counted: describe a copy of the list"):
        gather(frames, np.array([3]), "c_q", "quaternion")


def test_it_keeps_no_references():
    frames = [*some_frames(), some_frames()[1], some_frames()[1]]
    frames[4].arrays["positions"] = every_second(frames[4].positions)
    frames[5]._cellobj = None
    objects = [frames[1], frames[1].arrays, *frames[1].arrays.values(), frames[1].cell, frames[1].pbc]
    before = [sys.getrefcount(thing) for thing in objects]

    for _ in range(10):
        gathered(frames[:4])
        reads(frames)
        reads(frames[5:])
    assert [sys.getrefcount(thing) for thing in objects] == before


NO_ROOM = """
import resource
from ase import Atoms
from frames_for_tests import projection, random_frame

frame = random_frame(40)
describe = projection(threads=64).describe
projection(threads=1).describe(frame)  # whatever else takes memory at its first use has it now
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**25,) * 2)
describe(frame)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="not Linux")
def test_threads_that_the_system_does_not_start_are_an_error(request):
    done = subprocess.run(
        [sys.executable, "-c", NO_ROOM], cwd=request.path.parents[1], capture_output=True, text=True
    )
    assert "NoThreads: the system started no more threads: ask for fewer" in done.stderr


def test_blocks_that_threads_share_change_no_bit():
    frames = [random_frame(n, seed=n) for n in (30, 2, 17, 90, 1, 25)]
    expected = projection().describe(frames, per_centre=True).values

    for threads in (2, 3, 7, 40):
        assert (projection(threads=threads).describe(frames, per_centre=True).values == expected).all()
