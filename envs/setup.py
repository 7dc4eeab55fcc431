"""Makes the environment in .venv from its lock: `make env`. Needs nothing but a Python.

It says what it will install and how large that is, and what is missing with the commands that mend it.
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
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "envs" / "dev.txt"

#: The published anisoap builds on no later CPython, and the project on no earlier one.
VERSIONS = ("3.11", "3.12")

TORCH_INDEX = os.environ.get("TORCH_INDEX", "")

NO_PYTHON = """\
No CPython 3.11 or 3.12 was found{tried}. The published anisoap 0.1.1 builds on no later one.
Install one and run the same command again:
  Debian, Ubuntu   sudo apt-get install python3.11 python3.11-venv   (or python3.12 python3.12-venv)
  macOS            brew install python@3.12
  anywhere         pyenv install 3.12
Or name one: make env ANISWEEP_PYTHON=/path/to/python3.12"""

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

    if ready.exists() and ready.read_text() == wanted:
        return

    python = find_python()
    print(f"Making the environment in .venv with {python}.")
    make_venv(python)

    with tempfile.TemporaryDirectory() as scratch:
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text(without_torch() if TORCH_INDEX else LOCK.read_text())
        install(requirements)

    run("uv", "pip", "install", "--quiet", "--no-deps", "--editable", str(ROOT))
    ready.write_text(wanted)
    print("The environment is ready.")


def wanted_state() -> str:
    """A digest of everything that decides what is installed: locks, the project, its compiled kernels."""
    kernels = sorted((ROOT / "src" / "anisweep" / "descriptors" / "kernels").glob("*"))
    state = hashlib.sha256(TORCH_INDEX.encode())

    for file in [LOCK, ROOT / "pyproject.toml", ROOT / "setup.py", *kernels]:
        state.update(file.read_bytes())
    return state.hexdigest()


def find_python() -> str:
    """An interpreter that can build anisoap, or the message that says how to get one."""
    named = os.environ.get("ANISWEEP_PYTHON")
    candidates = [named] if named else [f"python{version}" for version in VERSIONS] + ["python3"]

    elsewhere = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if Path(p) != VENV / "bin")

    for candidate in candidates:
        found = shutil.which(candidate, path=elsewhere)
        if found and version_of(found) in VERSIONS:
            return found

    tried = f" at ANISWEEP_PYTHON={named}" if named else " in PATH"
    sys.exit(NO_PYTHON.format(tried=tried))


def version_of(python: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return ""  # a file of that name that is no program
    return done.stdout.strip()


def make_venv(python: str) -> None:
    """A new environment, unless one of the same Python is there; with uv, which installs the rest."""
    if not PYTHON.exists() or version_of(str(PYTHON)) != version_of(python):
        shutil.rmtree(VENV, ignore_errors=True)
        made = subprocess.run([python, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            sys.exit(NO_VENV.format(python=python, version=version_of(python)))

    if not (VENV / "bin" / "uv").exists():
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes"]
        finish([*pip, "--requirement", str(ROOT / "envs" / "bootstrap.txt")])


def install(requirements: Path) -> None:
    """Everything from the cache if it is all there, which takes seconds; else with an announcement."""
    sync = ["uv", "pip", "sync", str(requirements)]
    cached = subprocess.run(
        in_venv(*sync, "--offline", "--quiet"), env=environment(), capture_output=True, check=False
    )

    if cached.returncode != 0:
        if shutil.which("cargo") is None:
            sys.exit(NO_RUST)

        count = len(re.findall(r"^[a-z0-9]", requirements.read_text(), re.MULTILINE))
        torch = "torch's CPU build: about 0.6 GB" if TORCH_INDEX else "torch with CUDA: about 3 GB"
        print(
            f"Downloading up to {count} packages ({torch} to download, twice that on disk; 1 to 5 minutes),"
        )
        print("and building the published anisoap with Rust (about 40 s). Both are cached for the next time.")
        run(*sync)

    if TORCH_INDEX:
        version = re.search(r"^torch==([^\s;]+)", LOCK.read_text(), re.MULTILINE).group(1)
        run("uv", "pip", "install", "--no-deps", "--index-url", TORCH_INDEX, f"torch=={version}")
        (VENV / "torch-index").write_text(TORCH_INDEX)
    else:
        (VENV / "torch-index").unlink(missing_ok=True)


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


def in_venv(program: str, *arguments: str) -> list:
    return [str(VENV / "bin" / program), *arguments]


def environment() -> dict:
    return {**os.environ, "VIRTUAL_ENV": str(VENV)}


if __name__ == "__main__":
    main()
