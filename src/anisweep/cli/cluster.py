"""Define `anisweep submit`, `status`, `logs`, `cancel` and `fetch`, which use a cluster without Snakemake."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from anisweep.cli.decorators import plainly
from anisweep.config.project import Project
from anisweep.errors import UserError, expected_errors, message
from anisweep.formatting import counted

if TYPE_CHECKING:
    from anisweep.workflow.sending import Sending

FETCH = "anisweep fetch HOST:DIR"


@click.command()
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--dry-run", is_flag=True, help="Say what would go out, and print the submit file.")
@click.option(
    "--pilot", type=click.IntRange(min=1), metavar="N", help="Only the first N jobs: 1, then 10, then all."
)
@click.option("--controller", is_flag=True, help="Submit Snakemake itself, which then does everything.")
@plainly
def submit(overrides: tuple[str, ...], dry_run: bool, pilot: int | None, controller: bool) -> None:
    """Submit packs, or shards (features=NAME), to HTCondor; they return whether or not anybody waits.

    Takes KEY=VALUE as plan does.
    """
    if controller and pilot:
        raise UserError("--pilot: a controller sends all jobs. Allowed: one of --pilot and --controller.")

    from anisweep.cluster import controller_job
    from anisweep.config.load import overrides_of
    from anisweep.workflow.sending import sending_of

    if controller and not dry_run:
        controller_job.refuse_a_second(Project.find())

    sending = sending_of(overrides_of(overrides), pilot)
    click.echo(sending.opening)
    if controller:
        _submit_controller(sending, overrides, dry_run)
    elif sending.outgoing:
        _submit_jobs(sending, dry_run)


def _submit_jobs(sending: Sending, dry_run: bool) -> None:
    from anisweep.cluster import submission

    click.echo(str(submission.Volume.of(sending.outgoing, sending.jobs)))
    if dry_run:
        for _, files in submission.batches_of(sending.project, sending.outgoing, sending.jobs):
            click.echo(f"\n{files['jobs.sub']}")
        _say_preflight(sending)
        return

    sending.start()
    for batch, files in submission.batches_of(sending.project, sending.outgoing, sending.jobs):
        cluster = submission.submit(batch, files)
        click.echo(
            f"Submitted {counted(len(batch.entries), 'job')} as cluster {cluster}; files in {batch.path}/."
        )
    click.echo(f"Next: anisweep status; when all have completed, {sending.afterwards}")


def _submit_controller(sending: Sending, overrides: tuple[str, ...], dry_run: bool) -> None:
    from anisweep.cluster import controller_job
    from anisweep.cluster.arrivals import alone
    from anisweep.workflow.life_cycle import check

    project = sending.project
    job = controller_job.controller_job(project, sending.name, overrides)
    if dry_run:
        click.echo(f"\n{job.description}\n{job.script}")
        _say_preflight(sending)
        return

    check(project, sending.jobs, sending.outgoing)
    with alone(project):
        controller_job.refuse_a_second(project)
        cluster = job.submit()
    click.echo(
        f"The controller is job {cluster}. You may log out. What it says: "
        f"{job.said.relative_to(project.root)}\n"
        f"condor_hold {cluster} lets it pause while packs go on; condor_rm {cluster} takes all back."
    )


def _say_preflight(sending: Sending) -> None:
    from anisweep.cluster.preflight import as_text, preflight

    click.echo(as_text(preflight(sending.jobs, sending.outgoing), len(sending.outgoing)))


@click.command()
@plainly
def status() -> None:
    """Show what is under way on the cluster, how long it takes, and what holds mean."""
    from anisweep.cluster import arrivals
    from anisweep.cluster import status as queue
    from anisweep.cluster.moved import in_words, moved_batches

    project = Project.find()
    arrivals.import_finished(project)
    found = queue.states(project, _wanted(project))
    moved = in_words(project, moved_batches(project))
    lines = [*([moved] if moved else []), *queue.controllers(project), queue.as_text(found)]
    if not found:
        ended = queue.last(project)
        lines.append(
            ended or "Nothing has completed yet. `anisweep submit --dry-run` says what would go out."
        )
        lines += [f"Next, on your laptop: {FETCH}"] if any(project.artifacts.glob("*.tar.gz")) else []
    if shutil.which("condor_submit") is None:
        lines.append("There is no HTCondor on this machine; this is what the files of the project say.")
    if found and not arrivals.may_write(project):
        lines.append("You may only read here: what has ended is imported when its owner asks.")
    click.echo("\n".join(lines))


@click.command()
@click.argument("pack")
@plainly
def logs(pack: str) -> None:
    """Show what the job of PACK, or of a shard, has printed, and how it went; names may be cut short."""
    from anisweep.cluster import status as queue

    project = Project.find()
    click.echo(queue.story(project, pack))


@click.command()
@click.argument("packs", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every pack that is under way.")
@plainly
def cancel(packs: tuple[str, ...], everything: bool) -> None:
    """Take packs out of the queue: those whose names begin so, or those that no study asks for any more."""
    from anisweep.cluster import arrivals
    from anisweep.cluster import status as queue

    project = Project.find()
    arrivals.import_finished(project)
    under_way = [each for each in queue.states(project, _wanted(project)) if each.open]
    named = queue.named(under_way, packs)

    chosen = [each for each in under_way if everything or each.pack in named or not (packs or each.wanted)]
    arrivals.cancel(project, [each.pack for each in chosen])
    for pack in sorted(named):
        click.echo(f"{pack}: cancelled")
    click.echo(
        f"{len(chosen)} of {counted(len(under_way), 'pack that is', 'packs that are')} under way cancelled."
    )


@click.command()
@click.argument("place", metavar="[HOST:]DIR")
@plainly
def fetch(place: str) -> None:
    """Copy artifacts and shards of the project in DIR to this one, and verify them."""
    from anisweep.artifacts.writing import SUFFIX
    from anisweep.cluster.fetch import fetch as bring

    came = bring(Project.find(), place)
    for reason in came.unsound:
        click.echo(f"left there: {reason}")
    artifacts = sum(name.endswith(SUFFIX) for name in came.came)
    shards = f" and {counted(len(came.came) - artifacts, 'shard')}" if came.features else ""
    click.echo(f"{counted(artifacts, 'artifact')}{shards} fetched and verified; {len(came.there)} were here.")
    if any(name.endswith(SUFFIX) for name in (*came.came, *came.there)):
        click.echo("Next: snakemake --profile local report   (first_look; others: --config study=NAME)")
    for name in came.features:
        click.echo(f"Next: snakemake --profile local features --config features={name} site=chtc")
    if not came.came and not came.there:
        click.echo("Nothing has completed there yet: `anisweep status` there says what is under way.")
    if came.unsound:
        sys.exit(1)


def _wanted(project: Project) -> set[str] | None:
    """Return the keys of the cells and shards that are asked for; None, with a warning, where that fails."""
    from anisweep.config.site import CLUSTER
    from anisweep.features.shards import shards_asked_for
    from anisweep.plan.prune import asked_for

    try:
        return {cell.key for cell in asked_for(project, CLUSTER)} | shards_asked_for(project)
    except expected_errors() as error:
        click.echo(f"Which packs are still wanted is not known.\n{message(error)}\n", err=True)
        return None


CLUSTER_COMMANDS: list[click.Command] = [submit, status, logs, cancel, fetch]
