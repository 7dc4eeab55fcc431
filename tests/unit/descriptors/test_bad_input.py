"""Bad frames are named: place, value, what is allowed."""

import re

import numpy as np
import pytest
from frames_for_tests import projection, random_frame

from anisweep.descriptors import BadInput
from anisweep.descriptors import projection as module
from anisweep.descriptors.frames import covering


def with_array(name, value, particle=1):
    frame = random_frame(particles=3)
    frame.arrays[name][particle] = value
    return frame


def with_flawed_cell():
    frame = random_frame()
    frame.cell.array[1, 1] = np.inf
    return frame


FRAMES = [
    (lambda: with_array("c_q", 0.0), "frame 1, particle 1: c_q is a quaternion of length zero"),
    (lambda: with_array("c_q", np.nan), "frame 1, particle 1: c_q is not finite"),
    (lambda: with_array("positions", np.inf), "frame 1, particle 1: positions is not finite"),
    (lambda: with_array("positions", 1e300), "particle 1: positions is .* over 1e\\+09 Angstrom"),
    (lambda: with_array("positions", np.nan), "frame 1, particle 1: positions is not finite"),
    (with_flawed_cell, "frame 1: its cell is not finite"),
    (lambda: with_array("c_q", 1e160), "frame 1, particle 1: c_q is .* over 1e100"),
    (lambda: with_array("c_diameter[2]", 1e200), r"particle 1: c_diameter\[2\] is .* over 1e\+09 Angstrom"),
    (lambda: with_array("c_diameter[2]", 0.0), r"frame 1, particle 1: c_diameter\[2\] is not positive"),
    (lambda: with_array("c_diameter[3]", np.nan), r"frame 1, particle 1: c_diameter\[3\] is not finite"),
]


@pytest.mark.parametrize(("make", "message"), FRAMES)
def test_the_particle_is_named(make, message):
    with pytest.raises(BadInput, match=message):
        projection().power_spectrum([random_frame(), make()])


def test_a_missing_array_is_named_with_those_that_are_there():
    frame = random_frame()
    del frame.arrays["c_diameter[2]"]

    message = r"frame at index 1 is missing a required attribute 'c_diameter\[2\]': it has c_diameter\[1\], "
    with pytest.raises(BadInput, match=message):
        projection().power_spectrum([random_frame(), frame])


def test_an_array_of_the_wrong_shape_is_named():
    frame = random_frame(particles=3)
    frame.arrays["c_q"] = np.ones((3, 3))

    with pytest.raises(BadInput, match=r"frame 1: array c_q has shape \(3, 3\), not \(3, 4\)"):
        projection().power_spectrum([random_frame(), frame])


def test_an_array_that_belongs_to_another_frame_or_lies_across_is_named():
    """The sizes add up: what is wrong would end in other particles' numbers."""
    frames = [random_frame(particles=2), random_frame(particles=3)]
    for frame, other in ((0, 3), (1, 2)):
        frames[frame].arrays["c_diameter[1]"] = np.ones(other)
    across = random_frame(particles=5)
    across.arrays["c_q"] = across.arrays["c_q"].T

    with pytest.raises(BadInput, match=r"frame 0: array c_diameter\[1\] has shape \(3,\), not \(2,\)"):
        projection().power_spectrum(frames)
    with pytest.raises(BadInput, match=r"frame 0: array c_q has shape \(4, 5\), not \(5, 4\)"):
        projection().power_spectrum([across])


@pytest.mark.parametrize("name", ["positions", "numbers", "c_q", "c_diameter[2]"])
def test_what_is_masked_is_never_shown(name):
    frame = random_frame(particles=3)
    plain = frame.arrays[name]
    mask = np.zeros(plain.shape, dtype=bool)

    frame.arrays[name] = np.ma.array(plain, mask=mask)
    whole = projection().power_spectrum([frame])
    frame.arrays[name] = plain
    assert (whole == projection().power_spectrum([frame])).all()

    mask[1] = True
    frame.arrays[name] = np.ma.array(plain, mask=mask)
    with pytest.raises(BadInput, match=rf"frame 1: array {re.escape(name)} is masked at \[1"):
        projection().power_spectrum([random_frame(), frame])


@pytest.mark.parametrize("numbers", [[1.0, 1.7], [1.0, np.nan], ["1", "H"]])
def test_species_that_are_no_integers_are_named(numbers):
    frame = random_frame(particles=2)
    frame.arrays["numbers"] = np.array(numbers)

    with pytest.raises(BadInput, match=r"frame 0: array numbers does not hold numbers .*Cannot cast"):
        projection().power_spectrum([frame])


def test_complex_numbers_are_not_cut_to_their_real_parts():
    frame = random_frame(particles=2)
    frame.arrays["c_q"] = frame.arrays["c_q"] * 1j

    with pytest.raises(BadInput, match=r"frame 0: array c_q does not hold numbers .*Cannot cast"):
        projection().power_spectrum([frame])


def test_a_later_frame_that_is_none_is_named():
    with pytest.raises(BadInput, match=r"frame 1 must be an ase\.Atoms, and is None"):
        projection().power_spectrum([random_frame(), None])


def test_an_empty_frame_needs_no_orientations():
    empty = random_frame(0)
    del empty.arrays["c_q"]
    with pytest.warns(UserWarning, match="Frame 0 does not have rotations stored"):
        assert not projection().power_spectrum([empty, random_frame()])[0].any()


def test_missing_orientations_of_many_frames_are_one_warning_with_what_there_is(monkeypatch):
    frames = [random_frame(2, seed=seed) for seed in range(4)]
    for frame in frames[1:]:
        del frame.arrays["c_q"]

    with pytest.warns(UserWarning, match="Frame 1 does not have rotations") as warned:
        projection().power_spectrum(frames)
    assert len(warned) == 1
    assert "no array 'c_q' among numbers, positions, c_diameter[1]" in str(warned[0].message)
    assert str(warned[0].message).endswith("as those of 2 more frames.")

    monkeypatch.setattr(module, "AT_A_TIME", 2)
    with pytest.warns(UserWarning, match="Frame 1 does not have rotations") as warned:
        projection().power_spectrum(frames)
    assert len(warned) == 1


def test_a_name_that_ase_has_changed_is_explained():
    frame = random_frame()
    frame.arrays["c_diameter2"] = frame.arrays.pop("c_diameter[2]")
    with pytest.raises(BadInput, match=r"reader drops brackets: .*\.pop\('c_diameter2'\)"):
        projection().power_spectrum([frame])


def test_a_species_beyond_32_bits_has_features_and_no_label():
    frame = random_frame()
    frame.numbers[:] = 2**31

    assert projection().describe([frame]).neighbours.tolist() == [2**31]
    with pytest.raises(
        BadInput, match=r"species 2147483648 is no label of a TensorMap\. Allowed: .* 2147483647"
    ):
        projection().transform([frame])


def test_species_are_integers_and_pairs_are_some():
    with pytest.raises(BadInput, match=r"species must be integers, not \[1\.7\]"):
        projection().describe([random_frame()], species=[1.7])
    with pytest.raises(BadInput, match="no pairs of species are given"):
        projection().describe([random_frame()]).of_pairs([])


@pytest.mark.parametrize("wrong", ["crystals.xyz", None, 3, [None], [[random_frame()]]])
def test_what_is_no_frame_is_named(wrong):
    with pytest.raises(BadInput, match=r"frame 0 must be an ase\.Atoms, and is .*ase\.io\.read"):
        projection().power_spectrum(wrong)


def test_text_is_no_number():
    frame = random_frame(particles=2)
    frame.arrays["c_q"] = np.array([["a"] * 4] * 2)

    with pytest.raises(BadInput, match="frame 0: array c_q does not hold numbers"):
        projection().power_spectrum([frame])


def test_a_flat_or_tiny_cell_is_named():
    flat, tiny = random_frame(), random_frame(particles=1)
    flat.set_cell([[5, 0, 0], [10, 0, 0], [0, 0, 5]])
    tiny.set_cell(np.eye(3) * 0.01)

    with pytest.raises(BadInput, match="frame 1: it is periodic, but its cell vectors span no volume"):
        projection().power_spectrum([random_frame(), flat])
    with pytest.raises(BadInput, match="frame 0: over ten million images"):
        projection().power_spectrum([tiny])
    for pbc in ([1, 0, 0], [1, 1, 0]):  # in metres
        wire = random_frame(particles=2)
        wire.set_cell(np.diag([5e-10, 20, 20]))
        wire.set_pbc(pbc)
        with pytest.raises(BadInput, match="frame 0: over ten million images"):
            projection().power_spectrum([wire])


def test_a_matrix_that_is_no_rotation_is_named():
    frame = random_frame(particles=2)
    frame.set_array("axes", np.array([np.eye(3), -np.eye(3)]))

    with pytest.raises(BadInput, match="frame 0, particle 1: axes is no rotation matrix"):
        projection(rotation_key="axes", rotation_type="matrix").power_spectrum([frame])


def test_an_output_that_does_not_exist_is_refused():
    with pytest.raises(
        BadInput, match="output must be one of coefficients, power_spectrum, pair_features, not 'spectrum'"
    ):
        projection().describe([random_frame()], "spectrum")


def test_no_frames():
    with pytest.raises(BadInput, match="no frames"):
        projection().power_spectrum([])


def test_missing_orientations_warn_and_leave_the_axes_unturned():
    frame = random_frame()
    frame.arrays["c_q"][:] = [1, 0, 0, 0]
    bare = frame.copy()
    del bare.arrays["c_q"]

    frames = [frame, bare]
    with pytest.warns(UserWarning, match=r"Frame 1 does not have rotations stored.*along x, y and z"):
        result = projection().power_spectrum(frames)
    assert np.array_equal(result[0], result[1])
    assert frames[1] is bare
    assert "c_q" not in bare.arrays


def test_unsigned_species_do_not_become_negative():
    frame = random_frame(particles=3)
    frame.arrays["numbers"] = np.array([1, 2, 2**64 - 1], dtype=np.uint64)

    with pytest.raises(BadInput, match="array numbers has 18446744073709551615, above 9223372036854775807"):
        projection().power_spectrum([random_frame(), frame])


def test_unsigned_species_that_fit_are_species():
    frame = random_frame(particles=3)
    expected = projection().power_spectrum([frame])
    frame.arrays["numbers"] = frame.numbers.astype(np.uint64)

    np.testing.assert_array_equal(projection().power_spectrum([frame]), expected)


def test_given_species_that_are_too_large_are_refused():
    with pytest.raises(BadInput, match="species must be between"):
        covering([1, 2**63], np.array([1]))
