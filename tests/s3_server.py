"""A real store that speaks S3, on loopback, in a process of its own: nanio from PyPI.

It checks signatures, keeps its objects in a folder and can be stopped like any server. It is fetched once,
by pip, into build/, and not into the environment of the tests: it would bring uvicorn's extras, and with them
another event loop for the product's server.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from databases import ROOT
from real_server import free_port

PINNED = """\
aiofiles==25.1.0 --hash=sha256:abe311e527c862958650f9438e859c1fa7568a141b22abcd015e120e86a85695
defusedxml==0.7.1 --hash=sha256:a352e7e428770286cc899e2542b6cdaedb2b4953ff269a210103ec58f6198a61
nanio==0.1.7 --hash=sha256:ce56c674b02cbe7100d1b57619bd962241adf76dc28b2aebc8b7a4ab560118ea
"""
BUCKET, KEY, SECRET = "photos", "the-tests", "a secret of the tests"
START_SECONDS_MAX = 60


class NotFetched(RuntimeError):
    """The S3 server could not be brought in; the text says why."""


def program() -> Path:
    """The folder that holds it, fetched when it is not there."""
    name = hashlib.sha256(PINNED.encode()).hexdigest()[:12]
    target = ROOT / "build" / f"s3-server-{name}"
    if target.is_dir():
        return target
    target.parent.mkdir(exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".s3-server-"))
    try:
        wanted = scratch / "requirements.txt"
        wanted.write_text(PINNED)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
        into = ["--target", str(scratch / "new")]
        options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", *into]
        done = subprocess.run([*pip, *options, "-r", str(wanted)], capture_output=True, text=True)
        if done.returncode:
            raise NotFetched(f"pip could not bring the S3 server of the tests:\n{done.stderr[-2000:]}")
        try:
            (scratch / "new").rename(target)
        except OSError:
            if not target.is_dir():  # else another worker was first
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


class S3Server:
    """One bucket. As a context it runs; its objects are files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.environment = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        self._process: subprocess.Popen[bytes] | None = None

    def setting(self, prefix: str = "") -> str:
        """For TRUCKROLL_ATTACHMENT_STORE."""
        return f"s3://{BUCKET}/{prefix}?endpoint={self.endpoint}&region=us-east-1"

    def start(self) -> None:
        (self.folder / BUCKET).mkdir(parents=True, exist_ok=True)
        log_path = self.folder.parent / f"{self.folder.name}.log"
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--data-dir", str(self.folder)]
        own = {"PYTHONPATH": str(program()), "NANIO_ACCESS_KEY": KEY, "NANIO_SECRET_KEY": SECRET}
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "nanio", "serve", *options],
                cwd=self.folder, env={**os.environ, **own}, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the S3 server did not start:\n{log_path.read_text()[-3000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=30)
        self._process = None

    def __enter__(self) -> S3Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.endpoint, timeout=2):
                return True
        except urllib.error.HTTPError:
            return True  # it wants a signature, so it is there
        except (urllib.error.URLError, OSError):
            return False
