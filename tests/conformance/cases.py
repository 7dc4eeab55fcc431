"""Small canonical frames, and one way to run a mode on them."""

import numpy as np
from ase import Atoms

from anisweep import modes
from anisweep.cell import Hypers
from anisweep.worker.clock import Clock, Silent

DIAMETERS = (3.0, 3.0, 1.0)
SPECIES = [1, 6, 7, 8]

#: Modes that compute on every machine, in any interpreter.
ON_CPU = [name for name in modes.names() if "cpu" in modes.devices(name) and not modes.environment(name)]


def canonical(atoms, quaternions, diameters=DIAMETERS):
    """Give a frame the arrays that modes read."""
    atoms.set_array("c_q", np.asarray(quaternions, dtype=float))
    for axis, diameter in enumerate(diameters, start=1):
        atoms.set_array(f"c_diameter[{axis}]", np.full(len(atoms), diameter))
    return atoms


def random_frames(species=1, frames=2, particles=6, seed=0):
    """Dense periodic frames of a skew cell, each with all of ``species`` species."""
    generator = np.random.default_rng(seed)
    numbers = [SPECIES[k % species] for k in range(particles)]
    made = []

    for _ in range(frames):
        cell = np.diag(generator.uniform(5.0, 7.0, 3)) + generator.uniform(-0.8, 0.8, (3, 3))
        scaled = generator.uniform(0, 1, (particles, 3))
        atoms = Atoms(numbers, scaled_positions=scaled, cell=cell, pbc=True)

        quaternions = generator.normal(size=(particles, 4))
        quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
        made.append(canonical(atoms, quaternions))

    return made


def ragged_frames(species):
    """Frames in which species, and neighbours of some species, are missing here and there."""
    frames = random_frames(species, frames=1, particles=5, seed=3)

    quaternion = [0.5, 0.5, -0.5, 0.5]
    alone = Atoms([SPECIES[0]], positions=[[1.0, 2.0, 3.0]])
    apart = Atoms(SPECIES[:species], positions=[[30.0 * k, 0.3 * k, 0.1] for k in range(species)])
    row = Atoms(SPECIES[:species], positions=[[2.6 * k, 0.3, 0.1 * k] for k in range(species)])

    frames += [canonical(atoms, [quaternion] * len(atoms)) for atoms in (alone, row, apart)]
    return frames


def run(mode, frames, output="coefficients", precision="fp64", clock=None, **hypers):
    """One full computation by a mode."""
    module = modes.load(mode)
    calculator = module.prepare(Hypers(**hypers), output, precision, "cpu")
    return module.compute(calculator, frames, Silent() if clock is None else clock)


def traced(mode, frames, output="coefficients", **hypers):
    """The clock of one computation."""
    clock = Clock()
    run(mode, frames, output, clock=clock, **hypers)
    return clock


def flat(result):
    """All numbers of a result, in one row."""
    if isinstance(result, np.ndarray):
        return result.ravel()
    return np.concatenate([block.values.ravel() for block in result])


def relative_error(result, reference):
    """max |difference| / max |reference|."""
    result, reference = flat(result), flat(reference)
    assert result.shape == reference.shape
    return np.abs(result - reference).max() / np.abs(reference).max()
