"""A cell of a user's file is compared with the cutoff of the study, not with the usual one alone."""

import pytest

from anisweep.config.load import load_config
from anisweep.datasets import DataError
from anisweep.plan import make_plan

STUDY = """
question: Is the cell large enough?
replicates: 1
datasets:
  small: {file: small.xyz, diameters: [3, 3, 1]}
modes: [numpy_only]
"""
XYZ = '1\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3 pbc="T T T"\nC 0 0 0\n'


@pytest.fixture
def planned(project):
    project.study_file("mine").write_text(STUDY)
    (project.root / "small.xyz").write_text(XYZ)

    def planned(cutoffs):
        overrides = {"study": "mine", "hypers": {"cutoff_radius": cutoffs}}
        return make_plan(project, *load_config(project, overrides))

    return planned


def test_a_cell_that_is_too_small_for_one_cutoff_of_a_study_is_refused(planned):
    with pytest.raises(DataError, match=r"small\.xyz, frame 0, cell: .* images within 200 Angstrom"):
        planned([5.0, 200.0])


def test_a_cell_that_is_large_enough_for_all_cutoffs_is_planned(planned):
    assert len(planned([5.0, 9.0]).cells) == 2
