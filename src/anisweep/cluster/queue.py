"""The queue's troubles in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from anisweep.config import ConfigError


@contextmanager
def troubles_in_words() -> Iterator[None]:
    """Errors of the schedd as messages that say what to do.

    Raises
    ------
    ConfigError
        when it does not answer, or refuses a submission
    """
    from snakemake_executor_plugin_condorsweep.schedd import Refused, Unreachable

    try:
        yield
    except Unreachable as error:
        raise ConfigError(
            f"The schedd does not answer ({error}). What is in the queue goes on without us.\n"
            "Allowed: an access point whose `condor_status -schedd` answers. Try again later."
        ) from error
    except Refused as error:
        raise ConfigError(
            f"HTCondor refuses the submission: {error}.\n"
            "Allowed: what this pool's rules take. Correct `submit:` in condor/site.yaml, or ask."
        ) from error
