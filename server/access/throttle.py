"""Slows down who asks too often: failed sign-ins by network address, requests by device. In memory: a restart
forgives. Nothing is decided about a request that is turned away, so nothing is lost: it comes back later.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from server.clock import entropy
from shared.problems import Busy, TooMany

KNOWN_MAX = 10_000


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
                seconds = int((failures[0] + self._span - now).total_seconds()) + 1
                detail = f"Too many failed tries from this network. Wait {seconds} s"
                raise TooMany(detail, retry_seconds=seconds)

    def failed(self, address: str, now: datetime) -> None:
        with self._lock:
            if len(self._failures) > KNOWN_MAX:  # forget everybody who has calmed down
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


@dataclass(slots=True)
class _Bucket:
    left: float
    at: datetime


class Buckets:
    """Token buckets: `burst` requests at once, then `per_second`. Remembers the `known_max` newest askers."""

    def __init__(self, per_second: float, burst: int, known_max: int = KNOWN_MAX) -> None:
        self._rate = per_second
        self._burst = float(burst)
        self._known_max = known_max
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def known(self) -> int:
        """How many askers are remembered."""
        return len(self._buckets)

    def take(self, who: str, now: datetime) -> None:
        """One request of `who`. Raises TooMany, and takes nothing, while their bucket is empty."""
        with self._lock:
            bucket = self._buckets.pop(who, None) or _Bucket(self._burst, now)
            passed = max(0.0, (now - bucket.at).total_seconds())  # a clock that was set back gives nothing
            bucket.left = min(self._burst, bucket.left + passed * self._rate)
            bucket.at = now
            self._buckets[who] = bucket
            if len(self._buckets) > self._known_max:
                self._buckets.popitem(last=False)
            if bucket.left < 1:
                seconds = ceil((1 - bucket.left) / self._rate)
                detail = f"This device asks too often. Nothing is lost; it tries again in {seconds} s"
                raise TooMany(detail, retry_seconds=seconds)
            bucket.left -= 1


class Turnstile:
    """At most `inside_max` requests are worked on or wait for it; the next one is asked to come back."""

    def __init__(self, inside_max: int) -> None:
        self._max = inside_max
        self._lock = threading.Lock()
        self.inside = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Raises Busy when all places are taken."""
        with self._lock:
            if self.inside >= self._max:
                # Not all after the same pause: those who were turned away together shall not return together.
                seconds = 1 + entropy(1)[0] % 5
                detail = "More devices are talking than the server can listen to. Nothing is lost"
                raise Busy(detail, retry_seconds=seconds)
            self.inside += 1
        try:
            yield
        finally:
            with self._lock:
                self.inside -= 1
