"""Write what was measured on the pool as JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.pool.acceptance import Submission
from benchmarks.pool.described import Described
from benchmarks.pool.fitted import Fitted
from benchmarks.pool.following import Following
from benchmarks.pool.replay import Replay
from benchmarks.pool.timing import Run

PAGE = """\
# What the executor costs

`make bench-pool` wrote this page on {machine}, whose load was {load} during the runs, though their own packs
only sleep. Figures are medians; all of them are in `results/benchmarks-pool/`.

| question | figure | goal |
|---|---|---|
{lines}

## From the command to the last verified artifact

{packs} packs that sleep two seconds, on four slots of two execute points; {pairs} runs of each, in turn.

| submitted by | whole | until queued | until one runs | while packs run | until complete | until exit | CPU |
|---|---|---|---|---|---|---|---|
{runs}

- *executor*: `snakemake --profile chtc`, with the plan, and every artifact read to its last byte.
- *by hand*: one cluster in the container universe with the same commands in the same image, written by hand.
  It has no plan to make and verifies nothing.
  Both ask for the image once on each machine (`container_is_common = true`).
- *upstream*: the upstream plugin, which needs Snakemake in its image and starts it in each of its jobs.
  Run once.

## Features and fits in shards

{frames} frames of two ellipsoids, with `snakemake --profile chtc features`: max_angular 6, one thread a job,
once for each number of slots. Efficiency is the time on one slot over slots times that on several. With
more slots than cores it cannot pass cores / slots.

| what | slots | whole | until queued | until one runs | in jobs | until exit | CPU of jobs | {efficiencies} |
|---|---|---|---|---|---|---|---|---|---|
{described}
{fitted}"""

LARGE = """
A fit of {frames:,} frames with energies and forces, in {shards} shards: {pool_s:.0f} s on the pool and
{here_s:.0f} s on one machine (load {load:.1f}); the models are {models}. The largest job took
{job_mb:.0f} MB, the largest process of plan, cut and join {pool_mb:.0f} MB, and {here_mb:.0f} MB on one
machine, where shards are such processes, too.
"""

COLUMNS = ("whole_s", "before_s", "waiting_s", "working_s", "completed_s", "exit_s", "cpu_s")


@dataclass(frozen=True)
class Line:
    """One question and its answer."""

    question: str
    figure: str
    goal: str = ""

    def __str__(self) -> str:
        return f"| {self.question} | {self.figure} | {self.goal} |"


@dataclass(frozen=True)
class Figures:
    """All that was measured."""

    machine: str
    submissions: list[Submission]
    runs: list[Run]
    replay: Replay
    following: Following
    described: list[Described]
    fitted: Fitted | None  # which no page waits for

    @classmethod
    def read(cls, folder: Path, machine: str) -> Figures:
        """What lies in a folder.

        Raises
        ------
        FileNotFoundError
            when a part has not been measured
        """
        parts = ("submissions", "runs", "replay", "following", "described")
        large = folder / "fitted.json"
        found = {part: json.loads((folder / f"{part}.json").read_text()) for part in parts}
        return cls(
            machine,
            [Submission(**each) for each in found["submissions"]],
            [Run(**each) for each in found["runs"]],
            Replay(**found["replay"]),
            Following(**found["following"]),
            [Described(**each) for each in found["described"]],
            Fitted(**json.loads(large.read_text())) if large.exists() else None,
        )

    def page(self) -> str:
        """The page of the documentation."""
        loads = [run.load for run in self.runs]
        executor = _of(self.runs, "executor")
        contenders = dict.fromkeys(run.contender for run in self.runs)

        return PAGE.format(
            machine=self.machine,
            load=f"{min(loads):.1f} to {max(loads):.1f}",
            lines="\n".join(map(str, self._lines())),
            packs=executor[0].packs,
            pairs=len(executor),
            runs="\n".join(_row(name, _of(self.runs, name)) for name in contenders),
            frames=f"{self.described[0].frames:,}",
            efficiencies="efficiency, jobs | efficiency, whole",
            described="\n".join(_described(self.described)),
            fitted=paragraph(self.fitted) if self.fitted else "",
        )

    def _lines(self) -> Iterator[Line]:
        for kind in dict.fromkeys(submission.image for submission in self.submissions):
            yield _accepted([each for each in self.submissions if each.image == kind])
        yield _followed(self.following)
        yield _replayed(self.replay)
        yield _named(self.replay)
        yield Line("this executor over the same by hand, whole", f"{ratio(self.runs):.3f}", "1.05")
        yield from _images(self.runs)


def ratio(runs: Sequence[Run]) -> float:
    """The executor's time over that of the cluster by hand, in the median pair."""
    pairs = zip(_of(runs, "executor"), _of(runs, "by hand"), strict=True)
    return median(ours.whole_s / theirs.whole_s for ours, theirs in pairs)


def _of(runs: Sequence[Run], contender: str) -> list[Run]:
    return [run for run in runs if run.contender == contender]


def _accepted(submissions: Sequence[Submission]) -> Line:
    late = submissions[0].late
    accepted = median(each.accept_s for each in submissions)
    written = median(each.describe_s + each.write_s for each in submissions)

    return Line(
        f"{submissions[0].packs:,} packs taken by the schedd, {submissions[0].image}",
        f"{accepted:.2f} s, after {written:.1f} s for writing their folder",
        "1 s" if late else "",
    )


def _followed(following: Following) -> Line:
    return Line(
        f"{following.packs:,} packs followed for {following.seconds:.0f} s; {following.ended:,} completed",
        f"{100 * following.share:.1f} % of a core, Snakemake included",
        "5 %",
    )


def _replayed(replay: Replay) -> Line:
    return Line(
        f"the log of {replay.jobs:,} packs, as if it came over {replay.seconds} s, artifacts included",
        f"{100 * replay.share:.1f} % of a core",
        "5 %",
    )


def _named(replay: Replay) -> Line:
    return Line(f"names for {replay.jobs:,} outputs `sample.N.txt`", f"{replay.names_s:.2f} s", "")


def _images(runs: Sequence[Run]) -> Iterator[Line]:
    """How often the image crosses the wire, as far as all traffic can say it."""
    for name in dict.fromkeys(run.contender for run in runs):
        traffic = median(run.network_bytes / run.image_bytes for run in _of(runs, name))
        packs = _of(runs, name)[0].packs
        yield Line(
            f"all bytes on the wire to two execute points, {packs} packs, {name}",
            f"{traffic:.1f} images",
            "2 images" if name == "executor" else "",
        )


def _row(name: str, runs: Sequence[Run]) -> str:
    values = [f"{median(getattr(run, column) for run in runs):.1f} s" for column in COLUMNS]
    return f"| {name} | {' | '.join(values)} |"


def _described(runs: Sequence[Described]) -> Iterator[str]:
    """Yield a line for each run of a file in shards; those on one slot come first."""
    alone: dict[str, Described] = {}
    for run in runs:
        one = alone.setdefault(run.what, run)
        seconds = (run.whole_s, run.before_s, run.waiting_s, run.working_s, run.after_s)
        shares = (one.working_s / run.working_s / run.slots, one.whole_s / run.whole_s / run.slots)
        cpu = f"{run.cpu_s:.0f} s" if run.cpu_s else "not told"  # HTCondor says 0 where it cannot know
        values = [*(f"{value:.0f} s" for value in seconds), cpu, *(f"{share:.2f}" for share in shares)]
        yield f"| {run.what}, {run.shards} shards | {run.slots} | {' | '.join(values)} |"


def paragraph(large: Fitted) -> str:
    """Return the paragraph about the large fit."""
    models = "the same, bit for bit" if large.same else "not the same"
    return LARGE.format(models=models, **asdict(large))
