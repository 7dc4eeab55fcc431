"""Tests that did not run, by reason; with the variable CI set, only some reasons are allowed."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest

#: How the reason of an allowed skip begins.
ALLOWED = (
    "no root",
    "no GPU",
    "no browser",
    "no data",
    "no cgroups",
    "no AVX-512",
    "no second CPython",
    "no tblite",
    "no LAMMPS",
)


def _reasons(reporter: Any) -> Counter[str]:
    """How many tests were skipped for which reason."""
    skipped = (report.longrepr for report in reporter.stats.get("skipped", []))
    texts = (text[2] if isinstance(text, tuple) else str(text) for text in skipped)
    return Counter(text.removeprefix("Skipped: ") for text in texts)


def _not_allowed(reasons: Counter[str]) -> list[str]:
    return (
        sorted(reason for reason in reasons if not reason.startswith(ALLOWED)) if os.environ.get("CI") else []
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")

    if reporter is not None and session.exitstatus == pytest.ExitCode.OK and _not_allowed(_reasons(reporter)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reasons = _reasons(terminalreporter)

    if reasons:
        terminalreporter.section("did not run")
    for reason, count in sorted(reasons.items()):
        terminalreporter.line(f"{count:4d}  {reason}")
    for reason in _not_allowed(reasons):
        terminalreporter.line(
            f"With CI set this is a failure: {reason}. Allowed: {', '.join(ALLOWED)}.", red=True
        )
