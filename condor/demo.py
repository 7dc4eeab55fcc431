"""Run `make demo-pool`: the whole workflow on one machine, with a controller that is killed on the way.

An ordinary user runs the study `tiny` through `--profile chtc` on a real pool; the controller is killed
with -9 while packs run; the same command finds them again; the report is fetched.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from condor.pool import Pool, User, why_not
from condor.pool.image import BASE, IMAGES, image_binds, small_image

PROJECT = Path(__file__).resolve().parents[1]

COMMAND = ("snakemake", "--profile", "chtc", "--config", "study=tiny")

SITE = f"""\
netid: ada
staging: {IMAGES}
image: {{small: true, base: {BASE}}}
"""

#: A safety net and never a measure.
PATIENCE_S = 300


def main() -> None:
    """Start a pool, demonstrate a run on it, and stop it."""
    reason = why_not()
    if reason:
        sys.exit(f"The demonstration needs a pool of its own, and there can be none here: {reason}.")

    say("Starting a pool: an access point and two execute points, which share nothing but a network.")
    pool = Pool.start("demo", user=User("ada", "/home/ada"), binds=image_binds())
    try:
        demonstrate(pool)
    finally:
        pool.stop()
        say("The pool is stopped; nothing of it is left.")


def demonstrate(pool: Pool) -> None:
    """Run, kill, run again, count, fetch."""
    show(pool, "condor_status", "-af", "Machine", "Cpus", "Memory")
    say(f"The image of the worker: {small_image(pool)}")
    clone = clone_for_the_user(pool)

    say("Ada runs the study, and after the first pack has started somebody kills her controller with -9.")
    run_and_kill(pool, clone)
    show(pool, "anisweep", "status", clone=clone)

    say("She types the same command again.")
    show(pool, *COMMAND, clone=clone)
    count(clone)

    say("And once more: there is nothing left to do.")
    show(pool, *COMMAND, clone=clone)

    say("The report comes to this folder, where no HTCondor is needed for it.")
    here = [str(PROJECT / ".venv" / "bin" / "anisweep"), "fetch", str(clone)]
    subprocess.run(here, check=True)
    subprocess.run(["snakemake", "--profile", "local", "report", *COMMAND[3:]], cwd=PROJECT, check=True)


def clone_for_the_user(pool: Pool) -> Path:
    """Copy this tree to the user's home, with the site filled in."""
    clone = pool.home / "anisweep"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=PROJECT, capture_output=True, text=True, check=True).stdout

    for name in filter(None, names.split("\0")):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT / name, clone / name, follow_symlinks=False)

    (clone / "condor" / "site.yaml").write_text(SITE)
    pool.give(clone)
    return clone


def run_and_kill(pool: Pool, clone: Path) -> None:
    """Start the run; kill it when HTCondor says that a pack runs."""
    announce(COMMAND)
    controller = subprocess.Popen(as_ada(pool, COMMAND, clone), start_new_session=True)
    end = time.monotonic() + PATIENCE_S

    while not executions(clone):
        if controller.poll() is not None or time.monotonic() > end:
            sys.exit("The run ended before a pack had started; what it said above is the reason.")
        time.sleep(0.2)

    holder = json.loads((clone / "results" / ".anisweep" / "controller.lock").read_text())
    say(f"kill -9 {holder['pid']}")
    pool.on("ap", "kill", "-9", str(holder["pid"]))
    controller.wait()


def count(clone: Path) -> None:
    """Print what HTCondor's own log says of each pack."""
    times = executions(clone)
    submissions = len(list(clone.glob("results/batches/[!.]*/batch.json")))
    said = ", ".join(f"{pack} {number} time{'s' if number > 1 else ''}" for pack, number in times.items())
    say(f"Submissions: {submissions}. Executed: {said}.")


def executions(clone: Path) -> Counter[str]:
    """Return how often each pack was started, from the event logs."""
    counts: Counter[str] = Counter()

    for file in clone.glob("results/batches/[!.]*/batch.json"):
        names = [entry["name"] for entry in json.loads(file.read_text())["entries"]]
        log = file.with_name("events.log")
        text = log.read_text() if log.exists() else ""
        counts.update(names[int(job)] for job in re.findall(r"^001 \(\d+\.(\d+)\.", text, re.MULTILINE))
    return counts


def show(pool: Pool, *command: str, clone: Path | None = None) -> None:
    """Run a command as the user, with what it says."""
    announce(command)
    subprocess.run(as_ada(pool, command, clone), stdin=subprocess.DEVNULL, check=True)


def as_ada(pool: Pool, command: tuple[str, ...], clone: Path | None) -> list[str]:
    """Return a command as the user Ada runs it on the access point."""
    cwd = f"{pool.user.home}/{clone.name}" if clone else ""
    code = f"{cwd}/src:{cwd}/condor/executor"
    return pool.as_user(*command, cwd=cwd, PYTHONPATH=code, PYTHONWARNINGS="ignore::FutureWarning")


def announce(command: tuple[str, ...]) -> None:
    """Print a command as it is typed."""
    print(f"\nada@ap$ {' '.join(command)}", flush=True)


def say(words: str) -> None:
    """Print what happens next."""
    print(f"\n--- {words}", flush=True)


if __name__ == "__main__":
    main()
