"""Place the boxes of a call graph, by Graphviz if it is installed, else in layers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence

Place = tuple[float, float]
Edges = Mapping[str, Sequence[str]]

#: Of one box, with the room around it, in inches.
WIDE = 2.3
HIGH = 0.95
SWEEPS = 8


def places(calls: Edges) -> dict[str, Place]:
    """Return the centre of each box in inches, callers above what they call.

    Parameters
    ----------
    calls : the functions that each function calls; every function is a key
    """
    return by_graphviz(calls) if shutil.which("dot") else in_layers(calls)


def by_graphviz(calls: Edges) -> dict[str, Place]:
    """Return the places that ``dot`` gives the boxes."""
    names = list(calls)
    number = {name: k for k, name in enumerate(names)}
    edges = [f"{number[caller]}->{number[callee]};" for caller in names for callee in calls[caller]]
    boxes = [f"{k} [width={WIDE - 0.25},height={HIGH - 0.4}];" for k in range(len(names))]
    graph = "digraph{node [shape=box,fixedsize=true];nodesep=0.25;ranksep=0.4;" + "".join(boxes + edges) + "}"

    said = subprocess.run(["dot", "-Tplain"], input=graph, capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in said.splitlines()]
    return {names[int(line[1])]: (float(line[2]), float(line[3])) for line in lines if line[0] == "node"}


def in_layers(calls: Edges) -> dict[str, Place]:
    """Place each box in a layer below all its callers, near those that it is called by."""
    layer = _layers(calls)
    rows = [[name for name in calls if layer[name] == k] for k in range(max(layer.values(), default=0) + 1)]
    callers = {name: [other for other in calls if name in calls[other]] for name in calls}

    for sweep in range(SWEEPS):
        neighbours = callers if sweep % 2 == 0 else calls
        x = _centred(rows)
        rows = [sorted(row, key=lambda name: _mean(x, neighbours[name], x[name])) for row in rows]

    x = _centred(rows)
    return {name: (x[name], -HIGH * layer[name]) for name in calls}


def _layers(calls: Edges) -> dict[str, int]:
    """Return the length of the longest way to each function; a call back up its own way is passed over."""
    done: list[str] = []
    back: set[tuple[str, str]] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        if name in done:
            return

        for callee in calls[name]:
            if callee in way:
                back.add((name, callee))
            else:
                visit(callee, (*way, callee))
        done.append(name)

    for name in calls:
        visit(name, (name,))

    layer = dict.fromkeys(calls, 0)
    for name in reversed(done):
        for callee in calls[name]:
            if (name, callee) not in back:
                layer[callee] = max(layer[callee], layer[name] + 1)
    return layer


def _centred(rows: Sequence[Sequence[str]]) -> dict[str, float]:
    return {name: WIDE * (k - (len(row) - 1) / 2) for row in rows for k, name in enumerate(row)}


def _mean(x: Mapping[str, float], names: Sequence[str], otherwise: float) -> float:
    return sum(x[name] for name in names) / len(names) if names else otherwise
