"""The error that a user meets when data cannot be used."""

from __future__ import annotations

from dataclasses import dataclass


class DataError(ValueError):
    """What is wrong with a data file, where, what is allowed, and what to do next.

    Attributes
    ----------
    where : file, and frame, array or line when they are known
    came : what was found
    allowed : what would have been right
    remedy : the next step
    """

    def __init__(self, where: str, came: str, allowed: str, remedy: str) -> None:
        self.where = where
        self.came = came
        self.allowed = allowed
        self.remedy = remedy
        super().__init__(f"{where}: {came}. Allowed: {allowed}. What to do: {remedy}.")


@dataclass(frozen=True)
class Place:
    """A frame of a file, counted from 0, as errors name it."""

    file: str
    frame: int

    def error(self, part: str, came: str, allowed: str, remedy: str) -> DataError:
        """The error about one part of the frame, for example ``array c_q``."""
        return DataError(f"{self.file}, frame {self.frame}, {part}", came, allowed, remedy)
