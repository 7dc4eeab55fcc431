"""`anisweep submit`, `status`, `logs`, `cancel`, `fetch`: a cluster without Snakemake."""

from __future__ import annotations

import sys

import click

from anisweep.config import ConfigError, Project, overrides_of
from anisweep.plainly import plainly

SITE = "chtc"

FETCH = "anisweep fetch HOST:DIR"


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
    if controller and pilot:
        raise ConfigError("--pilot: a controller sends all packs. Allowed: one of --pilot and --controller.")
    if controller:
        _submit_controller(overrides, dry_run)
        return

    from anisweep.cluster import submission
    from anisweep.preflight import as_text, preflight
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
        click.echo(as_text(preflight(run.jobs, packs), len(packs)))
        return

    run.start(packs)
    for path in sorted({cell.dataset.path for pack in packs for cell in pack.cells}):
        if not (run.project.root / path).exists():
            prepare_dataset(run.project, run.project.root / path)

    for batch, files in submission.batches_of(run.project, packs, run.jobs):
        cluster = submission.submit(batch, files)
        click.echo(f"Submitted {len(batch.entries)} jobs as cluster {cluster}; files in {batch.path}/.")
    click.echo(f"Next: anisweep status; when all is home, on your laptop: {FETCH}")


def _submit_controller(overrides: tuple[str, ...], dry_run: bool) -> None:
    from anisweep.cluster import controller
    from anisweep.preflight import as_text, preflight
    from anisweep.run import Run

    run = Run.read(overrides_of(overrides) | {"site": SITE})
    assert run.jobs is not None
    click.echo(run.opening())
    job = controller.controller_job(run.project, "+".join(run.studies), overrides)

    if dry_run:
        click.echo(f"\n{job.description}\n{job.script}")
        click.echo(as_text(preflight(run.jobs, run.plan.packs), len(run.plan.packs)))
    else:
        run.check(run.plan.packs)
        cluster = job.submit()
        click.echo(
            f"The controller is job {cluster}. You may log out. What it says: "
            f"{job.said.relative_to(run.project.root)}\n"
            f"condor_hold {cluster} lets it pause while packs go on; condor_rm {cluster} takes all back."
        )


@click.command()
@plainly
def status() -> None:
    """What is under way on the cluster: by state and pack, how long it takes, and what holds mean."""
    from anisweep.cluster import arrivals
    from anisweep.cluster import status as queue

    project = Project.find()
    arrivals.take_home(project)
    found = queue.states(project, _wanted(project))
    lines = [*queue.controllers(project), queue.as_text(found)]
    if not found:
        ended = queue.last(project)
        lines.append(
            ended or "Nothing has come home yet. `anisweep submit --dry-run` says what would go out."
        )
        lines += [f"Next, on your laptop: {FETCH}"] if ended else []
    click.echo("\n".join(lines))


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

    project = Project.find()
    arrivals.take_home(project)
    under_way = [each for each in queue.states(project, _wanted(project)) if each.open]
    unknown = set(packs) - {each.pack for each in under_way}

    if unknown:
        raise ConfigError(f"{', '.join(sorted(unknown))}: not under way. `anisweep status` lists what is.")

    chosen = [each for each in under_way if everything or each.pack in packs or not (packs or each.wanted)]
    arrivals.cancel(project, [each.pack for each in chosen])
    for each in chosen:
        click.echo(f"{each.pack}: cancelled")
    click.echo(f"{len(chosen)} of {len(under_way)} packs that are under way cancelled.")


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
    if came.artifacts or came.there:
        click.echo("Next: snakemake --profile local report   (first_look; others: --config study=NAME)")
    else:
        click.echo("Nothing has come home there yet: `anisweep status` there says what is under way.")
    if came.unsound:
        sys.exit(1)


def _wanted(project: Project) -> set[str] | None:
    """Keys of the cells that studies ask for; None, with a warning, where one of them cannot be read."""
    from anisweep.plan.prune import asked_for

    try:
        return {cell.key for cell in asked_for(project, SITE)}
    except ConfigError as error:
        click.echo(f"Which packs are still wanted is not known.\n{error}\n", err=True)
        return None


CLUSTER_COMMANDS: list[click.Command] = [submit, status, logs, cancel, fetch]
