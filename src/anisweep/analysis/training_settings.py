"""Say, for each set of training data, which switches of training to take, and which not.

It reads studies of the task ``training``. Compared with plain training, a switch is good when the errors on
frames that were held out are at most a tenth larger. Of the good ones the fastest is to be taken. What is
not good, or slower than plain training, is a pitfall.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from anisweep.tables.names import with_names
from anisweep.tables.summary import PROBLEM

TASK = "training"
PLAIN = f"{TASK}.plain"

#: Of plain training, that a good switch may have.
LARGEST_ERROR = 1.1

ERRORS = {"energies": "result_energy_error", "forces": "result_force_error", "torques": "result_torque_error"}


@dataclass(frozen=True)
class TrainingSetting:
    """Compare a switch of training with plain training on the same data.

    Attributes
    ----------
    time : of an epoch, over that of plain training
    errors : on frames that were held out, over those of plain training, by what is learned
    take : whether it is the fastest of the good ones
    """

    system: str
    series: str
    time: float
    errors: dict[str, float]
    take: bool
    artifacts: tuple[str, ...]

    @property
    def pitfalls(self) -> tuple[str, ...]:
        """Return in words what speaks against it."""
        slower = [f"{self.time - 1:.0%} slower"] if self.time > 1 else []
        worse = [
            f"{what} {error - 1:.0%} worse" for what, error in self.errors.items() if error > LARGEST_ERROR
        ]
        return (*slower, *worse)


def training_settings(cells: pd.DataFrame) -> list[TrainingSetting]:
    """Return the switches of each problem, the fastest first.

    Parameters
    ----------
    cells : what `anisweep.tables` gives; of other tasks nothing is returned
    """
    if not set(ERRORS.values()) <= set(cells.columns):
        return []

    rows = cells[(cells["output"] == TASK) & (cells["role"] == "cell") & (cells["status"] == "ok")]
    trained = with_names(rows.dropna(subset=list(ERRORS.values())))
    return [
        setting
        for _, lines in trained.groupby(PROBLEM, sort=False)
        if PLAIN in set(lines["mode"])
        for setting in _of_a_problem(lines)
    ]


def _of_a_problem(lines: pd.DataFrame) -> list[TrainingSetting]:
    numbers = lines.groupby("series", sort=False)[["wall_s", *ERRORS.values()]].median()
    plain = numbers.loc[lines.loc[lines["mode"] == PLAIN, "series"].iloc[0]]
    ratios = (numbers / plain).sort_values("wall_s")

    good = ratios[(ratios[list(ERRORS.values())] <= LARGEST_ERROR).all(axis=1)]
    return [
        TrainingSetting(
            system=str(lines["system"].iloc[0]),
            series=str(series),
            time=float(ratio["wall_s"]),
            errors={what: float(ratio[column]) for what, column in ERRORS.items()},
            take=series == good.index[0],
            artifacts=tuple(sorted(set(lines.loc[lines["series"] == series, "artifact"]))),
        )
        for series, ratio in ratios.iterrows()
    ]
