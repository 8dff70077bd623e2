"""A slower machine: every process of a browser may run only a part of the time."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

SLOW = 4
TURN_SECONDS = 0.008


@contextlib.contextmanager
def slowed(profile: Path, times: int) -> Iterator[None]:
    """Let every process of the browser on `profile` run only one part in `times` of the time."""
    over = threading.Event()

    def hold() -> None:
        known: list[int] = []
        turn = 0
        while not over.is_set():
            if turn % 10 == 0:
                known = processes(profile)
            turn += 1
            _send(known, signal.SIGSTOP)
            time.sleep(TURN_SECONDS * (times - 1) / times)
            _send(known, signal.SIGCONT)
            time.sleep(TURN_SECONDS / times)

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def processes(profile: Path) -> list[int]:
    """The browser on `profile` and all its children."""
    parents: dict[int, int] = {}
    roots: set[int] = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if f"--user-data-dir={profile}".encode() in (entry / "cmdline").read_bytes():
                roots.add(int(entry.name))
    found = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def _send(known: list[int], which: signal.Signals) -> None:
    for pid in known:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, which)
