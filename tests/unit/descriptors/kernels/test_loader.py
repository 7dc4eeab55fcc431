"""The compiled kernels are those of the sources."""

import hashlib
import re

import pytest

from anisweep.descriptors.kernels import loader

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def digest_of_sources():
    """Of all C files, without comments, spaces and line ends."""
    folder = loader.FOLDER
    texts = [COMMENT.sub("", path.read_text()) for path in sorted(folder.glob("*.[ch]"))]
    return hashlib.sha256("".join("".join(texts).split()).encode()).hexdigest()[:12]


def test_the_sources_have_the_digest_that_measurements_know_them_by():
    assert digest_of_sources() == loader.SOURCE, "write this digest into loader.py, and build again"


def test_kernels_of_other_sources_are_refused(monkeypatch):
    monkeypatch.setattr(loader, "SOURCE", "0123456789ab")
    loader._library.cache_clear()

    with pytest.raises(ImportError, match=r"compiled from other sources .* install again"):
        loader.kernels()

    monkeypatch.undo()
    loader._library.cache_clear()
    assert loader.kernels()


def test_a_package_that_travels_as_source_compiles_into_the_cache(tmp_path, monkeypatch):
    compiled = loader.kernels()._name
    monkeypatch.delenv(loader.VARIABLE, raising=False)
    monkeypatch.setattr(loader, "EXTENSION_SUFFIXES", [])
    monkeypatch.setattr(loader, "compiled_levels", lambda: ("portable",))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    clear()

    with pytest.raises(ImportError, match=r"no compiled kernels \(portable\), perhaps"):
        loader.kernels()

    assert loader.compile_kernels()
    assert not loader.compile_kernels()
    assert loader.levels() == ("portable",)
    assert loader.kernels()._name.startswith(str(tmp_path))

    monkeypatch.setenv(loader.KERNELS, str(tmp_path / "cache" / "anisweep" / "kernels"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    clear()
    assert not loader.compile_kernels()

    monkeypatch.undo()
    clear()
    assert loader.kernels()._name == compiled


@pytest.mark.parametrize("level", loader.compiled_levels())
def test_each_library_alone_says_whether_this_machine_can_run_it(level, monkeypatch):
    """So that a job compiles one: also where it is for a better CPU than is there."""
    can, file = level in loader.levels(), loader._path(level)
    monkeypatch.setattr(loader, "_path", {level: file}.get)
    monkeypatch.setenv(loader.VARIABLE, level)
    loader._library.cache_clear()

    assert loader.levels() == ((level,) if can else ())
    if can:
        assert loader.level() == level
    else:
        with pytest.raises(RuntimeError, match=f"={level}: this machine has none of those that are compiled"):
            loader.level()


def test_a_user_without_a_home_computes(monkeypatch):
    """As in a container whose user is a number that no file there knows."""

    def unknown(number):
        raise KeyError(number)

    compiled = loader.kernels()._name
    monkeypatch.setattr("pwd.getpwuid", unknown)
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    clear()
    assert loader.kernels()._name == compiled

    monkeypatch.delenv(loader.VARIABLE, raising=False)
    monkeypatch.setattr(loader, "EXTENSION_SUFFIXES", [])
    clear()
    with pytest.raises(ImportError, match="no home directory to compile into: set XDG_CACHE_HOME"):
        loader.compile_kernels()

    monkeypatch.undo()
    clear()


def clear():
    loader._library.cache_clear()
    loader._path.cache_clear()
