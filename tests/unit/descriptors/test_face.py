"""What `anisweep.descriptors` shows to its users, and that its examples are true."""

from __future__ import annotations

import ast
import doctest
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from anisweep import descriptors

STUB = Path(descriptors.__file__).with_suffix(".pyi")
WITH_EXAMPLES = ["", ".arrays", ".gradients", ".projection"]


def test_every_public_name_is_there() -> None:
    assert dir(descriptors) == descriptors.__all__ == sorted(descriptors.__all__)
    assert all(callable(getattr(descriptors, name)) for name in descriptors.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"anisweep\.descriptors.*Ridge"):
        descriptors.Ridge  # noqa: B018


def test_type_checkers_are_told_the_same_names() -> None:
    imported = [node for node in ast.parse(STUB.read_text()).body if isinstance(node, ast.ImportFrom)]
    told = [alias.asname for node in imported for alias in node.names]

    assert sorted(told) == descriptors.__all__
    assert (STUB.parents[1] / "py.typed").exists()


def test_features_do_not_wait_for_calculators_and_torch() -> None:
    code = "import sys, anisweep.descriptors; print({'ase.calculators', 'torch'} & sys.modules.keys())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_the_examples_of_docstrings_are_true(module: str) -> None:
    failed, tried = doctest.testmod(import_module(f"anisweep.descriptors{module}"))
    assert tried > 0
    assert failed == 0


def test_every_public_thing_and_its_methods_say_what_they_do() -> None:
    """In a sentence: it begins with a capital letter, and the line ends with a full stop."""
    undocumented = [
        name
        for each in (getattr(descriptors, name) for name in descriptors.__all__)
        for name, thing in [(each.__name__, each), *vars(each).items()]
        if not name.startswith("_") and callable(thing) and not _is_sentence(thing.__doc__)
    ]
    assert undocumented == []


def _is_sentence(text: str | None) -> bool:
    first = (text or "").strip().split("\n\n")[0]
    return first[:1].isupper() and first.endswith(".")
