"""The server's clock and source of ids, in one place, so that a simulation can bring its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from shared.ids import new_id


def _machine_now() -> datetime:
    return datetime.now(UTC)


_now: Callable[[], datetime] = _machine_now
_entropy: Callable[[int], bytes] = os.urandom


def utc_now() -> datetime:
    return _now()


def entropy(count: int) -> bytes:
    """Random bytes; in a simulation those of its seed."""
    return _entropy(count)


def mint() -> UUID:
    """A new UUIDv7."""
    return new_id(int(_now().timestamp() * 1000), _entropy(10))


@contextmanager
def running_on(now: Callable[[], datetime], entropy: Callable[[int], bytes]) -> Iterator[None]:
    """Within this block the whole process takes time and chance from a simulation."""
    global _now, _entropy
    before = _now, _entropy
    _now, _entropy = now, entropy
    try:
        yield
    finally:
        _now, _entropy = before
