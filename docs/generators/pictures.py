"""Take the pictures of the documentation: the report, a run in the terminal, and the liquid of the README.

``make pictures`` runs the study ``first_look``, then the first example, and takes all.
Where the study has been measured already, the run's words are those of a run that finds nothing to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
LIQUID = ROOT / "docs" / "gallery" / "0_from_atoms_to_dynamics.py"
COLUMNS = 110

SWITCHES = [
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--hide-scrollbars",
    "--window-size=1280,800",
]


def main(command: list[str]) -> None:
    """Take all pictures: of the command in the terminal, of the report that it wrote, of the liquid."""
    PICTURES.mkdir(exist_ok=True)
    take_terminal(command, PICTURES / "terminal.svg")
    take_page(ROOT / "results" / "report.html", PICTURES / "report.png")
    take_liquid(ROOT / "docs" / "from_atoms_to_dynamics.png")


def take_terminal(command: list[str], picture: Path) -> None:
    """Run a command, show what it says, and draw that as a terminal shows it."""
    console = Console(record=True, width=COLUMNS, file=sys.stdout)
    console.print(Text(f"$ {' '.join(command)}", style="bold"))

    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as run:
        for line in run.stdout or ():
            console.print(Text.from_ansi(line.decode().rstrip()))

    if run.returncode != 0:
        sys.exit(f"The command ended with status {run.returncode}; there are no new pictures.")
    console.save_svg(str(picture), title="AniSweep")


def take_page(page: Path, picture: Path) -> None:
    """Photograph the first screen of a page."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("No browser (chromium) in PATH: on Debian, sudo apt-get install chromium.")

    root = ["--no-sandbox"] if os.getuid() == 0 else []  # its sandbox refuses to run for root
    switches = [*SWITCHES, *root, f"--screenshot={picture}"]
    subprocess.run([browser, *switches, page.as_uri()], check=True, capture_output=True)
    Image.open(picture).quantize(64).save(picture, optimize=True)


def take_liquid(picture: Path) -> None:
    """Run the first example of the gallery, and keep its figure."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, LIQUID, folder], check=True, env={**os.environ, "MPLBACKEND": "agg"})
        Image.open(Path(folder) / "dynamics.png").quantize(64).save(picture, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
