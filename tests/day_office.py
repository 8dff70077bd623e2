"""The built app and a server process behind it that has Aino's day of today, for tests in a real browser."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pwa_server import build_alone

SERVE = Path(__file__).with_name("serve_day.py")


@contextmanager
def an_office(folder: Path) -> Iterator[str]:
    """The app's address. `folder` takes the build."""
    build_alone(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/app/"
    with subprocess.Popen([sys.executable, str(SERVE), str(folder), str(port)]) as server:
        try:
            _wait_for(url, server)
            yield url
        finally:
            server.kill()  # it would wait as long as a phone does that waits for news


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the server did not start"
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError("the server does not answer")
