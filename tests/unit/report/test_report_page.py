from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import synthetic
from anisweep import modes, report, tables
from anisweep.figures._drawing import draw_to, load
from anisweep.formatting import plain, span, speed, time_with_unit
from anisweep.row import Row


class Links(HTMLParser):
    """Collects the ids of a page and what its links point at."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids += [given["id"]] if "id" in given else []
        self.targets += [given["href"]] if tag == "a" else []
        self.loads += [given[name] for name in ("src", "href") if name in given and tag not in ("a", "use")]


@pytest.fixture(scope="module")
def page(results: Path) -> str:
    return (results / "report.html").read_text()


@pytest.fixture(scope="module")
def links(page: str) -> Links:
    return Links(page)


def test_the_page_is_self_contained(page: str, links: Links) -> None:
    assert set(links.loads) == {"data:,"}
    assert "@import" not in page


def test_ids_are_unique(links: Links) -> None:
    assert len(links.ids) == len(set(links.ids))


def test_every_link_leads_somewhere(links: Links) -> None:
    rows = synthetic.first_look()
    artifacts = {source.artifact for source in synthetic.sources(rows).values()}
    inner = {target[1:] for target in links.targets if target.startswith("#")}
    outer = {target for target in links.targets if not target.startswith("#")}

    assert inner <= set(links.ids)
    assert outer == artifacts


def test_every_reference_inside_a_picture_is_its_own(page: str, links: Links) -> None:
    used = set(re.findall(r"url\(#([^)]+)\)", page)) | set(re.findall(r'xlink:href="#([^"]+)"', page))

    assert used
    assert used <= set(links.ids)


def test_every_time_of_the_first_table_has_its_origin(page: str) -> None:
    first = page[page.index('class="headline"') : page.index("<details>")]
    entries = re.findall(r'<td class="number[^>]*title="([^"]*)">', first)

    assert len(entries) == 8 * 4
    assert all("host bench-01; code " in entry and "environment " in entry for entry in entries)


def test_bold_is_faster_and_nothing_else(page: str) -> None:
    first = page[page.index('class="headline"') : page.index("<details>")]
    bold = re.findall(r'<td class="number strong".*?</td>', first, flags=re.DOTALL)

    assert 0 < len(bold) == first.count("× faster")
    assert all("× faster" in entry and "\u00a0ms" in entry for entry in bold)
    assert "±" not in page


def first_table(tmp_path: Path, rows: list[Row]) -> tuple[list[str], str]:
    """Its heads, and all of it."""
    tables.write_all(rows, synthetic.sources(rows), tmp_path / "tables")
    report.write(
        [report.Study("one", "How?", tmp_path / "tables", tmp_path / "figures")], tmp_path / "report.html"
    )
    page = (tmp_path / "report.html").read_text().replace("_<wbr>", "_")
    first = page[page.index('class="headline"') : page.index("<details>")]
    return re.findall(r"<button[^>]*>(.*?)</button>", first), first


def test_the_first_table_leaves_out_what_has_no_time(tmp_path: Path) -> None:
    """And says so, in few words."""
    gone = {"status": "unavailable", "reason": "no such precision", **synthetic.UNMEASURED}
    rows = synthetic.first_look()
    several = [
        replace(row, precision=f"fp{bits}", key=f"{row.key}{bits}", **gone)
        for row in rows
        if row.role == "cell" and row.mode == "numpy_only"
        for bits in (8, 16, 32, 128)
    ]
    heads, first = first_table(tmp_path, rows + several)

    assert len(heads) == 2 + 4
    assert not [head for head in heads if "fp64" not in head and head not in ("system", "pairs")]
    assert "Without a time: numpy_only fp32, numpy_only fp16, numpy_only fp128 and 1 more; “Not ok”" in first


def test_of_many_series_the_first_table_shows_the_reference_and_the_fastest(tmp_path: Path) -> None:
    rows = synthetic.first_look(noise=0.0)
    slower = [
        replace(row, threads=2, key=f"{row.key}2", wall_s=9 * (row.wall_s or 0))
        for row in rows
        if row.role == "cell" and row.mode != "numpy_only"
    ]
    heads, first = first_table(tmp_path, rows + slower)

    assert heads[2:] == [
        "numpy_only 1 thr.",
        "torch_batched 1 thr.",
        "torch_batched 2 thr.",
        "torch_full 1 thr.",
        "torch_mixed 1 thr.",
    ]
    assert "The reference and the fastest are shown; 2 more are in the full table below." in first


def test_the_reference_has_one_column_of_the_first_table(tmp_path: Path) -> None:
    rows = synthetic.first_look(noise=0.0)
    more = [
        replace(row, threads=threads, key=f"{row.key}{threads}")
        for row in rows
        if row.role == "cell" and row.mode == "numpy_only"
        for threads in (2, 3, 4, 5, 6)
    ]
    heads, _ = first_table(tmp_path, rows + more)

    assert [head.split()[0] for head in heads[2:]] == [
        "numpy_only",
        "torch_batched",
        "torch_full",
        "torch_mixed",
    ]


def test_a_removed_figure_disappears(tmp_path: Path, results: Path) -> None:
    study = shutil.copytree(results / "first_look", tmp_path / "first_look")
    shutil.copy(study / "figures" / "fidelity.svg", study / "figures" / "of_last_year.svg")
    report.write(
        [report.Study("first_look", "How?", study / "tables", study / "figures")], tmp_path / "report.html"
    )
    page = (tmp_path / "report.html").read_text()

    assert "first_look-fidelity-" in page
    assert "of_last_year" not in page


def test_modes_are_explained(tmp_path: Path) -> None:
    """A mode that no longer exists has its name alone."""
    new_names = {"torch_full": "gone_since"}
    rows = [replace(row, mode=new_names.get(row.mode, row.mode)) for row in synthetic.first_look()]
    tables.write_all(rows, synthetic.sources(rows), tmp_path / "tables")
    report.write(
        [report.Study("one", "How?", tmp_path / "tables", tmp_path / "figures")], tmp_path / "report.html"
    )
    page = (tmp_path / "report.html").read_text()
    table = page[page.index("<summary>Modes</summary>") : page.index("<summary>All times")]
    entries = [words.strip() for words in re.findall(r"<td[^>]*>(.*?)</td>", table, flags=re.DOTALL)]
    explained = dict(zip(entries[::2], entries[1::2], strict=True))

    assert explained["numpy_only"] == modes.summary("numpy_only") != ""
    assert explained["gone_since"] == ""
    assert len(explained) == 4
    assert "a pack is" in table


def test_troubles_are_told(page: str) -> None:
    troubled = page[page.index('<section id="troubled">') :]

    assert "max relative error 1.0e-06, allowed 1e-10" in troubled
    assert "benzenes coefficients lmax 6 torch_full fp64 r2" in troubled
    assert "Not ok: 7 rows" in troubled
    assert troubled.count("others were computing") == 1


def test_words_from_outside_are_text(tmp_path: Path, results: Path) -> None:
    report.write(
        [
            report.Study(
                "first_look",
                "Is 1 < 2? <script>",
                results / "first_look" / "tables",
                results / "first_look" / "figures",
            )
        ],
        tmp_path / "r.html",
    )
    assert "Is 1 &lt; 2? &lt;script&gt;" in (tmp_path / "r.html").read_text()


def test_no_study_at_all(tmp_path: Path) -> None:
    report.write([], tmp_path / "report.html")
    assert "Nothing has been measured yet." in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (321.34, "321"),
        (14.09, "14.1"),
        (0.2371, "0.237"),
        (1.2e-14, "1.2e-14"),
        (0.0, "0"),
        (float("nan"), "–"),
    ],
)
def test_three_digits(value: float, text: str) -> None:
    assert plain(value) == text


def test_numbers_in_words() -> None:
    assert span(14.1, 2179.0) == "14.1–2,179"
    assert span(float("nan"), float("nan")) == ""
    assert time_with_unit(0.06) == "60.0\u00a0ms"
    assert time_with_unit(3.2e-6) == "3.20\u00a0µs"
    assert (speed(0.25), speed(1.5)) == ("4.00× faster", "1.50× slower")


def test_figures_without_data_are_words(page: str, tmp_path: Path) -> None:
    """No empty boxes: the report says what was not drawn, and why."""
    rows = [row for row in synthetic.first_look() if row.dataset == "ellipsoids"]
    tables.write_all(rows, synthetic.sources(rows), tmp_path / "one" / "tables")
    for name in ("scaling_species", "fidelity"):
        draw_to(name, tmp_path / "one" / "tables", tmp_path / "one" / "figures" / name)

    report.write(
        [report.Study("one", "How?", tmp_path / "one" / "tables", tmp_path / "one" / "figures")],
        tmp_path / "report.html",
    )
    said = (tmp_path / "report.html").read_text()

    assert "one-fidelity-" in said
    assert "one-scaling_species-" not in said
    assert "<b>Scaling with species.</b> Not drawn: No two data sets of this study" in said

    complete = page[: page.index('<section id="troubled">')]
    not_drawn = re.findall(r"<b>([^<]*)</b> Not drawn", complete)
    assert "Wall time against size." in not_drawn
    assert not {f"{load(name).TITLE}." for name in ("fidelity", "scaling_species")} & {*not_drawn}
