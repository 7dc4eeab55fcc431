"""The compiled kernels are those of the sources."""

import hashlib
import re

import pytest

from anisweep.descriptors import library

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def digest_of_sources():
    """Of all C files, without comments, spaces and line ends."""
    folder = library.FOLDER / "kernels"
    texts = [COMMENT.sub("", path.read_text()) for path in sorted(folder.iterdir())]
    return hashlib.sha256("".join("".join(texts).split()).encode()).hexdigest()[:12]


def test_the_sources_have_the_digest_that_measurements_know_them_by():
    assert digest_of_sources() == library.SOURCE, "write this digest into library.py, and build again"


def test_kernels_of_other_sources_are_refused(monkeypatch):
    monkeypatch.setattr(library, "SOURCE", "0123456789ab")
    library._library.cache_clear()

    with pytest.raises(ImportError, match=r"compiled from other sources .* install again"):
        library.kernels()

    monkeypatch.undo()
    library._library.cache_clear()
    assert library.kernels()
