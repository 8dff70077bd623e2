"""The Python that the browser runs, ours and the phone's dependencies, as `app.zip` and `files.zip`."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from server.pwa.bare import bare

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = ROOT / "mobile" / "launch" / "main.py"
DISTRIBUTION = "truckroll"

# What the phone runs of this product. All else in the five packages is the server's.
SOURCES = ("mobile", "sync/__init__.py", "sync/protocol.py", "sync/client", "shared")
SUFFIXES = (".py", ".po")
LEFT_OUT = ("mobile/launch/", "mobile/web/")
# Parts of a wheel that only a developer's machine uses.
UNUSED = (
    "**/__pycache__",
    "**/bin",
    "**/tests",
    "**/flutter",
    "flet/testing",
    "**/*.pyi",
    "tzdata/zoneinfo/tzdata.zi",
)


class DependenciesUnavailable(Exception):
    """The phone's dependencies could not be resolved; the message says which and why."""


def sources() -> dict[str, Path]:
    """Path inside the payload → file, for all of ours that the phone runs and reads."""
    found: dict[str, Path] = {}
    for source in SOURCES:
        start = ROOT / source
        for path in sorted(start.rglob("*.*")) if start.is_dir() else [start]:
            if path.suffix not in SUFFIXES:
                continue
            name = path.relative_to(ROOT).as_posix()
            if path.exists() and not name.startswith(LEFT_OUT):
                found[name] = path
    return found


def dependencies() -> list[str]:
    """The product's core dependencies: exactly what the phone needs."""
    requirements = (Requirement(text) for text in metadata.requires(DISTRIBUTION) or [])
    return sorted(str(r) for r in requirements if r.marker is None)


def resolve(wanted: list[str], *, python: str, platform: str, cache: Path) -> Path:
    """A folder with `wanted` and what they need, resolved by pip for Pyodide's platform; kept in `cache`."""
    key = hashlib.sha256(json.dumps([wanted, python, platform, UNUSED]).encode()).hexdigest()[:16]
    folder = cache / f"packages-{key}"
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"packages-{key}.", dir=cache))
    # Bytecode made by this Python is useless in the browser's: it would double the download.
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--only-binary=:all:"]
    command += ["--python-version", python, "--implementation", "cp", "--platform", platform]
    done = subprocess.run([*command, "--target", str(fresh), *wanted], capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise DependenciesUnavailable(f"{', '.join(wanted)} could not be had for {platform}: {reason}")
    _drop_unneeded(fresh, wanted)
    for path in [path for pattern in UNUSED for path in sorted(fresh.glob(pattern), reverse=True)]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    try:
        fresh.rename(folder)
    except OSError:  # another build was quicker with the very same packages
        shutil.rmtree(fresh)
    return folder


def _drop_unneeded(folder: Path, wanted: list[str]) -> None:
    """Remove what pip installed because it judged markers by this machine (httpx, oauthlib and theirs)."""
    installed = {canonicalize_name(d.name): d for d in metadata.distributions(path=[str(folder)])}
    browser: dict[str, str] = {**default_environment(), "platform_system": "Emscripten", "extra": ""}  # type: ignore[dict-item]
    browser |= {"sys_platform": "emscripten", "os_name": "posix"}
    needed: set[str] = set()
    queue = [Requirement(text) for text in wanted]
    while queue:
        requirement = queue.pop()
        name = canonicalize_name(requirement.name)
        if name in needed or (requirement.marker and not requirement.marker.evaluate(browser)):
            continue
        needed.add(name)
        queue += [Requirement(text) for text in installed[name].requires or []]
    for name in installed.keys() - needed:
        for file in installed[name].files or []:
            path = folder / file
            if path.is_relative_to(folder) and path.is_file():
                path.unlink()
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def pack(out: Path, *, main: Path, packages: Path, config: dict[str, str]) -> None:
    """Write `app.zip`, which Python imports from, and `files.zip`, which it can't.

    What others wrote goes without its documentation. Compiled packages have to lie as files. Both are stored:
    brotli makes them smaller than deflate would. The same input gives the same bytes, so that nobody
    downloads it twice.
    """
    app = {name: path.read_bytes() for name, path in {"main.py": main, **sources()}.items()}
    files = {"truckroll.json": json.dumps(config, sort_keys=True).encode()}
    compiled = {path.relative_to(packages).parts[0] for path in packages.rglob("*.so")}
    for path in sorted(packages.rglob("*")):
        name = path.relative_to(packages)
        if path.is_file():
            content = bare(path.read_bytes()) if path.suffix == ".py" else path.read_bytes()
            (files if name.parts[0] in compiled else app)[name.as_posix()] = content
    for target, contents in (("app.zip", app), ("files.zip", files)):
        with zipfile.ZipFile(out / target, "w") as archive:
            for entry, content in sorted(contents.items()):
                archive.writestr(zipfile.ZipInfo(entry), content)
