from __future__ import annotations

import asyncio
import contextlib

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

    def test_is_never_shorter_than_the_server_asked_for(self):
        asked = SyncReport(drained=False, online=True, retry_in_seconds=90, not_before_seconds=90)
        assert [pause_after(asked, 1, spread) for spread in (0.0, 0.5, 1.0)] == [90.0, 101.25, 112.5]


class SlowGateway:
    """Counts how often it was asked to sync. `listen` ends with news, a wake, or after `holds` seconds."""

    registered = True
    must_confirm_wipe = False

    def __init__(self, report: SyncReport, *, holds: float = 60.0) -> None:
        self.report = report
        self.holds = holds
        self.asked = 0
        self.listened = 0
        self.ends = asyncio.Event()
        self.news = SyncReport(drained=True, online=True)

    async def sync(self) -> SyncReport:
        self.asked += 1
        return self.report

    async def listen(self) -> SyncReport:
        self.listened += 1
        self.ends.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ends.wait(), self.holds)
        return self.news

    def wake(self) -> None:
        self.ends.set()

    stop_listening = wake


class TestTheLoop:
    def after(self, gateway, deeds) -> SyncLoop:
        """The loop after a moment in which `deeds(loop)` happens."""

        async def moment() -> SyncLoop:
            loop = SyncLoop(gateway, spread=lambda: 0.5)
            task = asyncio.create_task(loop.run())
            await asyncio.sleep(0.01)
            await deeds(loop)
            await asyncio.sleep(0.01)
            task.cancel()
            return loop

        return asyncio.run(moment())

    def test_syncs_once_at_the_start_and_then_listens(self):
        async def nothing(loop: SyncLoop) -> None: ...

        gateway = SlowGateway(FINE)
        self.after(gateway, nothing)
        assert (gateway.asked, gateway.listened) == (1, 1)

    def test_syncs_at_once_after_a_tap(self):
        async def tap(loop: SyncLoop) -> None:
            loop.nudge()

        gateway = SlowGateway(FINE)
        self.after(gateway, tap)
        assert (gateway.asked, gateway.listened) == (2, 2)

    def test_a_tap_from_another_thread_counts_too(self):
        async def tap(loop: SyncLoop) -> None:
            await asyncio.to_thread(loop.nudge)

        gateway = SlowGateway(FINE)
        self.after(gateway, tap)
        assert gateway.asked == 2

    def test_listens_on_after_news(self):
        async def news(loop: SyncLoop) -> None:
            for _ in range(3):
                gateway.news = SyncReport(drained=True, online=True, rows=1)
                gateway.ends.set()
                await asyncio.sleep(0.005)

        gateway = SlowGateway(FINE)
        self.after(gateway, news)
        assert (gateway.asked, gateway.listened) == (1, 4)

    def test_asks_now_and_then_where_the_server_holds_nothing_back(self):
        async def nothing(loop: SyncLoop) -> None: ...

        gateway = SlowGateway(FINE, holds=0)
        self.after(gateway, nothing)
        assert (gateway.asked, gateway.listened) == (1, 1)

    def test_does_not_listen_while_something_waits_to_be_sent_or_there_is_no_network(self):
        async def nothing(loop: SyncLoop) -> None: ...

        for report in (OFFLINE, SyncReport(drained=False, online=True)):
            gateway = SlowGateway(report)
            self.after(gateway, nothing)
            assert (gateway.asked, gateway.listened) == (1, 0)

    def test_stops_listening_in_the_background_until_somebody_looks_again(self):
        async def away(loop: SyncLoop) -> None:
            loop.hide()
            await asyncio.sleep(0.01)
            assert (gateway.asked, gateway.listened) == (1, 1)
            loop.nudge()

        gateway = SlowGateway(FINE)
        self.after(gateway, away)
        assert (gateway.asked, gateway.listened) == (2, 2)

    def test_leaves_a_device_alone_that_belongs_to_nobody(self):
        async def tap(loop: SyncLoop) -> None:
            loop.nudge()

        gateway = SlowGateway(FINE)
        gateway.registered = False
        self.after(gateway, tap)
        assert gateway.asked == 0

    def test_tells_of_an_erasure_though_the_device_belongs_to_nobody_any_more(self):
        async def nothing(loop: SyncLoop) -> None: ...

        gateway = SlowGateway(SyncReport(drained=False, online=True))
        gateway.registered, gateway.must_confirm_wipe = False, True
        self.after(gateway, nothing)
        assert gateway.asked == 1

    def test_goes_on_after_a_mistake_of_ours(self, caplog: pytest.LogCaptureFixture):
        gateway = SlowGateway(FINE)
        whole = gateway.sync

        async def breaks() -> SyncReport:
            gateway.sync = whole
            raise ZeroDivisionError("ours")

        gateway.sync = breaks

        async def tap(loop: SyncLoop) -> None:
            await asyncio.sleep(0.01)
            loop.nudge()

        self.after(gateway, tap)
        assert gateway.asked == 1, "at once after the tap"
        assert "the talk with the server broke off" in caplog.text

    def test_counts_fruitless_tries_until_one_succeeds(self):
        gateway = SlowGateway(OFFLINE, holds=0)
        loop = SyncLoop(gateway, spread=lambda: 0.5)

        async def tries() -> list[float]:
            waits = [await loop.once(), await loop.once()]
            gateway.report = FINE
            return [*waits, await loop.once()]

        assert asyncio.run(tries()) == [30.0, 60.0, 15.0]
