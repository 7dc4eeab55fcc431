"""Digests of source: what runs counts, what is only read does not."""

from pathlib import Path

import grimp
import pytest

from anisweep.source import PACKAGE, code_of, imported_sources, source_digest

CODE = '''"""What it is."""

import math  # for pi


class Circle:
    """Round."""

    def area(self, r):
        """Inside."""
        return math.pi * r**2
'''


@pytest.fixture
def digest_of(tmp_path):
    """Digest of a text as a Python file."""

    def digest(text: str) -> str:
        path = tmp_path / "code.py"
        path.write_text(text)
        return source_digest(path)

    return digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # for pi", "  # for the circle"),
        ('"""What it is."""', '"""Something else."""'),
        ('"""What it is."""\n\n', ""),
        ('    """Round."""\n\n', ""),
        ('        """Inside."""\n', ""),
        ("import math", "\n\n\nimport math"),
        ("math.pi * r**2", "(math.pi  *  r ** 2)"),
    ],
)
def test_what_does_not_run_changes_no_digest(digest_of, old, new):
    assert old in CODE
    assert digest_of(CODE.replace(old, new)) == digest_of(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("r**2", "r**3"),
        ("r**2", "r**2.0"),
        ("area", "surface"),
        ("import math", "import cmath as math"),
        ("return", "yield"),
        ("        return math.pi * r**2", '        x = "a string that is used"\n        return x'),
    ],
)
def test_what_runs_changes_the_digest(digest_of, old, new):
    assert old in CODE
    assert digest_of(CODE.replace(old, new)) != digest_of(CODE)


def test_a_string_that_is_no_docstring_counts(digest_of):
    assert digest_of('x = "a"\n') != digest_of('x = "b"\n')


@pytest.fixture
def package(tmp_path) -> Path:
    root = tmp_path / "ours"
    files = {
        "__init__.py": "",
        "start.py": "import numpy\nfrom ours.sub import middle\nfrom . import sibling\n",
        "sibling.py": "def f():\n    from .sub.deep import leaf\n",
        "unused.py": "",
        "sub/__init__.py": "name = 1\nimport ours.unused\n",
        "sub/middle.py": "import ours.start\n",
        "sub/deep.py": "leaf = 1\n",
    }

    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

    return root


def test_imports_are_followed_to_their_end(package):
    found = imported_sources([package / "start.py"], package)

    assert list(found) == ["ours.sibling", "ours.sub.deep", "ours.sub.middle"]
    assert found["ours.sub.deep"] == (package / "sub" / "deep.py").resolve()


def test_a_package_counts_when_a_name_is_taken_from_it(package):
    (package / "start.py").write_text("from ours.sub import name\n")

    assert list(imported_sources([package / "start.py"], package)) == ["ours.sub", "ours.unused"]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """All imports of the package, as another program finds them."""
    return grimp.build_graph("anisweep")


MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_code_of_a_module_is_what_another_program_says_that_it_imports(
    module: str, graph: grimp.ImportGraph
) -> None:
    name = "anisweep." + module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    name = "anisweep" if module == "__init__.py" else name
    expected = {_file_of(each) for each in {name, *graph.find_upstream_modules(name)}}

    assert {Path(file).resolve() for file in code_of(module)} == expected


def _file_of(module: str) -> Path:
    stem = PACKAGE.parent.joinpath(*module.split("."))
    return stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")


def test_code_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match=r"tables/renamed\.py"):
        code_of("tables/renamed.py")
