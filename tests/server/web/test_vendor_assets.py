"""Bringing the browser's libraries in, and refusing what is not what we pinned."""

from __future__ import annotations

import dataclasses
import json
import shutil
import stat
from pathlib import Path

import pytest

from server.web import vendor_assets
from server.web.vendor_assets import PACKAGES, Package, VendorError, fetch, is_complete, unpack, vendor

VENDOR = Path(vendor_assets.__file__).parent / "vendor"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The vendored folder of this installation, free to spoil."""
    assert VENDOR.is_dir(), "run python -m server.web.vendor_assets"
    return Path(shutil.copytree(VENDOR, tmp_path / "vendor"))


def an_npm(folder: Path, script: str) -> list[str]:
    """A program that stands where npm does."""
    path = folder / "npm"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return [str(path)]


class TestWhatIsThere:
    def test_needs_no_npm_when_every_file_is_the_checked_one(
        self, copy: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(vendor_assets, "find_npm", lambda: pytest.fail("asked for npm"))
        assert vendor(copy) is False

    def test_keeps_every_package_with_its_licence(self):
        for package in PACKAGES:
            names = {path.name for path in (VENDOR / package.folder).rglob("*")}
            assert names & {"LICENSE", "LICENSE.txt"}, package.name

    def test_is_incomplete_when_a_file_is_missing_changed_or_of_another_version(self, copy: Path):
        assert is_complete(copy)
        (copy / "htmx" / "htmx.min.js").write_text("changed")
        assert not is_complete(copy)
        (copy / "htmx" / "htmx.min.js").unlink()
        assert not is_complete(copy)
        shutil.rmtree(copy)
        shutil.copytree(VENDOR, copy)
        stamp = json.loads((copy / "stamp.json").read_text())
        stamp["packages"] = {"htmx.org@1.0.0": "x"}
        (copy / "stamp.json").write_text(json.dumps(stamp))
        assert not is_complete(copy)


class TestFetching:
    def test_refuses_a_tarball_that_is_not_the_pinned_one(self, tmp_path: Path):
        npm = an_npm(tmp_path, 'echo "not it" > package.tgz; echo package.tgz')
        with pytest.raises(VendorError, match=r"^package\.tgz is not the file we pinned: its SHA-512 is "):
            fetch(PACKAGES[0], npm, tmp_path)

    def test_says_what_npm_said_when_it_failed(self, tmp_path: Path):
        npm = an_npm(tmp_path, "echo 'network is down' >&2; exit 1")
        expected = r"^maplibre-gl@6\.17\.0 could not be fetched from the npm registry: network is down$"
        with pytest.raises(VendorError, match=expected):
            fetch(PACKAGES[0], npm, tmp_path)

    def test_keeps_what_is_there_when_fetching_fails(self, copy: Path, monkeypatch: pytest.MonkeyPatch):
        (copy / "htmx" / "htmx.min.js").write_text("changed")
        npm = an_npm(copy.parent, "exit 1")
        monkeypatch.setattr(vendor_assets, "find_npm", lambda: npm)
        with pytest.raises(VendorError):
            vendor(copy)
        assert (copy / "maplibre-gl" / "maplibre-gl.mjs").exists()
        assert [path.name for path in copy.parent.iterdir() if path.name.startswith(".vendor")] == []

    def test_names_the_file_that_a_package_lacks(self, tmp_path: Path):
        import tarfile

        tarball = tmp_path / "a-1.tgz"
        with tarfile.open(tarball, "w:gz"):
            pass
        package: Package = dataclasses.replace(PACKAGES[1], files={"dist/gone.js": "gone.js"})
        with pytest.raises(VendorError, match=r"^a-1\.tgz holds no dist/gone\.js\.$"):
            unpack(package, tarball, tmp_path)
