"""Make an environment from its lock file. It needs nothing but a Python, of any age.

`make env` makes .venv, where everything runs. `make submit-env` makes .venv-submit, which plans, submits and
reports on an access point: no torch, no anisoap, nothing compiled. It says what it will install and how large
that is, and what is missing with the commands that mend it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUBMIT = sys.argv[1:] == ["submit"]

VENV = ROOT / (".venv-submit" if SUBMIT else ".venv")
LOCK = ROOT / "envs" / ("submit.txt" if SUBMIT else "dev.txt")
BOOTSTRAP = ROOT / "envs" / "bootstrap.txt"
PYTHON = VENV / "bin" / "python"

#: The project runs on no earlier CPython, and the published anisoap builds on none after 3.12.
VERSIONS = ("3.11", "3.12", "3.13", "3.14") if SUBMIT else ("3.11", "3.12")

#: Our distributions: the project, and the plugin that takes Snakemake's jobs to HTCondor.
OURS = [folder for folder in (ROOT, ROOT / "condor" / "executor") if (folder / "pyproject.toml").exists()]

TORCH_INDEX = "" if SUBMIT else os.environ.get("TORCH_INDEX", "")

NO_PYTHON = """\
No CPython 3.11 or 3.12 was found{tried}. The published anisoap 0.1.1 builds on no later one.
Install one and run the same command again:
  Debian, Ubuntu   sudo apt-get install python3.11 python3.11-venv   (or python3.12 python3.12-venv)
  macOS            brew install python@3.12
  anywhere         pyenv install 3.12
Or name one: make env ANISWEEP_PYTHON=/path/to/python3.12"""

#: On an access point nobody is root. uv puts the Python that it gets into ~/.local/bin.
NO_PYTHON_TO_SUBMIT = (
    "No CPython 3.11 or later was found{tried}: `python3 -m pip install --user uv && python3 -m uv python "
    "install 3.12` gets one without root; then run the same command again."
)

NO_RUST = """\
No Rust compiler (cargo) was found, and the published anisoap 0.1.1 has a part in Rust.
Install one and run the same command again:
  Debian, Ubuntu   sudo apt-get install cargo
  macOS            brew install rust
  anywhere         see https://rustup.rs"""

NO_VENV = """\
{python} cannot make a virtual environment (its ensurepip is missing).
  Debian, Ubuntu   sudo apt-get install python{version}-venv"""


def main() -> None:
    wanted = wanted_state()
    ready = VENV / "ready"

    if not (ready.exists() and ready.read_text() == wanted):
        make_environment()
        ready.write_text(wanted)
        print("The environment is ready.")

    if SUBMIT:
        print(f'For snakemake and anisweep: export PATH="{VENV / "bin"}:$PATH"')


def make_environment() -> None:
    python = find_python()
    print(f"Making the environment in {VENV.name} with {python}.")
    make_venv(python)

    with tempfile.TemporaryDirectory() as scratch:
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text(without_torch() if TORCH_INDEX else LOCK.read_text())
        install(requirements)

    if not SUBMIT:
        print("Compiling the kernels in C (half a minute on a quiet machine).")

    # Built anew each time: uv does not know whether kernels were compiled the last time.
    for folder in OURS:
        run("uv", "pip", "install", "--quiet", "--no-deps", "--reinstall", "--editable", str(folder))

    if SUBMIT:
        slim()


def wanted_state() -> str:
    """A digest of everything that decides what is installed: locks, what is ours, its compiled kernels."""
    kernels = sorted((ROOT / "src" / "anisweep" / "descriptors" / "kernels").glob("*.[ch]"))
    projects = [folder / "pyproject.toml" for folder in OURS]
    state = hashlib.sha256(TORCH_INDEX.encode())

    for file in [LOCK, ROOT / "setup.py", *projects, *kernels]:
        state.update(file.read_bytes())
    return state.hexdigest()


def find_python() -> str:
    """An interpreter of an allowed version, or the message that says how to get one."""
    named = os.environ.get("ANISWEEP_PYTHON")
    candidates = [named] if named else [f"python{version}" for version in VERSIONS] + ["python3"]

    ours = (ROOT / ".venv" / "bin", ROOT / ".venv-submit" / "bin")
    folders = [*os.environ["PATH"].split(os.pathsep), str(Path.home() / ".local" / "bin")]
    elsewhere = os.pathsep.join(folder for folder in folders if Path(folder) not in ours)

    for candidate in candidates:
        found = shutil.which(candidate, path=elsewhere)
        if found and version_of(found) in VERSIONS:
            return found

    tried = f" at ANISWEEP_PYTHON={named}" if named else " in PATH"
    sys.exit((NO_PYTHON_TO_SUBMIT if SUBMIT else NO_PYTHON).format(tried=tried))


def version_of(python: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = ask(python, "-c", code)
    except OSError:
        return ""  # a file of that name that is no program
    return done.stdout.strip()


def make_venv(python: str) -> None:
    """A new environment with uv, which installs the rest; unless one of the same Python is there."""
    if (VENV / "bin" / "uv").exists() and version_of(str(PYTHON)) == version_of(python):
        return

    shutil.rmtree(str(VENV), ignore_errors=True)
    if ask(python, "-m", "venv", str(VENV)).returncode != 0:
        sys.exit(NO_VENV.format(python=python, version=version_of(python)))

    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes"]
    finish([*pip, "--requirement", str(BOOTSTRAP)])


def install(requirements: Path) -> None:
    """Everything from the cache if it is all there, which takes seconds; else with an announcement."""
    sync = ["uv", "pip", "sync", str(requirements), *([str(BOOTSTRAP)] if SUBMIT else [])]
    cached = ask(*in_venv(*sync, "--offline", "--quiet"))

    if cached.returncode != 0:
        announce(len(re.findall(r"^[a-z0-9]", requirements.read_text(), re.MULTILINE)))
        run(*sync)

    index = VENV / "torch-index"
    if TORCH_INDEX:
        version = re.search(r"^torch==([^\s;]+)", LOCK.read_text(), re.MULTILINE).group(1)
        run("uv", "pip", "install", "--no-deps", "--index-url", TORCH_INDEX, f"torch=={version}")
        index.write_text(TORCH_INDEX)
    elif index.exists():
        index.unlink()


def announce(count: int) -> None:
    """What the download is, and whether what it needs is here."""
    if SUBMIT:
        print(f"Downloading up to {count} packages (about 0.2 GB to download, 0.6 GB on disk; a minute).")
        return

    if shutil.which("cargo") is None:
        sys.exit(NO_RUST)

    torch = "torch's CPU build: about 0.6 GB" if TORCH_INDEX else "torch with CUDA: about 3 GB"
    print(f"Downloading up to {count} packages ({torch} to download, twice that on disk; 1 to 5 minutes),")
    print("and building the published anisoap with Rust (about 40 s). Both are cached for the next time.")


def slim() -> None:
    """Remove what only installed, and the packages' own tests: a sixth of the size."""
    run("uv", "pip", "uninstall", "--quiet", "pip", "setuptools", "uv")

    for folder in VENV.glob("lib/python*/site-packages/*/**/tests"):
        shutil.rmtree(str(folder), ignore_errors=True)


def without_torch() -> str:
    """The lock without torch and what only torch's CUDA build needs."""
    blocks = re.split(r"\n(?=[a-z0-9])", LOCK.read_text())
    return "\n".join(block for block in blocks if not re.match(r"(torch|triton|nvidia-|cuda-)", block))


def run(*command: str) -> None:
    finish(in_venv(*command))


def finish(command: list) -> None:
    """Run to the end, showing what it says; its failure is ours."""
    status = subprocess.run(command, env=environment(), check=False).returncode
    if status != 0:
        sys.exit(f"{Path(command[0]).name} failed (status {status}); what it said above is the reason.")


def ask(*command: str) -> subprocess.CompletedProcess:
    """Run to the end without a word."""
    pipe = subprocess.PIPE
    return subprocess.run(
        command, env=environment(), stdout=pipe, stderr=pipe, universal_newlines=True, check=False
    )


def in_venv(program: str, *arguments: str) -> list:
    return [str(VENV / "bin" / program), *arguments]


def environment() -> dict:
    # Read by setup.py.
    kernels = {"ANISWEEP_KERNELS": "none"} if SUBMIT else {}
    return {**os.environ, "VIRTUAL_ENV": str(VENV), **kernels}


if __name__ == "__main__":
    main()
