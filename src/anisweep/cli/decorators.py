"""Report the errors of a command as messages, without a traceback."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from anisweep.errors import expected_errors, message
from anisweep.formatting import counted

#: The status of a command that Ctrl-C has ended.
INTERRUPTED = 130

#: A message fits on a screen.
MOST_LINES = 40
LONGEST_LINE = 1000


def plainly(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn expected errors of a command into their message and exit status 1."""

    @functools.wraps(command)
    def wrapper(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except BrokenPipeError:
            raise  # `| head` has seen enough, which click passes over in silence
        except expected_errors() as error:
            raise click.ClickException(on_a_screen(message(error))) from None

    return wrapper


def on_a_screen(text: str) -> str:
    """Cut a message to what a screen holds, without what a terminal would obey."""
    lines = text.splitlines()
    more = [f"... and {counted(len(lines) - MOST_LINES, 'more line')}"] if len(lines) > MOST_LINES else []
    return "\n".join([*map(_line, lines[:MOST_LINES]), *more])


def _line(text: str) -> str:
    safe = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text[:LONGEST_LINE])
    return safe if len(text) <= LONGEST_LINE else f"{safe}..."
