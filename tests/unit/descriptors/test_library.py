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


def test_a_package_that_travels_as_source_compiles_into_the_cache(tmp_path, monkeypatch):
    compiled = library.kernels()._name
    monkeypatch.delenv(library.VARIABLE, raising=False)
    monkeypatch.setattr(library, "EXTENSION_SUFFIXES", [])
    monkeypatch.setattr(library, "compiled_levels", lambda: ("portable",))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    clear()

    with pytest.raises(ImportError, match=r"no compiled kernels \(portable\): install with"):
        library.kernels()

    assert library.compile_kernels()
    assert not library.compile_kernels()
    assert library.levels() == ("portable",)
    assert library.kernels()._name.startswith(str(tmp_path))

    monkeypatch.setenv(library.KERNELS, str(tmp_path / "cache" / "anisweep" / "kernels"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    clear()
    assert not library.compile_kernels()

    monkeypatch.undo()
    clear()
    assert library.kernels()._name == compiled


def test_a_user_without_a_home_computes(monkeypatch):
    """As in a container whose user is a number that no file there knows."""

    def unknown(number):
        raise KeyError(number)

    compiled = library.kernels()._name
    monkeypatch.setattr("pwd.getpwuid", unknown)
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    clear()
    assert library.kernels()._name == compiled

    monkeypatch.delenv(library.VARIABLE, raising=False)
    monkeypatch.setattr(library, "EXTENSION_SUFFIXES", [])
    clear()
    with pytest.raises(ImportError, match="no home directory to compile into: set XDG_CACHE_HOME"):
        library.compile_kernels()

    monkeypatch.undo()
    clear()


def clear():
    library._library.cache_clear()
    library._path.cache_clear()
