"""What tests need beyond pip is found, got, or asked for in one command; it is never skipped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import provision
import pytest
from databases import ROOT


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """The installer of .ci/, with nothing installed for real."""
    monkeypatch.syspath_prepend(str(ROOT / ".ci"))
    import machine

    yield machine
    del sys.modules["machine"]


@pytest.fixture(autouse=True)
def forgetful():
    yield
    provision.find_chromium.cache_clear()
    provision.find_zbar.cache_clear()


class TestFinding:
    def test_gives_a_browser_that_runs(self, chromium: Path):
        answer = subprocess.run([chromium, "--version"], capture_output=True, text=True, check=True)
        assert any(name in answer.stdout for name in ("Chrom", "Edge"))

    def test_gives_a_libzbar_that_loads(self, zbar: str):
        import ctypes

        assert ctypes.CDLL(zbar).zbar_version is not None

    def test_does_not_replace_a_browser_that_was_named(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
        stub = tmp_path / "chromium"
        stub.write_text("#!/bin/sh\necho please install the snap >&2\nexit 1\n")
        stub.chmod(0o755)
        monkeypatch.setenv("TRUCKROLL_CHROMIUM", str(stub))
        provision.find_chromium.cache_clear()
        with pytest.raises(
            provision.NotProvided, match=r"TRUCKROLL_CHROMIUM=.* is not a browser that runs here"
        ):
            provision.need_chromium()

    def test_names_the_one_command_when_there_is_none(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
        monkeypatch.delenv("TRUCKROLL_CHROMIUM", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
        monkeypatch.setattr(provision, "_MAC_APPS", ())
        provision.find_chromium.cache_clear()
        with pytest.raises(provision.NotProvided, match=r"Run \./dev setup"):
            provision.need_chromium()


class TestGetting:
    def test_leaves_alone_what_is_there(self, machine, monkeypatch: pytest.MonkeyPatch, zbar: str):
        monkeypatch.setattr(machine, "_run", lambda command: pytest.fail(command))
        machine.get_zbar()

    def test_as_root_asks_the_package_manager(self, machine, monkeypatch: pytest.MonkeyPatch):
        ran: list[str] = []
        monkeypatch.setattr(machine.os, "geteuid", lambda: 0)
        monkeypatch.setattr(machine.shutil, "which", lambda name: name if name == "apt-get" else None)
        monkeypatch.setattr(machine, "_run", ran.append)
        monkeypatch.setattr(provision, "find_zbar", finding("nothing", "libzbar.so.0", calls=ran))
        machine.get_zbar()
        assert ran == ["apt-get update -q && apt-get install -q -y --no-install-recommends libzbar0"]

    def test_as_somebody_else_stops_with_the_command(self, machine, monkeypatch: pytest.MonkeyPatch):
        ran: list[str] = []
        monkeypatch.setattr(machine.os, "geteuid", lambda: 1000)
        monkeypatch.setattr(machine.shutil, "which", lambda name: name if name == "dnf" else None)
        monkeypatch.setattr(machine, "_run", ran.append)
        monkeypatch.setattr(provision, "find_zbar", finding("nothing", "nothing", calls=ran))
        with pytest.raises(SystemExit, match="sudo sh -c 'dnf install -q -y zbar-libs'"):
            machine.get_zbar()
        assert ran == []


def finding(before: str, after: str, *, calls: list[str]):
    """A finder on a machine where the library is `before`, and `after` once something was run."""

    def find() -> str | None:
        found = after if calls else before
        return None if found == "nothing" else found

    find.cache_clear = lambda: None  # type: ignore[attr-defined]
    return find
