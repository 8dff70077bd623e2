"""When to talk to the server: at once after a tap, now and then otherwise, ever more rarely while offline."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from mobile.gateway import Gateway, SyncReport

EVERY_SECONDS = 15.0
OFFLINE_SECONDS_MAX = 300.0


def pause_after(report: SyncReport, failures: int, spread: float) -> float:
    """Seconds until the next try. `failures` counts fruitless tries in a row, `spread` is 0 to 1."""
    wait = EVERY_SECONDS if report.online else min(EVERY_SECONDS * 2**failures, OFFLINE_SECONDS_MAX)
    if report.retry_in_seconds is not None:
        wait = min(wait, report.retry_in_seconds) if report.online else max(report.retry_in_seconds, 1.0)
    return wait * (4 + 2 * spread) / 5  # so that a depot full of vans does not call in step


class SyncLoop:
    """One task of the app's event loop; `nudge` makes it try at once, `sleep`ing phones are left alone."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        until_visible: Callable[[], Awaitable[object]] | None = None,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._gateway = gateway
        self._until_visible = until_visible
        self._spread = spread
        self._wake = asyncio.Event()
        self.failures = 0

    def nudge(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Runs for as long as the app does."""
        while True:
            if self._until_visible is not None:
                await self._until_visible()
            self._wake.clear()
            wait = await self.once() if self._gateway.registered else EVERY_SECONDS
            try:
                await asyncio.wait_for(self._wake.wait(), wait)
            except TimeoutError:
                continue

    async def once(self) -> float:
        """One try; returns the seconds to wait after it."""
        report = await self._gateway.sync()
        self.failures = 0 if report.online else self.failures + 1
        return pause_after(report, self.failures, self._spread())
