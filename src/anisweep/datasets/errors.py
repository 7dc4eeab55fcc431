"""Define the error that is raised if data cannot be used."""

from __future__ import annotations

from dataclasses import dataclass


class DataError(ValueError):
    """Raised for data that cannot be used: it says what is wrong, where, what is allowed, what to do.

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
    """Name a frame of a file, counted from 0, in errors."""

    file: str
    frame: int

    def error(self, part: str, came: str, allowed: str, remedy: str) -> DataError:
        """Return the error about one part of the frame, for example ``array c_q``."""
        return DataError(f"{self.file}, frame {self.frame}, {part}", came, allowed, remedy)
