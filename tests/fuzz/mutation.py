"""Changing inputs at random: bytes, lines, words, and values of JSON."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

#: What readers have stumbled over.
WORDS = (
    *(
        b"",
        b"0",
        b"-1",
        b"1e999",
        b"nan",
        b".nan",
        b"inf",
        b"-.inf",
        b"9" * 30,
        b"9" * 5000,
        b"0x" + b"f" * 400,
    ),
    *(
        b"\0",
        b"\xff",
        b"\x0c",
        b"\x1b[2J",
        b"\r",
        b"\n\n",
        b"\xe2\x80\xa8",
        b"\xed\xa0\x80",
        b"\\ud800",
        b"\t",
    ),
    *(
        b"[" * 2000,
        b"{" * 2000,
        b"[]",
        b"{}",
        b"null",
        b"true",
        b"~",
        b"*a",
        b"&a ",
        b"<<: *a",
        b"!!int ",
        b"? ",
    ),
    *(b"2020-13-45", b"1:2:3", b'"', b"'", b"=", b":", b"\\", b"%", b"#", b"../x", b"$(x)", b"queue", b"..."),
)

#: Values where others belong.
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, 0.0, -0.5, 1e300, float("nan"), float("inf")),
    *("", "x", "7", "\ud800", "\0", "a\x1b[2J", "x" * 5000, [], {}, [None], {"x": None}, [[[[]]]], "../x"),
)


def changed(rng: random.Random, content: bytes, words: Sequence[bytes] = WORDS) -> bytes:
    """The content with one to four changes, most of them small."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        content = rng.choice(CHANGES)(rng, content, words)
    return content


def _flip(rng: random.Random, content: bytes, words: Sequence[bytes]) -> bytes:
    if not content:
        return b"\0"
    at = rng.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]


def _insert(rng: random.Random, content: bytes, words: Sequence[bytes]) -> bytes:
    at = rng.randint(0, len(content))
    return content[:at] + rng.choice(words) + content[at:]


def _replace(rng: random.Random, content: bytes, words: Sequence[bytes]) -> bytes:
    """A word in the place of another."""
    parts = content.split(b" ")
    parts[rng.randrange(len(parts))] = rng.choice(words)
    return b" ".join(parts)


def _cut(rng: random.Random, content: bytes, words: Sequence[bytes]) -> bytes:
    return content[: rng.randint(0, len(content))]


def _without(rng: random.Random, content: bytes, words: Sequence[bytes]) -> bytes:
    first, end = sorted(rng.randint(0, len(content)) for _ in range(2))
    return content[:first] + content[min(end, first + 40) :]


def _lines(rng: random.Random, content: bytes, words: Sequence[bytes]) -> bytes:
    """Lines left out, repeated or exchanged."""
    lines = content.split(b"\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(3)

    if kind == 0:
        del lines[one]
    elif kind == 1:
        lines.insert(one, lines[other])
    else:
        lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


CHANGES: tuple[Callable[[random.Random, bytes, Sequence[bytes]], bytes], ...] = (
    *(_flip, _insert, _replace, _replace, _cut, _without, _lines, _lines),
)


def with_another_value(rng: random.Random, plain: Any) -> Any:
    """Plain values with one of them changed, left out or added, somewhere."""
    if isinstance(plain, dict) and plain and rng.random() < 0.9:
        key = rng.choice(sorted(plain))
        if rng.random() < 0.1:
            return {name: value for name, value in plain.items() if name != key}
        if rng.random() < 0.05:
            return {**plain, "another": rng.choice(VALUES)}
        return {**plain, key: with_another_value(rng, plain[key])}

    if isinstance(plain, list) and plain and rng.random() < 0.9:
        at = rng.randrange(len(plain))
        return [*plain[:at], with_another_value(rng, plain[at]), *plain[at + 1 :]]
    return rng.choice(VALUES)
