"""Files that a storage plugin keeps: this run retrieves and stores them, and jobs get copies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from test_any_files import HERE, PLUGIN, run

from snakemake_executor_plugin_condorsweep.carrying import why_not_fetched

STORAGE = HERE.parent / "pool" / "storage"

WORKFLOW = """
storage:
    provider="folder"
rule twice:
    input: storage("kept/in.txt")
    output: storage("kept/out.txt")
    container: "image.sif"
    shell: "cat {input} {input} > {output}"
"""


@pytest.mark.parametrize("usage", [(), ("--shared-fs-usage", "none")], ids=["usual", "none"])
def test_storage_is_read_and_written_here(tmp_path: Path, usage: tuple[str, ...]) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "in.txt").write_text("word\n")

    done = run(tmp_path, WORKFLOW, "twice", *usage, PYTHONPATH=f"{PLUGIN}:{HERE}:{STORAGE}")

    assert done.returncode == 0, done.stderr
    assert (kept / "out.txt").read_text() == "word\nword\n"
    (listed,) = tmp_path.glob("results/batches/*/jobs.txt")
    assert ".snakemake/storage/folder/kept/in.txt" in listed.read_text()
    assert not list((tmp_path / ".snakemake" / "storage").rglob("*.txt"))


FETCHED = """
storage:
    provider="folder"
container: "image.sif"
rule twice:
    input: storage("{url}", retrieve=False), "own.txt"
    output: "out.txt"
    shell: "cat {{input}} {{input[0]}} > {{output}}; ls >> {{output}}"
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server of the project's folder, on the loopback device."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "in.txt").write_text("word\n")
    (tmp_path / "own.txt").write_text("own\n")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


def run_with_url(folder: Path, url: str, *options: str) -> CompletedProcess[str]:
    variables = {"PYTHONPATH": f"{PLUGIN}:{HERE}:{STORAGE}"}
    return run(folder, FETCHED.format(url=url), "twice", *options, **variables)


def test_htcondor_fetches_what_snakemake_does_not_retrieve(tmp_path: Path, server: str) -> None:
    done = run_with_url(tmp_path, f"{server}/kept/in.txt")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.txt").read_text() == "word\nown\nword\nin.txt\nout.txt\nown.txt\n"
    (listed,) = tmp_path.glob("results/batches/*/jobs.txt")
    assert f"{server}/kept/in.txt, own.txt" in listed.read_text()
    assert not list((tmp_path / ".snakemake" / "storage").rglob("*.txt"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("gopher://host/kept/in.txt", "HTCondor cannot fetch this; it can box"),
        ("http://host/kept/in.txt?version=2", "what ends in a plain file name alone"),
    ],
)
def test_what_htcondor_cannot_fetch_is_refused(tmp_path: Path, server: str, url: str, words: str) -> None:
    done = run_with_url(tmp_path, url)

    assert done.returncode == 1
    assert words in done.stderr
    assert not (tmp_path / "results").exists()


def test_two_urls_of_one_name_are_refused() -> None:
    words = "\n".join(why_not_fetched(["http://host/a/x.fa", "osdf:///b/x.fa", "http://host/a/x.fa"]))

    assert words == "osdf:///b/x.fa and http://host/a/x.fa would both be x.fa in the job; give them two names"
