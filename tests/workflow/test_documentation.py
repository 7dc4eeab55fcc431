"""The documentation site: `make docs` is quiet, its examples run, and its links lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

pytest.importorskip("sphinx", reason="no sphinx")

from bs4 import BeautifulSoup

from clone import ROOT, Clone


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, whose build is quiet: any warning ends it."""
    clone = Clone.of_the_tree(tmp_path_factory.mktemp("documentation") / "clone")
    said = clone.run("make", "-s", "-o", "env", "docs")

    assert said.split() == ["build/docs/index.html"]
    return clone.root / "build" / "docs"


@cache
def page_of(file: Path) -> BeautifulSoup:
    return BeautifulSoup(file.read_text(), "html.parser")


def links(site: Path) -> Iterator[tuple[Path, str]]:
    """Each link and picture of each page that does not lead out of the site."""
    for file in sorted(site.rglob("*.html")):
        page = page_of(file)
        found = [tag["href"] for tag in page.select("a[href]")] + [
            tag["src"] for tag in page.select("img[src]")
        ]
        yield from ((file, str(link)) for link in found if ":" not in str(link))


def test_links_lead_somewhere(site: Path) -> None:
    broken = [f"{file.relative_to(site)}: {link}" for file, link in links(site) if not leads(file, link)]
    assert broken == []


def leads(file: Path, link: str) -> bool:
    """Whether the file that a link names is there, and in it the place."""
    path, place = urldefrag(unquote(link))
    target = (file.parent / path).resolve() if path else file
    if target.suffix != ".html" or not place:
        return target.is_file()
    return target.is_file() and page_of(target).find(id=place) is not None


def test_each_example_ran_and_shows_one_figure(site: Path) -> None:
    scripts = sorted((ROOT / "docs" / "gallery").glob("*.py"))
    shown = [
        len(page_of(site / "examples" / f"{script.stem}.html").select("img.sphx-glr-single-img"))
        for script in scripts
    ]

    assert shown == [1] * 6


def test_names_of_other_projects_are_links(site: Path) -> None:
    reference = page_of(site / "reference" / "python.html")
    targets = " ".join(str(tag["href"]) for tag in reference.select("a.external"))

    assert all(
        name in targets for name in ("numpy.ndarray", "ase.Atoms", "torch.Tensor", "metatensor.TensorMap")
    )


@pytest.mark.parametrize(
    "picture", sorted((ROOT / "docs" / "pictures").iterdir()), ids=lambda file: file.name
)
def test_pictures_are_small(picture: Path) -> None:
    assert picture.stat().st_size < 150_000
