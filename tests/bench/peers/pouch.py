"""PouchDB and express-pouchdb as the yardstick: brought by npm into `build/`, each in a process of its own.

The lock names every package's version and SHA-512 and no registry: npm asks the one that the machine uses.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from real_server import free_port

from server.web.vendor_assets import find_npm

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[2] / "build" / "bench-peers"
FILES = ("package.json", "package-lock.json", "server.js", "client.js")
DEFAULTS = "PouchDB 9 to express-pouchdb 4, LevelDB on both sides, as they ship"


def install() -> None:
    """Bring the pinned packages into `build/bench-peers`, once for a state of the lock (about 10 s)."""
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = BUILD / "installed.lock"
    BUILD.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(HERE / name, BUILD / name)
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    print("fetching the peers by npm", file=sys.stderr, flush=True)
    done = subprocess.run(
        [*find_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional"],
        cwd=BUILD, env=_environment(), capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"npm could not install the peers: {done.stderr.strip()[-1000:]}")
    stamp.write_bytes(lock)


def _environment() -> dict[str, str]:
    # npm starts helpers by name, so its own node comes first.
    folder = str(Path(_node()).parent)
    return {**os.environ, "PATH": os.pathsep.join([folder, os.environ.get("PATH", "")])}


def _node() -> str:
    command = find_npm()
    if len(command) > 1:
        return command[0]
    node = shutil.which("node")
    assert node, "npm is here, so is node"
    return node


class PouchServer:
    """express-pouchdb with its databases in `folder`."""

    def __init__(self, folder: Path) -> None:
        install()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._process: subprocess.Popen[str] | None = None
        self._tasks = 0

    def __enter__(self) -> PouchServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Returns when it listens."""
        self._process = subprocess.Popen(
            [_node(), str(BUILD / "server.js"), str(self.folder), str(self.port)],
            cwd=BUILD, stdout=subprocess.PIPE, stderr=sys.stderr, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        if not self._process.stdout.readline().strip().isdigit():
            raise RuntimeError("express-pouchdb did not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._process = None

    def run(self, scenario: str, *, database: str = "", seconds: float = 600, **task: Any) -> dict[str, Any]:
        """One task of client.js in a fresh Node process with a fresh folder, and its answer."""
        self._tasks += 1
        folder = self.folder / f"client-{self._tasks}"
        folder.mkdir()
        task = {"scenario": scenario, "url": self.url + database, "folder": str(folder)} | task
        done = subprocess.run(
            [_node(), "--no-warnings", str(BUILD / "client.js")],
            cwd=BUILD, input=json.dumps(task), stdout=subprocess.PIPE, stderr=sys.stderr,
            text=True, timeout=seconds, check=True,
        )  # fmt: skip
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return answer


def documents(path: Path, bodies: list[tuple[str, bytes]]) -> Path:
    """A file of one JSON document a line: `_id`, and a body of JSON as it travels in our own answers."""
    with path.open("wb") as file:
        for key, body in bodies:
            file.write(b'{"_id": %s, "body": %s}\n' % (json.dumps(key).encode(), body))
    return path
