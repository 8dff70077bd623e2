from __future__ import annotations

import asyncio

import pytest

from mobile.gateway import SyncReport
from mobile.sync_loop import SyncLoop, pause_after

FINE = SyncReport(drained=True, online=True)
OFFLINE = SyncReport(drained=False, online=False)


class TestThePause:
    def test_is_fifteen_seconds_give_or_take_a_fifth(self):
        assert pause_after(FINE, 0, 0.5) == 15.0
        assert (pause_after(FINE, 0, 0.0), pause_after(FINE, 0, 1.0)) == (12.0, 18.0)

    @pytest.mark.parametrize(
        ("failures", "seconds"), [(1, 30), (2, 60), (3, 120), (4, 240), (5, 300), (60, 300)]
    )
    def test_grows_while_there_is_no_network(self, failures, seconds):
        assert pause_after(OFFLINE, failures, 0.5) == seconds

    def test_heeds_the_server_that_asks_for_less_haste(self):
        asked = SyncReport(drained=False, online=False, retry_in_seconds=90)
        assert pause_after(asked, 1, 0.5) == 90


class SlowGateway:
    """Counts how often it was asked to sync."""

    registered = True

    def __init__(self, report: SyncReport) -> None:
        self.report = report
        self.asked = 0

    async def sync(self) -> SyncReport:
        self.asked += 1
        return self.report


class TestTheLoop:
    def asked_after(self, gateway, deeds) -> int:
        """How often it synced within a moment in which `deeds(loop)` happens."""

        async def moment() -> int:
            loop = SyncLoop(gateway, spread=lambda: 0.5)
            task = asyncio.create_task(loop.run())
            await asyncio.sleep(0.01)
            await deeds(loop)
            await asyncio.sleep(0.01)
            task.cancel()
            return gateway.asked

        return asyncio.run(moment())

    def test_syncs_once_at_the_start_and_then_waits(self):
        async def nothing(loop: SyncLoop) -> None: ...

        assert self.asked_after(SlowGateway(FINE), nothing) == 1

    def test_syncs_at_once_after_a_tap(self):
        async def tap(loop: SyncLoop) -> None:
            loop.nudge()

        assert self.asked_after(SlowGateway(FINE), tap) == 2

    def test_leaves_a_device_alone_that_belongs_to_nobody(self):
        gateway = SlowGateway(FINE)
        gateway.registered = False

        async def tap(loop: SyncLoop) -> None:
            loop.nudge()

        assert self.asked_after(gateway, tap) == 0

    def test_counts_fruitless_tries_until_one_succeeds(self):
        gateway = SlowGateway(OFFLINE)
        loop = SyncLoop(gateway, spread=lambda: 0.5)

        async def tries() -> list[float]:
            waits = [await loop.once(), await loop.once()]
            gateway.report = FINE
            return [*waits, await loop.once()]

        assert asyncio.run(tries()) == [30.0, 60.0, 15.0]
