"""The product's server in a process of its own, on one port, that can really be stopped and killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import fields
from pathlib import Path

from server.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS_MAX = 60


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class RealServer:
    """`python -m server serve` on `settings`. One port for its whole life, however often it stops."""

    def __init__(self, settings: Settings, port: int, log: Path) -> None:
        self.settings = settings
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.program: tuple[str, ...] = ("-m", "server")
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers. Raises RuntimeError with the end of its log when it does not."""
        variables = {
            f"TRUCKROLL_{field.name.upper()}": str(getattr(self.settings, field.name))
            for field in fields(self.settings)
        }
        command = [sys.executable, *self.program, "serve", "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **variables}, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = self._log.read_text(errors="replace")[-3000:]
                raise RuntimeError(f"the server did not start:\n{tail}")
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        assert self._process is not None, "it runs"
        return self._process.pid

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """As an operator would: SIGTERM, and wait until it is gone."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(timeout=30)
        self._process = None
