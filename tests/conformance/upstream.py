"""The published package's own unit tests and first example, with our projection in place of its own.

`make conformance`. The source release of anisoap 0.1.1 is downloaded, unless ANISOAP_SDIST names it; the
example needs the folder of ANISWEEP_DATA, since its data is not in the release.
"""

import lzma
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

RELEASE = "anisoap-0.1.1"

REPLACE = """\
import anisoap.representations as package
import anisoap.representations.ellipsoidal_density_projection as module
from anisweep.descriptors import EllipsoidalDensityProjection as Ours



def refuse(*args, **settings):
    raise AssertionError("the published projection was used, not ours")


module.EllipsoidalDensityProjection.__init__ = refuse
package.EllipsoidalDensityProjection = module.EllipsoidalDensityProjection = Ours
"""


def release(folder: Path) -> Path:
    """The unpacked source release."""
    given = os.environ.get("ANISOAP_SDIST")
    if given is None:
        command = ["pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(folder)]
        subprocess.run([sys.executable, "-m", *command, RELEASE.replace("-", "==")], check=True)
        given = str(folder / f"{RELEASE}.tar.gz")

    with tarfile.open(given) as archive:
        # Python 3.11.2, which Debian 12 has, knows no filters.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        archive.extractall(folder)
    return folder / RELEASE


def unit_tests(source: Path) -> bool:
    tests = source / "tests" / "unit-tests"
    (tests / "conftest.py").write_text(REPLACE, encoding="utf-8")
    options = ["-rs", "-p", "no:cacheprovider", "--disable-warnings", "--rootdir", str(tests)]
    done = subprocess.run([sys.executable, "-m", "pytest", *options, str(tests)], cwd=tests, check=False)
    return done.returncode == 0


def first_example(source: Path) -> bool:
    data = os.environ.get("ANISWEEP_DATA")
    if data is None:
        print("skipped: example01 (ANISWEEP_DATA names no folder with ellipsoids.xyz.xz)")
        return True

    notebooks = source / "notebooks"
    frames = lzma.decompress((Path(data) / "ellipsoids.xyz.xz").read_bytes())
    (notebooks / "ellipsoids.xyz").write_bytes(frames)
    example = next(notebooks.glob("example01*.py")).read_text(encoding="utf-8")
    (notebooks / "ours.py").write_text(REPLACE + example, encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "ours.py"],
        cwd=notebooks,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    wanted = ["representations are equivalent", "has translational invariance", "has rotation invariance"]
    missing = [line for line in wanted if line not in done.stdout]
    passed = done.returncode == 0 and not missing
    print("passed: example01" if passed else f"failed: example01 {missing}\n{done.stderr}")
    return passed


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = release(Path(folder))
        results = [unit_tests(source), first_example(source)]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
