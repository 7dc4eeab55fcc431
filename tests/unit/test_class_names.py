"""One name stands for one thing: no two classes of the package share a name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "anisweep"

#: Names that two classes may share, each with its reason; five at most.
ALLOWED: dict[str, str] = {}


def test_no_class_shares_its_name_with_another() -> None:
    """A reader who meets a name need not ask which of two things is meant."""
    places = defaultdict(list)
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{file.relative_to(SOURCE)}:{node.lineno}")

    shared = {name: where for name, where in places.items() if len(where) > 1}

    assert shared.keys() == ALLOWED.keys(), shared
    assert len(ALLOWED) <= 5
