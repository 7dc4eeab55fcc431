"""LAMMPS moves particles as `RigidBodies` does, and as their energy says."""

from __future__ import annotations

import numpy as np
import pytest
from ase import units
from models_for_dynamics import lattice, model
from scipy.spatial.transform import Rotation

from anisweep.descriptors import BadInput
from anisweep.dynamics import LammpsBodies, RigidBodies, solid_ellipsoid
from tests.conformance.real_lammps import start


@pytest.fixture(autouse=True)
def _lammps():
    start().close()


def turns(frame):
    return Rotation.from_quat(frame.arrays["c_q"], scalar_first=True)


@pytest.mark.parametrize("species", [(1,), (1, 2)])
@pytest.mark.parametrize("hand", [1, -1])
def test_from_rest_both_go_the_same_way(species, hand):
    learned, frame = model(species), lattice(species=species)
    frame.cell *= hand
    frame.positions[0] += frame.cell[0] - 2 * frame.cell[2]
    inertia = solid_ellipsoid(78.0, [2.0, 3.0, 1.0])

    program = LammpsBodies(learned, frame, inertia=inertia)
    program.command("fix move all nve/asphere\n timestep 0.001\n run 60")
    bodies = RigidBodies(learned, [frame], inertia=inertia)
    bodies.run(60, 1.0)

    theirs, ours = program.frame(), bodies.frames()[0]
    assert np.abs(theirs.positions - ours.positions).max() < 1e-6
    assert (turns(theirs) * turns(ours).inv()).magnitude().max() < 1e-5
    assert np.abs(ours.positions - frame.positions).max() > 0.1
    assert (turns(ours) * turns(frame).inv()).magnitude().max() > 0.02
    assert np.abs(theirs.cell.array - frame.cell.array).max() < 1e-12


def test_a_frame_is_as_it_is_now_also_where_nothing_has_run():
    frame = lattice()
    frame.info["energy"] = 3.0
    program = LammpsBodies(model(), frame)
    assert (turns(program.frame()) * turns(frame).inv()).magnitude().max() < 1e-12
    assert "energy" not in program.frame().info

    before = program.frame().positions
    program.command("displace_atoms all move 1 0 0 units box")
    moved = np.linalg.norm(program.frame().positions - before, axis=1)
    assert np.abs(moved - 1).max() < 1e-12


def test_an_error_of_the_model_ends_the_run():
    program = LammpsBodies(model(), lattice())
    program.command("fix move all nve/asphere\n velocity all set 1e12 0 0")
    with pytest.raises(BadInput, match="LAMMPS lost particles"):
        program.command("run 5")


def test_moments_that_no_ellipsoid_has_are_refused():
    with pytest.raises(BadInput, match="frame 0, particle 0: no solid ellipsoid has the moments"):
        LammpsBodies(model(), lattice(), inertia=[1.0, 1.0, 9.0])


def test_the_energy_changes_by_a_quarter_where_the_step_is_half():
    """So forces and torques are derivatives of the energy; the cell is triclinic."""

    def drift(step):
        program = LammpsBodies(model(), lattice())
        program.command("fix move all nve/asphere\n velocity all create 300 1 dist gaussian")
        program.command(f"compute turning all erotate/asphere\n timestep {step / 1000}")
        energies = []
        for _ in range(30):
            program.command(f"run {round(10 / step)}")
            known = program.lammps.get_thermo("pe") + program.lammps.get_thermo("ke")
            energies.append(known + float(program.lammps.extract_compute("turning", 0, 0)))
        return np.ptp(energies)

    changes = [drift(step) for step in (2.0, 1.0, 0.5)]
    assert 3.5 <= changes[0] / changes[1] <= 4.5
    assert 3.5 <= changes[1] / changes[2] <= 4.5


def test_lammps_knows_the_pressure():
    learned, frame = model(), lattice()
    program = LammpsBodies(learned, frame)
    program.command("run 0")

    _, derivatives = learned.compute([frame])
    expected = -np.trace(derivatives.strain[0]) / 3 / frame.get_volume() / units.bar
    assert abs(program.lammps.get_thermo("press") / expected - 1) < 1e-6


def test_a_slab_moves_and_a_cell_without_volume_is_refused():
    learned, frame = model(), lattice()
    frame.pbc, frame.cell[2] = (True, True, False), 0
    program, bodies = LammpsBodies(learned, frame), RigidBodies(learned, [frame])
    program.command("fix move all nve/asphere\n run 20")
    bodies.run(20, 1.0)
    assert np.abs(program.frame().positions - bodies.frames()[0].positions).max() < 1e-6

    frame.pbc = True
    with pytest.raises(BadInput, match=r"frame 0: its cell .* spans no volume"):
        LammpsBodies(learned, frame)
