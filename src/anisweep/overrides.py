"""KEY=VALUE on the command line, as Snakemake's --config reads them."""

from __future__ import annotations

from typing import Any

import yaml

from anisweep.config import ConfigError


def read_overrides(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Each value as YAML.

    Raises
    ------
    ConfigError
        when there is no ``=``, or a value is no YAML
    """
    given = {}

    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"{pair}: not allowed. Allowed: KEY=VALUE, for example replicates=5.")
        try:
            given[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(
                f"{pair}: the value is no YAML. Allowed: numbers, words, [lists]. "
                "Close every bracket and quotation mark, and quote the whole for the shell."
            ) from None

    return given
