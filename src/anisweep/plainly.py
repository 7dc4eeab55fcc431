"""How a command reports what went wrong."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from anisweep.failures import EXPECTED, message


def plainly(command: Callable[..., Any]) -> Callable[..., Any]:
    """Expected errors as their message and exit status 1."""

    @functools.wraps(command)
    def wrapper(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except BrokenPipeError:
            raise  # `| head` has seen enough, which click passes over in silence
        except EXPECTED as error:
            raise click.ClickException(message(error)) from None

    return wrapper
