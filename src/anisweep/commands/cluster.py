"""`anisweep submit`, `status`, `logs`, `cancel`, `fetch`: a cluster without Snakemake."""

from __future__ import annotations

import sys

import click

from anisweep.config import ConfigError, Project, overrides_of
from anisweep.plainly import plainly

SITE = "chtc"


@click.command()
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--dry-run", is_flag=True, help="Say what would go out, and print the submit file.")
@click.option(
    "--pilot", type=click.IntRange(min=1), metavar="N", help="Only the first N packs: 1, then 10, then all."
)
@click.option("--controller", is_flag=True, help="Submit Snakemake itself, which then does everything.")
@plainly
def submit(overrides: tuple[str, ...], dry_run: bool, pilot: int | None, controller: bool) -> None:
    """Send packs to HTCondor. They come home whether or not anybody waits; takes KEY=VALUE as plan does."""
    if controller:
        _submit_controller(overrides, dry_run)
        return

    from anisweep.cluster import submission
    from anisweep.run import Run, prepare_dataset

    run = Run.read(overrides_of(overrides) | {"site": SITE})
    assert run.jobs is not None
    packs = run.plan.packs[:pilot]
    click.echo(run.opening())
    if not packs:
        return

    click.echo(str(submission.Volume.of(packs, run.jobs)))
    if dry_run:
        for _, files in submission.batches_of(run.project, packs, run.jobs):
            click.echo(f"\n{files['jobs.sub']}")
        return

    run.start()
    for path in sorted({cell.dataset.path for pack in packs for cell in pack.cells}):
        if not (run.project.root / path).exists():
            prepare_dataset(run.project, run.project.root / path)

    for batch, files in submission.batches_of(run.project, packs, run.jobs):
        cluster = submission.submit(batch, files)
        click.echo(f"Submitted {len(batch.entries)} jobs as cluster {cluster}; files in {batch.path}/.")
    click.echo("Next: anisweep status; when they are home: snakemake --profile chtc")


def _submit_controller(overrides: tuple[str, ...], dry_run: bool) -> None:
    from anisweep.cluster import controller
    from anisweep.run import Run

    run = Run.read(overrides_of(overrides) | {"site": SITE})
    assert run.jobs is not None
    click.echo(run.opening())
    run.check()

    if not dry_run:
        cluster, said = controller.submit(run.project, "+".join(run.studies), overrides)
        click.echo(
            f"The controller is job {cluster}. You may log out. What it says: "
            f"{said.relative_to(run.project.root)}\n"
            f"condor_hold {cluster} lets it pause while packs go on; condor_rm {cluster} takes all back."
        )


@click.command()
@plainly
def status() -> None:
    """What is under way on the cluster: by state and pack, how long it takes, and what holds mean."""
    from anisweep.cluster import arrivals
    from anisweep.cluster import status as queue
    from anisweep.plan.prune import asked_for

    project = Project.find()
    arrivals.take_home(project)
    wanted = {cell.key for cell in asked_for(project, SITE)}
    click.echo(queue.as_text(queue.states(project, wanted)))


@click.command()
@click.argument("pack")
@plainly
def logs(pack: str) -> None:
    """What the job of PACK (or of a name that begins so) has printed, and how it went."""
    from anisweep.cluster import status as queue

    project = Project.find()
    click.echo(queue.story(project, pack))


@click.command()
@click.argument("packs", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every pack that is under way.")
@plainly
def cancel(packs: tuple[str, ...], everything: bool) -> None:
    """Take packs out of the queue: those named, or those that no study asks for any more."""
    from anisweep.cluster import arrivals
    from anisweep.cluster import status as queue
    from anisweep.plan.prune import asked_for

    project = Project.find()
    arrivals.take_home(project)
    wanted = {cell.key for cell in asked_for(project, SITE)}
    under_way = [each for each in queue.states(project, wanted) if each.open]
    unknown = set(packs) - {each.pack for each in under_way}

    if unknown:
        raise ConfigError(f"{', '.join(sorted(unknown))}: not under way. `anisweep status` lists what is.")

    chosen = [each for each in under_way if everything or each.pack in packs or not (packs or each.wanted)]
    arrivals.cancel(project, [each.pack for each in chosen])
    for each in chosen:
        click.echo(f"{each.pack}: cancelled")
    click.echo(f"{len(chosen)} of {len(under_way)} packs cancelled.")


@click.command()
@click.argument("place", metavar="[HOST:]DIR")
@plainly
def fetch(place: str) -> None:
    """Copy artifacts of the project in DIR to this one, and verify them."""
    from anisweep.cluster.fetch import fetch as bring

    came = bring(Project.find(), place)
    for reason in came.unsound:
        click.echo(f"left there: {reason}")
    click.echo(f"{came.artifacts} artifacts fetched and verified; {came.there} were here.")
    click.echo("Next: snakemake --profile local report")
    if came.unsound:
        sys.exit(1)


CLUSTER_COMMANDS: list[click.Command] = [submit, status, logs, cancel, fetch]
