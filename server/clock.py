"""The server's clock and source of ids, in one place, so that a simulation can bring its own."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from uuid import UUID

from shared.ids import new_id


def utc_now() -> datetime:
    return datetime.now(UTC)


def mint() -> UUID:
    """A new UUIDv7."""
    return new_id(time.time_ns() // 1_000_000, os.urandom(10))
