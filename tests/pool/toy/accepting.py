"""What the toy does with an output that has arrived, and with one that will not come."""

import os
from pathlib import Path


def accept(arrived: Path, output: Path) -> None:
    if "spoiled" in arrived.read_text():
        arrived.unlink()
        raise ValueError("it says that it is spoiled")
    output.parent.mkdir(parents=True, exist_ok=True)
    os.replace(arrived, output)


def give_up(output: Path, reason: str) -> None:
    with Path("given-up.txt").open("a") as record:
        record.write(f"{output.name}: {reason}\n")
