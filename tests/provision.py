"""Find what tests need beyond pip: a Chromium and libzbar. Only looks; `./dev setup` installs.

Standard library only, because `.ci/dev.py` uses it too. A test that needs one of these calls
`need_chromium()` or `need_zbar()`, which fail with the one command to run. They never skip.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

GET_THEM = "./dev setup"

_ON_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge",
            "microsoft-edge")  # fmt: skip
_MAC_APPS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
_PLAYWRIGHT_FOLDERS = {
    "Linux": "~/.cache/ms-playwright",
    "Darwin": "~/Library/Caches/ms-playwright",
    "Windows": "~/AppData/Local/ms-playwright",
}
_IN_PLAYWRIGHT_FOLDER = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
    "chromium-*/chrome-win*/chrome.exe",
)
_ZBAR_PLACES = tuple(
    f"{prefix}/lib/libzbar.dylib" for prefix in ("/opt/homebrew", "/usr/local", "/opt/local")
)


class NotProvided(RuntimeError):
    """Something a test needs is not on this machine; the text says how to get it."""


@cache
def find_chromium() -> Path | None:
    """The browser for tests: $TRUCKROLL_CHROMIUM, else one on the machine, else Playwright's own.

    Raises NotProvided when $TRUCKROLL_CHROMIUM is set and does not run: what was asked for is not replaced.
    """
    if named := os.environ.get("TRUCKROLL_CHROMIUM"):
        if not _runs(Path(named)):
            raise NotProvided(f"TRUCKROLL_CHROMIUM={named} is not a browser that runs here.")
        return Path(named)
    return next((path for path in _chromium_places() if _runs(path)), None)


@cache
def find_zbar() -> str | None:
    """The name or path under which libzbar loads here, or None."""
    for name in (ctypes.util.find_library("zbar"), *_ZBAR_PLACES):
        if name:
            try:
                ctypes.CDLL(name)
            except OSError:
                continue
            return name
    # pyzbar's wheels for Windows carry the library themselves.
    return "pyzbar" if sys.platform == "win32" else None


def need_chromium() -> Path:
    """The browser, or NotProvided with the command that gets one."""
    if found := find_chromium():
        return found
    raise NotProvided(f"Chromium was not found. Run {GET_THEM}, or name a browser in TRUCKROLL_CHROMIUM.")


def need_zbar() -> str:
    """libzbar, or NotProvided with the command that gets it."""
    if found := find_zbar():
        return found
    raise NotProvided(f"libzbar was not found. Run {GET_THEM}.")


def _chromium_places() -> Iterator[Path]:
    for name in _ON_PATH:
        if found := shutil.which(name):
            yield Path(found)
    if sys.platform == "darwin":
        yield from map(Path, _MAC_APPS)
    folder = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or _PLAYWRIGHT_FOLDERS.get(platform.system(), "")
    for pattern in _IN_PLAYWRIGHT_FOLDER if folder else ():
        yield from sorted(Path(folder).expanduser().glob(pattern), reverse=True)


def _runs(path: Path) -> bool:
    # Ubuntu's /usr/bin/chromium-browser may be a stub that only asks for a snap, so being there isn't enough.
    if not path.is_file():
        return False
    if sys.platform == "win32":
        return True  # there, `--version` opens a window
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, timeout=30, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.strip() != b""
