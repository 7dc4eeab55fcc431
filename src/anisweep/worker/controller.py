"""Know the run that started this process, so that none goes on when the run has ended."""

from __future__ import annotations

import os

import psutil


class ControllerGone(RuntimeError):
    """Raised when the run that this process belongs to has ended; so does the process."""


def controller_of_this() -> psutil.Process | None:
    """Return the run that this process must not outlive; None for one started by hand."""
    pid = os.environ.get("ANISWEEP_CONTROLLER", "")
    if not pid:
        return None

    try:
        return psutil.Process(int(pid))
    except psutil.NoSuchProcess as error:
        raise ControllerGone("the run that started this job has ended") from error


def has_ended(process: psutil.Process) -> bool:
    """Return True if a process has ended, also when nobody has waited for it yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
