"""Test an image from inside: what its lock file names is installed, and works (`--cuda`: with CUDA)."""

import re
import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path

PLACE = Path("/opt/anisweep")

#: What a worker imports, by the package that must be locked for it.
IMPORTS = {"anisoap": "anisoap.representations", "ase": "ase.io", "psutil": "psutil", "torch": "torch"}


def main() -> None:
    requirements = PLACE / "requirements.txt"
    satisfied = ["pip", "install", "--quiet", "--dry-run", "--no-index", "--no-deps", "--requirement"]
    subprocess.run([sys.executable, "-m", *satisfied, str(requirements)], check=True)

    locked = re.findall(r"^([a-z0-9-]+)==", (PLACE / "lock.txt").read_text(), re.MULTILINE)
    for package in [name for name in IMPORTS if name in locked]:
        import_module(IMPORTS[package])
        print(f"{package} {metadata.version(package)}")

    if not list(PLACE.glob("cache/**/portable.so")):
        sys.exit("no compiled kernels: the mode fused_cpu would compile them in every job")

    if "--cuda" in sys.argv and not import_module("torch").version.cuda:
        sys.exit("torch is no CUDA build: GPU cells would be unavailable. Build without TORCH_INDEX.")


if __name__ == "__main__":
    main()
