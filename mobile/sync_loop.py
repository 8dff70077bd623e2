"""When to talk to the server: at once after a tap, listening while in view, ever more rarely offline."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from mobile.gateway import Gateway, SyncReport

log = logging.getLogger(__name__)

EVERY_SECONDS = 15.0
OFFLINE_SECONDS_MAX = 300.0
HELD_BACK_SECONDS = 5.0
"""A server that says "nothing new" sooner does not hold answers back: ask it now and then instead."""


def pause_after(report: SyncReport, failures: int, spread: float) -> float:
    """Seconds until the next try. `failures` counts fruitless tries in a row, `spread` is 0 to 1."""
    wait = EVERY_SECONDS if report.online else min(EVERY_SECONDS * 2**failures, OFFLINE_SECONDS_MAX)
    if report.retry_in_seconds is not None:
        wait = min(wait, report.retry_in_seconds) if report.online else max(report.retry_in_seconds, 1.0)
    spread_out = wait * (4 + 2 * spread) / 5  # so that a depot full of vans does not call in step
    return max(spread_out, report.not_before_seconds * (1 + spread / 4))


class SyncLoop:
    """One task of the app's event loop; `nudge` makes it try at once, `sleep`ing phones are left alone."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        until_visible: Callable[[], Awaitable[object]] | None = None,
        spread: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gateway = gateway
        self._until_visible = until_visible
        self._spread = spread
        self._monotonic = monotonic
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hidden = False
        self.failures = 0

    def nudge(self) -> None:
        """Talk at once. From any thread: on some devices taps come from others."""
        self._hidden = False
        self._gateway.wake()
        if self._loop is None:
            self._wake.set()
        else:
            self._loop.call_soon_threadsafe(self._wake.set)

    def hide(self) -> None:
        """Nobody looks at the app: no request waits for news any more. `nudge` begins again."""
        self._hidden = True
        self._gateway.stop_listening()

    async def run(self) -> None:
        """Runs for as long as the app does."""
        self._loop = asyncio.get_running_loop()
        while True:
            if self._until_visible is not None:
                await self._until_visible()
            self._wake.clear()
            try:
                wait = await self.once() if self._has_business() else EVERY_SECONDS
            except Exception:
                # A mistake of ours in one round must not end all talking until the app is started anew.
                log.exception("the talk with the server broke off")
                self.failures += 1
                wait = min(EVERY_SECONDS * 2**self.failures, OFFLINE_SECONDS_MAX)
            try:
                await asyncio.wait_for(self._wake.wait(), wait)
            except TimeoutError:
                continue

    async def once(self) -> float:
        """One try, and then listening for as long as that goes well; returns the seconds to wait after it."""
        report = await self._gateway.sync()
        while self._may_listen(report):
            began = self._monotonic()
            report = await self._gateway.listen()
            soon = self._monotonic() - began < HELD_BACK_SECONDS
            if soon and not report.brought_news:
                break
        self.failures = 0 if report.online else self.failures + 1
        return pause_after(report, self.failures, self._spread())

    def _has_business(self) -> bool:
        return self._gateway.registered or self._gateway.must_confirm_wipe

    def _may_listen(self, report: SyncReport) -> bool:
        return report.drained and report.online and not self._hidden and not self._wake.is_set()
