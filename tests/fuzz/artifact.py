"""Artifacts: each is what a worker wrote, or damaged in words; nothing that follows stumbles over one."""

from __future__ import annotations

import io
import json
import random
import tarfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import examples
from anisweep.artifacts.store import Store, rows_of
from anisweep.plan.state import learned_model
from anisweep.plan.text import artifact_as_text, cell_as_text
from anisweep.tables import PackSource, Platform, cells_table
from fuzz.campaign import Input, Target
from fuzz.mutation import changed, with_another_value
from fuzz.words import check_words

NAME = "ellipsoids-r1-0123456789ab"
PACK = examples.pack(name=NAME)
PLAIN: dict[str, Any] = {
    "pack.json": asdict(PACK),
    "host.json": {**examples.HOST, "cpus": 2, "memory_mb": 4096, "affinity": [0], "caches": {"L1": "32K"}},
    "environment.json": {"digest": "lock", "versions": {"python": "3.11"}, "accelerators": {"devices": []}},
    "rows.jsonl": [row.to_plain() for row in examples.rows(PACK)],
}


def make(rng: random.Random) -> Input:
    """An artifact whose checksums are right and of whose values some are wrong; or one with other bytes."""
    plain = json.loads(json.dumps(PLAIN))
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        member = rng.choice(sorted(plain))
        plain[member] = with_another_value(rng, plain[member])

    contents = {name: _written(name, value) for name, value in plain.items()}
    if rng.random() < 0.2:
        member = rng.choice(sorted(contents))
        contents[member] = changed(rng, contents[member])
    content = _packed(contents)
    return Input(changed(rng, content) if rng.random() < 0.3 else content)


def _written(name: str, plain: Any) -> bytes:
    if name.endswith(".jsonl") and isinstance(plain, list):
        return "".join(json.dumps(each) + "\n" for each in plain).encode()
    return json.dumps(plain).encode()


def _packed(contents: Mapping[str, bytes]) -> bytes:
    members: dict[str, bytes] = {"manifest.json": b'{"format": 1, "members": {}}'}
    for name, content in contents.items():
        members = examples.consistent(members, name, content)

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def check(given: Input, folder: Path) -> None:
    """Look at it as `plan`, `show` and the tables do, with a good artifact beside it."""
    artifacts = folder / "artifacts"
    if not artifacts.exists():
        examples.write_artifact(artifacts, examples.pack(name="good-r1-0123456789ab"))
    store = Store(artifacts, folder / "state")
    store.delete(NAME)
    store.path(NAME).write_bytes(given.content)

    entries = {entry.name: entry for entry in store.entries()}
    assert entries["good-r1-0123456789ab"].sound, "a good artifact is hidden"
    check_words(artifact_as_text(store, entries[NAME]))
    learned_model(folder, store).estimates(100.0, examples.CELL.hypers)

    for key in entries[NAME].keys if entries[NAME].sound else ():
        check_words(cell_as_text(store, entries[NAME], key))
    for entry, rows in rows_of(store, [examples.CELL]):
        contents = store.contents(entry.name)
        platform = Platform.of(contents.host, contents.environment)
        cells_table(rows, {entry.name: PackSource("x", entry.sha256, platform)})


TARGET = Target("artifact", make, check)
