"""
From atoms to dynamics
======================

Liquid benzene, first atom by atom, then with one disc for each molecule. LAMMPS makes the data, three
commands make a model of them, and the discs move with it: in RigidBodies, and in LAMMPS itself.
:doc:`The how-to </how-to/from-atoms-to-dynamics>` says more about each step, and about data of your own.
"""

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import ase.io
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.patches import Circle, Ellipse
from scipy.spatial.transform import Rotation

import anisweep
from anisweep.dynamics import LammpsBodies, Langevin, RigidBodies, pair_correlations, start_lammps
from anisweep.models import load

folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
folder.mkdir(exist_ok=True)

# %%
# Atoms
# -----
#
# The molecule is that of OPLS-AA (Jorgensen and Severance, J. Am. Chem. Soc. 112, 4768, 1990; Jorgensen,
# Maxwell and Tirado-Rives, ibid. 118, 11225, 1996): six carbons and six hydrogens with charges of -0.115 and
# 0.115. It is rigid, so that steps of 4 fs are small enough.

turns = np.arange(6) * np.pi / 3
ring = np.column_stack([np.cos(turns), np.sin(turns), np.zeros(6)])
sites = np.vstack([1.40 * ring, 2.48 * ring])
kinds = 6 * ["1"] + 6 * ["2"]
charges = 6 * ["-0.115"] + 6 * ["0.115"]


def section(name, lines):
    return f"{name}\n\n" + "".join(f"{number} {line}\n" for number, line in enumerate(lines, start=1))


parts = [
    "# benzene\n\n12 atoms\n",
    section("Coords", [f"{x} {y} {z}" for x, y, z in sites]),
    section("Types", kinds),
    section("Charges", charges),
]
_ = (folder / "benzene.molecule").write_text("\n".join(parts))

# %%
# Sixty-four of them are placed on a lattice, pressed to the density of the liquid, and kept at 300 K for
# 16 ps. A frame is written every 160 fs: id, molecule, mass, place and force of each atom.

liquid = f"""
units real
atom_style full
pair_style lj/cut/coul/dsf 0.2 8.0
pair_modify mix geometric

lattice sc 7.0 origin 0.5 0.5 0.5
region all block 0 4 0 4 0 4
create_box 2 all
mass 1 12.011
mass 2 1.008
pair_coeff 1 1 0.07 3.55
pair_coeff 2 2 0.03 2.42
molecule benzene "{folder}/benzene.molecule"
create_atoms 0 box mol benzene 1
neigh_modify exclude molecule/intra all

timestep 4
velocity all create 300 1
fix move all rigid/nvt/small molecule temp 300 300 200 reinit no
fix press all deform 20 x final 0 21.18 y final 0 21.18 z final 0 21.18 units box
run 1000
unfix press
run 750

dump learn all custom 40 "{folder}/learn.dump" id mol mass x y z fx fy fz
dump_modify learn sort id format float %.8g
run 2400
undump learn
dump test all custom 40 "{folder}/test.dump" id mol mass x y z fx fy fz
dump_modify test sort id format float %.8g
run 800
"""
atoms = start_lammps()
atoms.commands_string(liquid)
atoms.close()

# %%
# A model of discs
# ----------------


def run(command):
    """Run a command in the folder, and show what it says."""
    print("$", command)
    done = subprocess.run(
        shlex.split(command), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    print(done.stdout)
    done.check_returncode()


# %%
# Each molecule becomes a particle: centre of mass, orientation, net force, torque, mass and moments.

run("anisweep coarsen learn.dump -o learn.xyz --units real --names benzene")
run("anisweep coarsen test.dump -o test.xyz --units real --names benzene")

# %%
# Weights of the power spectrum are learned from forces and torques; there are no energies. Errors are those
# of frames that the fit has not seen. Most of what is left depends on how the hydrogens are turned about the
# disc's axis, which no disc can know.

run(
    "anisweep fit learn.xyz -o model.json --max-radial 4 --radial-gaussian-width 1.2 "
    "--cutoff-radius 8 --cutoff-smoothing 1.5 --unit kcal/mol"
)
run("anisweep evaluate model.json test.xyz -o parity.png")

# %%
# Dynamics
# --------
#
# RigidBodies moves two boxes at a time, from two frames. Masses and moments of inertia are those of the
# molecules.

model = load(folder / "model.json")
frames = anisweep.read_particles(folder / "learn.xyz")
bath = Langevin(temperature=300, damping=500)

bodies = RigidBodies(model, [frames[0], frames[-1]], seed=1)
bodies.draw_velocities(300)
bodies.run(400, 4.0, bath)

rigid = []
for _ in range(80):
    bodies.run(20, 4.0, bath)
    rigid += bodies.frames()

# %%
# LAMMPS moves one box, with the same model in ``fix external``.

program = LammpsBodies(model, frames[0])
program.command("""
    velocity all create 300 1
    fix move all nve/asphere
    fix bath all langevin 300 300 500 1 angmom 3.333
    timestep 4
    run 400
""")

lammps = []
for _ in range(80):
    program.command("run 20")
    lammps.append(program.frame())

# %%
# The structure of the liquid is that of the atoms, though the model has seen no more than forces and torques.

edges = np.arange(3.0, 10.1, 0.25)
distances = (edges[:-1] + edges[1:]) / 2
frames += anisweep.read_particles(folder / "test.xyz")
runs = {"all atoms": frames, "discs, RigidBodies": rigid, "discs, LAMMPS": lammps}
g = {name: pair_correlations(of, edges)[0] for name, of in runs.items()}

for name, values in g.items():
    apart = np.abs(values - g["all atoms"])[distances > 4].mean()
    print(
        f"{name:20} highest {values.max():.2f} at {distances[values.argmax()]:.1f} A, mean |dg| {apart:.3f}"
    )

# %%
# The figure shows a slice of the last frame, as atoms and as discs, and g(r) of the centres.

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10.5, 3.4), layout="constrained")
frame = frames[-1]
edge = frame.cell[0, 0]
centres = frame.positions % edge
nearest = np.flatnonzero(centres[:, 2] < 7)


def draw(axes, patches, depths, colours):
    """Draw patches in the plane of the page, the nearest last."""
    order = np.argsort(depths)
    ordered = [patches[place] for place in order]
    axes.add_collection(
        PatchCollection(ordered, facecolors=np.array(colours)[order], edgecolors="#24292f", linewidths=0.5)
    )
    axes.set(xlim=(0, edge), ylim=(0, edge), aspect="equal", xticks=[], yticks=[])


last = ase.io.read(folder / "test.dump", index=-1, format="lammps-dump-text")
away = last.positions.reshape(len(frame), 12, 3) - centres[:, None]
away -= edge * np.round(away / edge)
places = (centres[:, None] + away)[nearest].reshape(-1, 3)
colours = np.tile(6 * ["#57606a"] + 6 * ["#eaeef2"], len(nearest))
radii = np.tile(6 * [1.4] + 6 * [1.0], len(nearest))
circles = [Circle(place[:2], radius) for place, radius in zip(places, radii, strict=True)]
draw(left, circles, places[:, 2], colours)

ellipses, tilts = [], []
for particle in nearest:
    body = Rotation.from_quat(frame.arrays["c_q"][particle], scalar_first=True).as_matrix()
    outline = (body * np.array([3.4, 3.4, 1.7]) ** 2 @ body.T)[:2, :2]
    lengths, directions = np.linalg.eigh(outline)
    angle = np.degrees(np.arctan2(directions[1, 0], directions[0, 0]))
    ellipses.append(Ellipse(centres[particle, :2], *(2 * np.sqrt(lengths)), angle=angle))
    tilts.append(abs(body[2, 2]))
draw(middle, ellipses, centres[nearest, 2], plt.get_cmap("Blues")(0.3 + 0.5 * np.array(tilts)))

for (name, values), style in zip(g.items(), ("k-", "C0-", "C1--"), strict=True):
    right.plot(distances, values, style, linewidth=2, label=name)
right.axhline(1, color="#8c959f", linewidth=0.8, zorder=0)
right.set(xlabel="distance of centres (Å)", ylabel="g(r)")
right.spines[["top", "right"]].set_visible(False)
right.legend(frameon=False)

left.set_title("768 atoms")
middle.set_title("64 discs")
right.set_title("structure of the liquid")
figure.savefig(folder / "dynamics.png", dpi=150)
plt.show()
