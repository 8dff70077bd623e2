"""Slows down whoever keeps failing from one network address. In memory: a restart forgives."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta

from shared.problems import TooMany


class Throttle:
    """`failures_max` within `span` are free; then the address waits until the oldest is older than `span`."""

    def __init__(self, failures_max: int = 30, span: timedelta = timedelta(minutes=5)) -> None:
        self._max = failures_max
        self._span = span
        self._failures: dict[str, deque[datetime]] = {}
        self._lock = threading.Lock()

    def check(self, address: str, now: datetime) -> None:
        """Raises TooMany while `address` has to wait."""
        with self._lock:
            failures = self._recent(address, now)
            if len(failures) >= self._max:
                wait = failures[0] + self._span - now
                raise TooMany(
                    f"Too many failed tries from this network. Wait {int(wait.total_seconds()) + 1} s"
                )

    def failed(self, address: str, now: datetime) -> None:
        with self._lock:
            if len(self._failures) > 10_000:  # forget everybody who has calmed down
                for known in list(self._failures):
                    self._recent(known, now)
            self._recent(address, now)
            self._failures.setdefault(address, deque()).append(now)

    def _recent(self, address: str, now: datetime) -> deque[datetime]:
        failures = self._failures.get(address, deque())
        while failures and failures[0] <= now - self._span:
            failures.popleft()
        if not failures:
            self._failures.pop(address, None)
        return failures
