"""A sweep of twelve short packs to which people and machines do things in a random order.

Whatever the order: no run waits for ever, exit statuses say what the rows say, nothing is lost, nothing is
measured twice, and nothing stays in the queue.
"""

from __future__ import annotations

import errno
import os
import pty
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread

from jobs import PATIENCE_S, wait_for
from sweep import PLANTED, Sweep, program

from anisweep.artifacts import reading
from condor.pool import Pool

PACKS = 12

#: How often something happens to a sweep, and the longest wait before each.
MOST_ACTIONS = 6
LONGEST_WAIT_S = 5.0

#: A second controller says this and ends.
REFUSED = "Another run is measuring"

#: After the last action people run the same command again, so often at most.
MOST_RUNS = 4


@dataclass
class Controller:
    """A Snakemake on a terminal of its own.

    Attributes
    ----------
    sound : how many packs had sound artifacts, with good rows only, when it ended
    disturbed : whether somebody ended it
    """

    sweep: Sweep
    process: subprocess.Popen[bytes]
    terminal: int
    said: str = ""
    sound: int = -1
    disturbed: bool = False
    _thread: Thread = field(init=False)

    @classmethod
    def start(cls, sweep: Sweep) -> Controller:
        """Start the sweep's command; what it says is read as it comes."""
        ours, its = pty.openpty()
        code = {"PYTHONPATH": f"{sweep.there}/src:{sweep.there}/condor/executor", "OMP_NUM_THREADS": "1"}
        command = ["snakemake", "--profile", "chtc", "--config", "study=campaign", "retry=True"]

        assert sweep.pool is not None
        process = subprocess.Popen(
            sweep.pool.as_user(*command, "--", "measure", cwd=sweep.there, **code),
            stdin=subprocess.DEVNULL,
            stdout=its,
            stderr=its,
            start_new_session=True,
        )
        os.close(its)
        made = cls(sweep, process, ours)
        made._thread = Thread(target=made._follow, daemon=True)
        made._thread.start()
        return made

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the user's own process, if it still runs."""
        with suppress(ValueError, LookupError):
            program(self.process).send_signal(number)
            self.disturbed = True

    def loses_its_terminal(self) -> None:
        """From now on whatever it says is an error."""
        terminal, self.terminal = self.terminal, -1
        if terminal >= 0:
            os.close(terminal)

    def wait(self) -> None:
        """Until it has ended.

        Raises
        ------
        AssertionError
            when it waits for ever
        """
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), f"a controller does not end:\n{self.said}"

    def check(self) -> None:
        """Its exit status says what the rows said when it ended."""
        if self.disturbed or REFUSED in self.said:
            return
        complete = self.sound == PACKS
        assert (self.process.returncode == 0) == complete, (
            f"status {self.process.returncode} with {self.sound} of {PACKS} packs measured:\n{self.said}"
        )

    def _follow(self) -> None:
        while self.terminal >= 0:
            try:
                self.said += os.read(self.terminal, 4096).decode(errors="replace")
            except OSError:  # closed, by us or by its end
                break

        self.process.wait()
        self.sound = len(sound(self.sweep))


@dataclass
class Story:
    """One sweep, and what has happened to it so far."""

    sweep: Sweep
    chance: random.Random
    controllers: list[Controller] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        self.controllers.append(Controller.start(self.sweep))

    def look(self) -> None:
        """Remember the artifacts that are there: they must stay as they are."""
        self.seen |= self.sweep.digests()

    def command(self, *command: str) -> None:
        """Run a command of the user's, whatever becomes of it but a traceback."""
        assert self.sweep.pool is not None
        code = {"PYTHONPATH": f"{self.sweep.there}/src:{self.sweep.there}/condor/executor"}
        done = self.sweep.pool.run(*command, cwd=self.sweep.there, timeout=PATIENCE_S, **code)
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr

    def job(self) -> str:
        """Any job in the queue, as HTCondor's commands take it; empty when there is none."""
        jobs = [line.split()[0] for line in self.sweep.queue()]
        return self.chance.choice(jobs) if jobs else ""

    def running(self) -> list[Controller]:
        return [each for each in self.controllers if each.runs]


def sound(sweep: Sweep) -> set[str]:
    """The packs whose artifacts hold good rows only."""
    found = set()

    for artifact in sweep.artifacts.glob("[!.]*.tar.gz"):
        contents = reading.read(artifact)
        if {row.status for row in contents.rows} == {"ok"}:
            found |= {cell.key for cell in contents.pack.cells}
    return found


# --- what may happen ------------------------------------------------------------------------------------


def cancel(story: Story) -> None:
    """Cancel one pack that is under way, or all."""
    packs = sorted(file.stem for file in story.sweep.root.glob("results/packs/*.json"))
    story.command("anisweep", "cancel", story.chance.choice([*packs, "--all"]))


def hold(story: Story) -> None:
    _condor(story, "condor_hold")


def release(story: Story) -> None:
    _condor(story, "condor_release")


def remove(story: Story) -> None:
    _condor(story, "condor_rm")


def kill(story: Story) -> None:
    """kill -9 of every controller."""
    for each in story.running():
        each.signal(signal.SIGKILL)


def terminate(story: Story) -> None:
    for each in story.running():
        each.signal(signal.SIGTERM)


def terminal_gone(story: Story) -> None:
    for each in story.running():
        each.loses_its_terminal()


def schedd_restarts(story: Story) -> None:
    """End the schedd at once, as after a fault; the master starts it again."""
    assert story.sweep.pool is not None
    story.sweep.pool.on("ap", "condor_restart", "-fast", "-schedd")


def another_controller(story: Story) -> None:
    story.start()


def bulk(story: Story) -> None:
    """Submit without a controller; that is refused while one runs."""
    story.command("anisweep", "submit", "study=campaign")


def look_at_it(story: Story) -> None:
    story.command("anisweep", "status")


def clean(story: Story) -> None:
    """Refused while somebody measures. The access point of the pool has no make of its own."""
    command = ["make", "--no-print-directory", "clean"]
    done = subprocess.run(command, cwd=story.sweep.root, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr


def move(story: Story) -> None:
    """Move it elsewhere, where its user asks how it stands, and back."""
    here = story.sweep
    elsewhere = here.root.with_name(f"{here.root.name} moved")
    here.root.rename(elsewhere)

    try:
        story.sweep = replace(here, root=elsewhere)
        story.command("anisweep", "status")
    finally:
        wait_for(
            lambda: _moved_back(elsewhere, here.root), "something is made at the old place again and again"
        )
        story.sweep = here
    story.command("anisweep", "status")


def _left(root: Path) -> list[Path]:
    """The folders that the old place was moved to when it was in the way, as `anisweep status` says."""
    return sorted(root.parent.glob(f"{root.name}.left*"))


def _moved_back(elsewhere: Path, root: Path) -> bool:
    """Move a folder back, unless something has come to be at its old place just now."""
    _clear(root)

    try:
        elsewhere.rename(root)
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
        return False
    return True


def _clear(root: Path) -> None:
    """Move aside what jobs and their controller have written at the old place; remove what Python has.

    A controller that runs when its folder moves knows the old place by its whole path: so it writes artifacts
    and Snakemake's own records, and Python the modules that it has compiled. Nothing else may be made there.
    """
    made = [str(file.relative_to(root)) for file in root.rglob("*") if not file.is_dir()]
    work = [name for name in made if name.startswith(("results/", ".snakemake/"))]
    odd = [name for name in made if name not in work and "__pycache__" not in name]
    assert not odd, f"made where the sweep is no more: {odd}"

    if work:
        number = len(_left(root)) + 1
        root.rename(root.with_name(f"{root.name}.left{number if number > 1 else ''}"))
    else:
        shutil.rmtree(root, ignore_errors=True)


ACTIONS: list[Callable[[Story], None]] = [
    cancel,
    hold,
    release,
    remove,
    kill,
    terminate,
    terminal_gone,
    schedd_restarts,
    another_controller,
    bulk,
    look_at_it,
    clean,
    move,
]


# --- from the first to the last -------------------------------------------------------------------------


def campaign(pool: Pool, seed: int) -> None:
    """One sweep with what happens to it, which the seed decides but for the clock."""
    story = Story(_planted(pool, seed), random.Random(seed))

    try:
        story.start()
        for _ in range(story.chance.randint(3, MOST_ACTIONS)):
            time.sleep(story.chance.uniform(0.0, LONGEST_WAIT_S))
            action = story.chance.choice(ACTIONS)
            story.happened.append(action.__name__)
            action(story)
            story.look()
        _end(story)
    except BaseException as error:
        error.add_note(f"Seed {seed}: {', '.join(story.happened)}")
        raise
    finally:
        for each in story.running():
            each.signal(signal.SIGKILL)
    shutil.rmtree(story.sweep.root)
    for left in _left(story.sweep.root):
        shutil.rmtree(left, ignore_errors=True)


def _end(story: Story) -> None:
    """Nobody disturbs any more, and the same command is run until it is content."""
    sweep = story.sweep

    for _ in range(MOST_RUNS):
        _condor_all(story, "condor_release")
        for each in story.controllers:
            each.wait()
            each.check()
        if len(sound(sweep)) == PACKS and not sweep.queue():
            break
        story.start()

    story.start()
    story.controllers[-1].wait()
    story.controllers[-1].check()
    _check_complete(story)


def _check_complete(story: Story) -> None:
    sweep = story.sweep
    final = sweep.digests()

    assert len(sound(sweep)) == PACKS
    assert sweep.queue() == [], "an orphan is in the queue"
    assert {name: final.get(name) for name in story.seen} == story.seen, "an artifact was lost or changed"
    assert max(sweep.successes().values()) == 1, f"measured twice: {sweep.successes()}"


def _planted(pool: Pool, seed: int) -> Sweep:
    sweep = Sweep.planted(pool, f"campaign_{seed}")
    pool.give(Path(shutil.copy(PLANTED / "campaign.yaml", sweep.root / "config" / "studies")))
    sweep.submits(transfer_wait_s=1)
    return sweep


def _condor(story: Story, command: str) -> None:
    """A command of HTCondor's on one job; it may be gone by then, and the schedd away."""
    job = story.job()
    if job:
        assert story.sweep.pool is not None
        story.sweep.pool.run(command, job)


def _condor_all(story: Story, command: str) -> None:
    assert story.sweep.pool is not None
    story.sweep.queue()  # waits for a schedd that is just starting
    story.sweep.pool.run(command, "-constraint", story.sweep.jobs)
