"""The report in a browser: what a reader sees and clicks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="no selenium")

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="no browser (chromium and chromedriver)"),
]

SWITCHES = [
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SIZES = {"desktop": (1280, 800), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    root = ["--no-sandbox"] if os.getuid() == 0 else []  # its sandbox refuses to run for root

    for switch in [*SWITCHES, *root, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"]:
        options.add_argument(switch)

    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: webdriver.Chrome, results: Path) -> webdriver.Chrome:
    """The report, freshly loaded at desktop size."""
    return show(browser, results, "desktop")


def show(browser: webdriver.Chrome, results: Path, size: str, fragment: str = "") -> webdriver.Chrome:
    width, height = SIZES[size]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get("about:blank")
    browser.get((results / "report.html").as_uri() + fragment)
    return browser


def bottom_of(page: webdriver.Chrome, selector: str) -> float:
    script = "return document.querySelector(arguments[0]).getBoundingClientRect().bottom"
    return float(page.execute_script(script, selector))


def unfold(page: webdriver.Chrome) -> None:
    page.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


@pytest.mark.parametrize("size", SIZES)
def test_the_page_never_scrolls_sideways(browser: webdriver.Chrome, results: Path, size: str) -> None:
    show(browser, results, size)
    unfold(browser)
    page_width, window_width = browser.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]"
    )

    assert window_width == SIZES[size][0]
    assert page_width <= window_width


def test_many_studies_fit_the_head_of_a_phone(browser: webdriver.Chrome, results: Path) -> None:
    show(browser, results, "phone")
    widths = browser.execute_script("""
        const nav = document.querySelector("nav");
        for (let k = 0; k < 12; k++) nav.append(nav.lastElementChild.cloneNode(true));
        return [document.documentElement.scrollWidth, window.innerWidth]""")

    assert widths[0] <= widths[1]


def test_no_errors(page: webdriver.Chrome) -> None:
    unfold(page)
    page.find_element(By.CSS_SELECTOR, "th button").click()
    assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.parametrize("selector", [".answer", ".first figure", ".headline table"])
def test_the_first_screen_holds_the_answer(page: webdriver.Chrome, selector: str) -> None:
    assert 0 < bottom_of(page, selector) <= SIZES["desktop"][1]


def test_the_first_table_is_small_and_fully_seen(page: webdriver.Chrome) -> None:
    script = (
        "const box = document.querySelector('.headline .wide'); return [box.scrollWidth, box.clientWidth]"
    )
    needed, given = page.execute_script(script)

    assert needed <= given
    assert len(page.find_elements(By.CSS_SELECTOR, "#first_look .headline tbody tr")) <= 8


def test_labels_are_at_least_nine_points(page: webdriver.Chrome) -> None:
    """As drawn on the screen: the font's size times the scale of its picture."""
    unfold(page)
    sizes: list[dict[str, Any]] = page.execute_script("""
        return [...document.querySelectorAll("svg text")].map((text) => {
          const matrix = text.getScreenCTM();
          const pixels = parseFloat(getComputedStyle(text).fontSize) * Math.hypot(matrix.a, matrix.b);
          return { words: text.textContent, points: 0.75 * pixels };
        })""")

    assert len(sizes) > 50
    assert [label for label in sizes if label["points"] < 9] == []


def test_labels_stay_inside_their_picture(page: webdriver.Chrome) -> None:
    unfold(page)
    outside = page.execute_script("""
        return [...document.querySelectorAll("svg text")].filter((text) => {
          const label = text.getBoundingClientRect();
          const picture = text.ownerSVGElement.getBoundingClientRect();
          return label.left < picture.left - 1 || label.right > picture.right + 1;
        }).map((text) => text.textContent)""")

    assert outside == []


def test_a_click_sorts_and_another_turns_round(page: webdriver.Chrome) -> None:
    head = page.find_elements(By.CSS_SELECTOR, ".headline th")[2]

    def column() -> list[float]:
        cells = page.find_elements(By.CSS_SELECTOR, "#first_look .headline tbody td:nth-child(3)")
        return [float(cell.get_attribute("data-sort")) for cell in cells]

    before = column()
    head.find_element(By.TAG_NAME, "button").click()
    assert column() == sorted(before)
    assert head.get_attribute("aria-sort") == "ascending"

    head.find_element(By.TAG_NAME, "button").click()
    assert column() == sorted(before, reverse=True)
    assert column() != before


def test_unknown_numbers_sort_last(page: webdriver.Chrome) -> None:
    """In both directions: two points of the troubled study have no time."""
    unfold(page)
    script = """
        const table = document.getElementById("troubled-point-0").closest("table");
        const heads = [...table.tHead.rows[0].cells];
        const column = heads.findIndex((head) => head.textContent === "mean / ms");
        heads[column].firstElementChild.click();
        return [...table.tBodies[0].rows].map((row) => row.cells[column].dataset.sort === undefined)"""

    for _ in range(2):
        unknown = page.execute_script(script)
        assert unknown == [False] * (len(unknown) - 2) + [True] * 2


def test_words_filter_the_rows_of_a_table(page: webdriver.Chrome) -> None:
    """And a link to a hidden row shows it again."""
    page.execute_script("document.getElementById('claims').open = true")
    field = page.find_element(By.CSS_SELECTOR, "#claims input")
    rows = page.find_elements(By.CSS_SELECTOR, "#claims tbody tr")
    texts = [row.text.lower() for row in rows]

    field.send_keys("refuted Species")
    wanted = ["refuted" in text and "species" in text for text in texts]
    assert [row.is_displayed() for row in rows] == wanted
    assert 0 < sum(wanted) < len(rows)

    hidden = wanted.index(False)
    page.execute_script(f"location.hash = 'claim-{hidden}'")
    WebDriverWait(page, 5).until(lambda _: rows[hidden].is_displayed())

    field.clear()
    field.send_keys(" ")
    assert all(row.is_displayed() for row in rows)


def test_a_number_leads_to_its_artifacts(page: webdriver.Chrome) -> None:
    """From the first table to the line of its point, and on to the artifact and its file."""
    page.find_element(By.CSS_SELECTOR, ".headline td a").click()
    point = page.find_element(By.CSS_SELECTOR, "tr:target")
    assert point.is_displayed()
    assert "bench-01" in point.text

    artifact = point.find_element(By.CSS_SELECTOR, "a[href^='#artifact-']")
    page.execute_script("arguments[0].click()", artifact)
    line = page.find_element(By.CSS_SELECTOR, "tr:target")

    assert line.is_displayed()
    assert line.find_element(By.TAG_NAME, "a").get_attribute("href").endswith(".tar.gz")


def test_a_link_from_outside_opens_its_table(browser: webdriver.Chrome, results: Path) -> None:
    show(browser, results, "phone", "#troubled-point-3")
    assert browser.find_element(By.ID, "troubled-point-3").is_displayed()
