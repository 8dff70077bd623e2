"""For tests of the browser app: its build, a server process that can really be stopped, rendered labels."""

from __future__ import annotations

import fcntl
import io
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image

from server.pwa.build import DEFAULT_OUT, BuildInfo, build_pwa

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "tests" / "server" / "pwa" / "serve_folder.py"


def build_alone(out: Path = DEFAULT_OUT, **options: Any) -> BuildInfo:
    """`build_pwa`, of which only one runs at a time in this checkout: workers share what is kept."""
    kept = ROOT / "build"
    kept.mkdir(exist_ok=True)
    with (kept / "pwa.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return build_pwa(out, **options)


class ServerProcess:
    """A real server in a process of its own, on one port for its whole life."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/app/"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, str(SCRIPT), str(self._folder), str(self.port)]
        self._process = subprocess.Popen(command, env=environment)
        deadline = time.monotonic() + 30
        while not self.answers():
            assert time.monotonic() < deadline and self._process.poll() is None, "the server did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
        assert not self.answers()

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def label(*codes: tuple[str, str]) -> bytes:
    """A 1280 x 720 JPEG of a label that carries `codes` (text, symbology), one below the other."""
    paper = Image.new("L", (1280, 720), 235)
    height = 640 // len(codes)
    for row, (text, symbology) in enumerate(codes):
        code = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, symbology))
        picture = Image.fromarray(code.to_image(scale=4))
        picture.thumbnail((1100, height - 40))
        paper.paste(picture, ((1280 - picture.width) // 2, 50 + row * height))
    out = io.BytesIO()
    paper.save(out, "JPEG", quality=85)
    return out.getvalue()
