"""A real OSRM, for tests and benchmarks: `osrm-routed` from the `osrm-bindings` wheel.

with osrm(map_file, tmp_path) as url: …

The wheel is for Python 3.12 and later, but what it carries are programs, and they run beside any Python. So
it is fetched by pip without being installed, once, into `build/osrm-…`. Where that can't be had (no wheel for
this machine, no network), `need_osrm` skips the test with the reason; what the adapter does is covered by
made-up answers as well.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from databases import ROOT

VERSION = "26.10.0"
TOOLS = ROOT / "build" / f"osrm-{VERSION}"
DOWNLOAD_SECONDS = 180
START_SECONDS = 30


class NoOsrm(RuntimeError):
    """OSRM can't be had here; the message says why."""


@cache
def osrm_tools() -> Path:
    """The wheel's folder, with `bin` and `share`. Raises NoOsrm."""
    if not (TOOLS / "osrm" / "bin" / "osrm-routed").is_file():
        _fetch()
    return TOOLS / "osrm"


def _fetch() -> None:
    TOOLS.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TOOLS.parent, prefix=".osrm-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                   "--no-deps", "--only-binary=:all:", "--python-version=3.12", "--dest", folder,
                   f"osrm-bindings=={VERSION}"]  # fmt: skip
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS)
        except subprocess.CalledProcessError as error:
            said = error.stderr.strip().splitlines()
            raise NoOsrm(f"pip has no osrm-bindings {VERSION} for this machine: {said[-1:]}") from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoOsrm(f"osrm-bindings {VERSION} can't be fetched: {error}") from error
        (wheel,) = Path(folder).glob("*.whl")
        unpacked = Path(folder) / "unpacked"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
        for program in (unpacked / "osrm" / "bin").iterdir():
            program.chmod(0o755)
        try:
            subprocess.run([unpacked / "osrm/bin/osrm-routed", "--version"], check=True, capture_output=True)
            unpacked.rename(TOOLS)
        except (OSError, subprocess.CalledProcessError) as error:
            if not (TOOLS / "osrm").is_dir():  # else another worker was quicker
                raise NoOsrm(f"OSRM {VERSION} does not run on this machine: {error}") from error


def need_osrm() -> Path:
    """`osrm_tools`, or the test is skipped with the reason."""
    try:
        return osrm_tools()
    except NoOsrm as reason:
        pytest.skip(str(reason))


def prepare(map_file: Path, folder: Path) -> Path:
    """Extract and contract `map_file` inside `folder`: the .osrm to serve."""
    tools = osrm_tools()
    (folder / "map.osm.pbf").write_bytes(map_file.read_bytes())
    profiles = folder / "profiles"  # OSRM takes no path with a space in it, as this checkout's may have
    profiles.unlink(missing_ok=True)
    profiles.symlink_to(tools / "share" / "profiles")
    for command in (
        [tools / "bin/osrm-extract", "--threads=1", "-p", "profiles/car.lua", "map.osm.pbf"],
        [tools / "bin/osrm-contract", "--threads=1", "map.osrm"],
    ):
        subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return folder / "map.osrm"


@contextmanager
def osrm(map_file: Path, folder: Path, *options: str) -> Iterator[str]:
    """The address of a server for `map_file`, on loopback, until the block ends."""
    prepared = prepare(map_file, folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [osrm_tools() / "bin/osrm-routed", "--ip=127.0.0.1", f"--port={port}", "--threads=1", *options]
    with subprocess.Popen(
        [*command, prepared], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            _wait(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/nearest/v1/driving/0,0", timeout=2).close()
            return
        except urllib.error.HTTPError:
            return  # it speaks
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"osrm-routed did not start: exit code {server.poll()}")
