"""Get what pip can't bring: Chromium and libzbar, by the system's package manager or by Playwright.

Looks first, changes the system only where that needs no password (root, or a package manager of the user's
own), and otherwise stops with the one command to run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import provision  # tests/provision.py: the finders, shared with the tests


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """A package manager: its programme, what it calls things, and whether it wants root."""

    programme: str
    install: str
    chromium: str  # empty where Playwright's own is the better one
    zbar: str
    refresh: str = ""
    root: bool = True

    def command(self, package: str) -> str:
        return " && ".join(filter(None, (self.refresh, f"{self.install} {package}")))


MANAGERS = (
    Manager(
        programme="apt-get",
        refresh="apt-get update -q",
        install="apt-get install -q -y --no-install-recommends",
        chromium="chromium",
        zbar="libzbar0",
    ),
    Manager(programme="dnf", install="dnf install -q -y", chromium="chromium", zbar="zbar-libs"),
    Manager(programme="pacman", install="pacman -Sy --noconfirm --needed", chromium="chromium", zbar="zbar"),
    Manager(programme="zypper", install="zypper -n install", chromium="chromium", zbar="libzbar0"),
    Manager(programme="apk", install="apk add", chromium="chromium", zbar="zbar"),
    Manager(programme="brew", install="brew install", chromium="", zbar="zbar", root=False),
)


def say(text: str) -> None:
    print(f"dev: {text}", file=sys.stderr, flush=True)


def get_zbar() -> None:
    """Make libzbar loadable, or exit with the command to run."""
    _get("libzbar", provision.find_zbar, lambda manager: manager.zbar)


def get_chromium() -> None:
    """Make a Chromium findable, or exit with the command to run."""
    _get("Chromium", provision.find_chromium, lambda manager: manager.chromium, _by_playwright)


def _get(
    name: str,
    find: Callable[[], object],
    package: Callable[[Manager], str],
    otherwise: Callable[[], None] | None = None,
) -> None:
    if find():
        return
    manager = next((m for m in MANAGERS if shutil.which(m.programme)), None)
    wanted = package(manager) if manager else ""
    command = manager.command(wanted) if manager and wanted else ""
    if manager and command and (not manager.root or os.geteuid() == 0):
        say(f"{name} is missing, getting it: {command}")
        _run(command)
    if otherwise and not _found(find):
        say(f"{name} is still missing, trying Playwright's own")
        otherwise()
    if not _found(find):
        if manager and command:
            advice = f"sudo sh -c '{command}'" if manager.root else command
        elif otherwise:
            advice = ".venv/bin/python -m playwright install chromium"
        else:
            raise SystemExit(
                f"dev: {name} is missing and no package manager is known here. Install it by hand."
            )
        raise SystemExit(f"dev: {name} could not be had. Run this, then start again:\n  {advice}")


def _found(find: Callable[[], object]) -> bool:
    provision.find_chromium.cache_clear()
    provision.find_zbar.cache_clear()
    return bool(find())


def _run(command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    # Its output goes to stderr: stdout belongs to the JSON of `demo --check` and `bench`.
    subprocess.run(
        command, shell=True, stdout=sys.stderr, stdin=subprocess.DEVNULL, env=environment, check=False
    )


def _by_playwright() -> None:
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    try:
        subprocess.run(command, stdout=sys.stderr, stdin=subprocess.DEVNULL, timeout=900, check=False)
    except subprocess.TimeoutExpired:
        say("Playwright's download took too long and was stopped")
