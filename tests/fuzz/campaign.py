"""Trying many inputs on one reader, in a process of their own that is watched from outside."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

#: What one input may take: of the processor; of the clock, on a machine that others use; and of memory.
MOST_SECONDS = 10.0
LONGEST_WAIT = 60.0
MOST_BYTES = 2 * 2**30

#: Where inputs go that found a fault.
FOUND = Path("build") / "fuzz"


@dataclass(frozen=True)
class Input:
    """What is given to a reader.

    Attributes
    ----------
    content : of the file, or the arguments of a command
    right : what the reader must give; None where only its manners are known
    """

    content: bytes
    right: Any = None


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes
    ----------
    make : an input from a generator of random numbers
    check : gives it to the reader, in a folder to work in; whatever it raises is a fault
    """

    name: str
    make: Callable[[random.Random], Input]
    check: Callable[[Input, Path], None]

    def input(self, seed: int, number: int) -> Input:
        """The input of a number; the same for ever."""
        return self.make(random.Random(f"{self.name} {seed} {number}"))


@dataclass(frozen=True)
class Fault:
    """An input that a reader did not stand, and what was seen."""

    target: str
    seed: int
    number: int
    seen: str

    @property
    def again(self) -> str:
        """The command that tries it again."""
        return f"PYTHONPATH=tests python -m fuzz {self.target} --seed {self.seed} --number {self.number}"


@dataclass
class Campaign:
    """What came of trying one reader."""

    tried: int = 0
    faults: list[Fault] = field(default_factory=list)


def run(target: Target, seed: int, seconds: float, most_faults: int = 20) -> Campaign:
    """Try inputs for so many seconds, or until so many were faults."""
    campaign = Campaign()
    end = time.monotonic() + seconds

    while time.monotonic() < end and len(campaign.faults) < most_faults:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            _watch(target, seed, Path(folder), end, campaign, most_faults)
    return campaign


def _watch(target: Target, seed: int, folder: Path, end: float, campaign: Campaign, most_faults: int) -> None:
    """Follow a process that tries one input after the other, until it is time or it has to be stopped."""
    forking = multiprocessing.get_context("fork")
    here, there = forking.Pipe(duplex=False)
    worker = forking.Process(target=_work, args=(target, seed, campaign.tried, folder, there))
    worker.start()
    there.close()

    try:
        while _answers(here, psutil.Process(worker.pid)):
            number, seen = here.recv()
            if seen:
                campaign.faults.append(Fault(target.name, seed, number, seen))
            campaign.tried = number + 1
            if time.monotonic() > end or len(campaign.faults) >= most_faults:
                return
        campaign.faults.append(Fault(target.name, seed, campaign.tried, "it does not end"))
        campaign.tried += 1
    except EOFError:
        worker.join()
        campaign.faults.append(Fault(target.name, seed, campaign.tried, f"it ended: {worker.exitcode}"))
        campaign.tried += 1
    finally:
        worker.kill()
        worker.join()


def _answers(here: Connection, worker: psutil.Process) -> bool:
    """Whether a word comes before the input has taken too long."""
    begun, used = time.monotonic(), sum(worker.cpu_times()[:2])

    while not here.poll(0.5):
        waited = time.monotonic() - begun
        if waited > LONGEST_WAIT or sum(worker.cpu_times()[:2]) - used > MOST_SECONDS:
            return False
    return True


def _work(target: Target, seed: int, first: int, folder: Path, told: Connection) -> None:
    limit_memory()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)

    for number in itertools.count(first):
        told.send((number, seen_of(target, target.input(seed, number), folder)))


def seen_of(target: Target, given: Input, folder: Path) -> str:
    """What is wrong with the reader's answer; empty when nothing is."""
    try:
        target.check(given, folder)
    except BaseException:
        return traceback.format_exc()
    return ""


def limit_memory() -> None:
    """Allow so much beyond what is there already."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if sys.platform == "linux" else 0
    allowed = pages * resource.getpagesize() + MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (allowed, resource.getrlimit(resource.RLIMIT_AS)[1]))


def keep(fault: Fault, given: Input, folder: Path = FOUND) -> Path:
    """Write down an input that found a fault, and beside it what was seen and how to try it again."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{fault.target}-{fault.seed}-{fault.number}.input"
    file.write_bytes(given.content)
    file.with_suffix(".txt").write_text(f"{fault.again}\n\n{fault.seen}\n")
    return file
