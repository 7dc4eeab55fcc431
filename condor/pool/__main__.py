"""Manage the pool from a shell: `python -m condor.pool start`, from the root of the project."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from condor.pool.pool import Pool, PoolError


class Plainly(click.Group):
    """Report what can go wrong on a machine, without a traceback."""

    def invoke(self, context: click.Context) -> object:
        """Run a command, and turn its expected errors into messages."""
        try:
            return super().invoke(context)
        except (PoolError, OSError, subprocess.CalledProcessError) as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Plainly, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--name", default="pool", show_default=True, help="Several pools may run side by side.")
@click.pass_context
def main(context: click.Context, name: str) -> None:
    """Run a real HTCondor pool on this machine, for trying things out."""
    context.obj = name


@main.command()
@click.pass_obj
def start(name: str) -> None:
    """Start the pool."""
    pool = Pool.start(name)
    nodes = ", ".join(node.name for node in pool.nodes)
    click.echo(
        f"The pool {name!r} runs: {nodes}. The ordinary user {pool.user.name} has the home {pool.home}.\n"
        "As this user  .venv/bin/python -m condor.pool user condor_status\n"
        "As root       .venv/bin/python -m condor.pool root ep1 ps aux\n"
        "Stop it       make pool-stop"
    )


@main.command()
@click.pass_obj
def stop(name: str) -> None:
    """Stop the pool and remove all that it left, the queue included."""
    Pool.found(name).stop()
    click.echo(f"The pool {name!r} is gone.")


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def user(name: str, command: tuple[str, ...]) -> None:
    """Run COMMAND as the ordinary user on the access point."""
    _become(Pool.found(name).as_user(*command))


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("node")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def root(name: str, node: str, command: tuple[str, ...]) -> None:
    """Run COMMAND as root on NODE."""
    done = Pool.found(name).on(node, *command)
    click.echo(done.stdout, nl=False)
    click.echo(done.stderr, nl=False, err=True)
    sys.exit(done.returncode)


def _become(command: list[str]) -> None:
    sys.stdout.flush()
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
