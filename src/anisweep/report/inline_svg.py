"""Put SVG figures into the HTML of the report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

from markupsafe import Markup

#: The style sheet's ink; in the page it becomes the colour of the text, so that pictures turn with the theme.
INK = "#1f2328"


@dataclass(frozen=True)
class Picture:
    """Hold a figure with the words that belong to it."""

    name: str
    title: str
    caption: str
    svg: Markup

    @property
    def kind(self) -> str:
        """Return the title without the data set that a figure of profiles is of."""
        return self.title.partition(":")[0]

    @property
    def broad(self) -> bool:
        """Return True if it is wider than a column of the page (six inches)."""
        found = re.search(r'width="([\d.]+)pt"', self.svg)
        return found is not None and float(found[1]) > 440

    @property
    def drawn(self) -> bool:
        """Return True if it shows anything; if not, its caption says why."""
        return not self.caption.startswith("Not drawn: ")


def picture(file: Path, prefix: str) -> Picture:
    """Read a figure; its ids get ``prefix`` and so are unique in the page."""
    text = file.read_text()
    title = _described(text, "title") or file.stem.replace("_", " ")
    caption = _described(text, "description")

    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    # A style sheet inside would hold for the whole page.
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{prefix}-', body)
    body = re.sub(r'href="#', f'href="#{prefix}-', body)
    body = body.replace("url(#", f"url(#{prefix}-").replace(INK, "currentColor")
    body = body.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)

    return Picture(file.stem, title, caption, Markup(body))


def _described(text: str, element: str) -> str:
    found = re.search(rf"<dc:{element}>(.*?)</dc:{element}>", text, flags=re.DOTALL)
    return unescape(found.group(1)).strip() if found else ""
