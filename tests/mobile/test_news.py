"""What the office changed since the technician last looked: the comparison, and what the device keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import day_of_work
import pytest
from day_of_work import AINO, MORNING, send_down, the_orders, uid

from mobile.gateway import Gateway
from mobile.news import as_text, from_text, kept_up, looked_at, news_of, seen_of
from mobile.views.news import lines, marks
from shared.commands import AddNote
from shared.windows import TimeWindow
from shared.work_orders import Note, PartLine, WorkOrder, WorkOrderState
from sync.client.records import Registration
from sync.protocol import PROTOCOL, Gone, SyncResponse

HELSINKI = ZoneInfo("Europe/Helsinki")
TODAY = MORNING.date()
REPAIR, INSTALL, SWAP, *_ = the_orders()
LATER = timedelta(minutes=30)


def told(before: WorkOrder | None, after: WorkOrder | None) -> tuple[str, ...]:
    """The marks of one job, as the screen says them."""
    old, new = (seen_of([order] if order else [], AINO) for order in (before, after))
    return tuple(
        mark for news in news_of(old, new, TODAY, HELSINKI).values() for mark in marks(news, TODAY, HELSINKI)
    )


class TestAJob:
    def test_that_came_is_new(self):
        assert told(None, REPAIR) == ("New, 08:30",)

    def test_that_moved_says_from_when_to_when(self):
        assert REPAIR.planned_start
        tomorrow = replace(REPAIR, planned_start=REPAIR.planned_start + timedelta(days=1))
        later = replace(REPAIR, planned_start=REPAIR.planned_start + LATER)

        assert told(REPAIR, later) == ("Moved from 08:30 to 09:00",)
        assert told(REPAIR, tomorrow) == ("Moved from 08:30 to 24 Nov 08:30",)

    def test_whose_promise_changed_says_both(self):
        window = TimeWindow(MORNING + timedelta(hours=4), MORNING + timedelta(hours=6))

        assert told(REPAIR, replace(REPAIR, window=window)) == (
            "Promised 12:05–14:05, no longer 08:00–12:00",
        )
        assert told(REPAIR, replace(REPAIR, window=None)) == ("Promised no time, no longer 08:00–12:00",)

    def test_that_needs_other_parts_says_so(self):
        more = replace(REPAIR, required_parts=(PartLine(sku="SC-APC", quantity=2),))

        assert told(REPAIR, more) == ("What to take has changed",)

    def test_with_a_note_of_somebody_else_says_so_but_not_of_ones_own(self):
        theirs, own = (Note(author_id=who, text="Ladder", at=MORNING) for who in (uid(9), AINO))

        assert told(REPAIR, replace(REPAIR, notes=(theirs,))) == ("New note from the office",)
        assert told(REPAIR, replace(REPAIR, notes=(own,))) == ()

    def test_that_was_taken_away_or_cancelled_is_told(self):
        assert told(REPAIR, None) == (
            "No longer yours: the office gave it to somebody else or plans it anew",
        )
        assert told(REPAIR, replace(REPAIR, technician_id=uid(9))) == told(REPAIR, None)
        assert told(REPAIR, replace(REPAIR, state=WorkOrderState.CANCELLED)) == ("Cancelled by the office",)
        assert told(None, replace(REPAIR, state=WorkOrderState.CANCELLED)) == ()

    def test_that_is_over_or_of_a_day_gone_by_is_no_news(self):
        assert REPAIR.planned_start
        over = replace(REPAIR, state=WorkOrderState.COMPLETED)
        yesterday = replace(REPAIR, planned_start=REPAIR.planned_start - timedelta(days=1))

        assert told(REPAIR, over) == told(over, None) == told(yesterday, None) == told(REPAIR, REPAIR) == ()


class TestWhatIsKept:
    def test_is_all_there_is_the_first_time(self):
        now = seen_of([REPAIR, SWAP], AINO)

        assert kept_up(None, now, {}) == now

    def test_stays_as_it_was_for_jobs_with_news_and_follows_the_others(self):
        before = seen_of([REPAIR, SWAP], AINO)
        after = seen_of([replace(REPAIR, window=None), replace(SWAP, state=WorkOrderState.COMPLETED)], AINO)
        kept = kept_up(before, after, news_of(before, after, TODAY, HELSINKI))

        assert kept == {REPAIR.id: before[REPAIR.id], SWAP.id: after[SWAP.id]}
        assert looked_at(kept, after, REPAIR.id) == after

    def test_survives_being_written_down(self):
        seen = seen_of(the_orders(), AINO)

        assert from_text(as_text(seen)) == seen
        assert (from_text(None), from_text("{"), from_text('{"a": 1}')) == (None, None, None)


def test_lines_tell_of_jobs_that_have_no_card_and_open_those_that_are_still_there():
    before = seen_of([REPAIR, INSTALL, SWAP], AINO)
    after = seen_of([replace(REPAIR, window=None), replace(INSTALL, window=None)], AINO)
    found = lines(news_of(before, after, TODAY, HELSINKI), frozenset({REPAIR.id}), TODAY, HELSINKI)

    assert [(item.id, item.text) for item in found] == [
        (INSTALL.id, "WO-1042, Vaasankatu 12: Promised no time, no longer 08:00–12:00"),
        (
            None,
            "WO-1043, Kolmas linja 7: No longer yours: the office gave it to somebody else or plans it anew",
        ),
    ]


class TestTheDevice:
    @pytest.fixture
    def gateway(self, tmp_path: Path) -> Gateway:
        """It has seen the day's six jobs."""
        return day_of_work.a_gateway(tmp_path)

    def come(self, gateway: Gateway, *orders: WorkOrder, gone: WorkOrder | None = None) -> None:
        send_down(gateway._store, orders, at=MORNING + timedelta(seconds=1))
        if gone:
            taken = (Gone(kind="work_order", key=str(gone.id)),)
            response = SyncResponse(protocol=PROTOCOL, server_now=MORNING, cursor="gone", gone=taken)
            gateway._store.apply(response, received_at=MORNING)
        gateway._take_in()

    def test_calls_nothing_new_that_came_with_the_first_snapshot(self, gateway: Gateway):
        gateway._take_in()

        assert gateway.news() == {}

    def test_waits_with_the_first_look_until_a_snapshot_has_come_whole(self, tmp_path: Path):
        gateway = day_of_work.a_gateway(tmp_path)
        half = SyncResponse(protocol=PROTOCOL, server_now=MORNING, cursor="half", reset=True, more=True)
        gateway._store.apply(half, received_at=MORNING)
        gateway._take_in()

        assert (gateway._store.is_whole, gateway._store.last_seen) == (False, None)

    def test_marks_what_came_since_over_a_restart_until_it_is_looked_at(
        self, gateway: Gateway, tmp_path: Path
    ):
        gateway._take_in()
        self.come(gateway, replace(REPAIR, window=None, version=4), gone=SWAP)
        assert {id: news.changes for id, news in gateway.news().items()} == {
            REPAIR.id: ("window",),
            SWAP.id: ("gone",),
        }

        again = Gateway(gateway._store, day_of_work.NoWayOut(), now=lambda: MORNING)
        assert again.news().keys() == {REPAIR.id, SWAP.id}
        again.looked_at(REPAIR.id)
        assert again.news().keys() == {SWAP.id}
        again.looked_at_all()
        assert again.news() == {}
        self.come(again)
        assert again.news() == {}

    def test_does_not_call_ones_own_work_news(self, gateway: Gateway):
        gateway._take_in()
        gateway.send(AddNote(work_order_id=REPAIR.id, text="Dog"))
        self.come(gateway)

        assert gateway.news() == {}

    def test_forgets_what_another_technician_had_seen(self, gateway: Gateway):
        gateway._take_in()
        assert gateway._store.last_seen
        ben = Registration(device_id=uid(2), token="u", technician_id=uid(0xBE), technician_name="Ben Koski")
        gateway._store.register(ben)

        assert gateway._store.last_seen is None
