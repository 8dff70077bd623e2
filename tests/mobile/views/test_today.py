from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from day_of_work import MORNING, PRODUCTS, the_orders

from mobile.views.today import card_view, day_view, held_days, lateness
from shared.work_orders import WorkOrderKind, WorkOrderState

HELSINKI = ZoneInfo("Europe/Helsinki")
LOOKUP = {product.sku: product for product in PRODUCTS}.get
REPAIR, INSTALL, SWAP, *_ = the_orders()


class TestACard:
    def test_says_when_who_where_and_what_to_bring(self):
        card = card_view(INSTALL, LOOKUP, MORNING, HELSINKI, is_next=False)

        assert (card.starts, card.customer, card.street) == ("09:45", "Maija Korhonen", "Vaasankatu 12")
        assert card.kind is WorkOrderKind.INSTALL
        assert card.facts == ("Promised 08:00–12:00", "11 min drive")
        assert card.take.replace("\N{NO-BREAK SPACE}", " ") == (
            "Take Nokia G-2425G-B or Huawei HG8145X6 · 30 m Drop cable, 1 fibre"
            " · 2 × Field connector SC/APC · 1 × Fibre outlet, 2 ports"
        )

    def test_names_the_customers_language_once(self):
        bare = replace(
            INSTALL, window=None, travel_minutes=0, contact=replace(INSTALL.contact, language="ar")
        )
        card = card_view(bare, LOOKUP, MORNING, HELSINKI, is_next=False)

        assert card.facts == (f"{INSTALL.expected_minutes} min work", "العربية")

    def test_asks_for_nothing_once_the_job_is_over(self):
        closed = replace(INSTALL, state=WorkOrderState.COMPLETED)
        card = card_view(closed, LOOKUP, MORNING, HELSINKI, is_next=False)

        assert (card.take, card.facts) == ("", ("Promised 08:00–12:00",))


class TestTheDay:
    def test_counts_what_is_closed_and_points_to_the_first_open_job(self):
        closed = replace(REPAIR, state=WorkOrderState.COMPLETED)
        day = day_view([closed, INSTALL, SWAP], LOOKUP, MORNING, HELSINKI)

        assert (day.date, day.done, day.next_id, day.under_way) == (
            "Monday 23 November",
            1,
            INSTALL.id,
            False,
        )

    def test_does_not_call_done_what_could_not_be_completed(self):
        left = replace(REPAIR, state=WorkOrderState.UNFINISHED)

        assert day_view([left, INSTALL], LOOKUP, MORNING, HELSINKI).done == 0
        assert day_view([left], LOOKUP, MORNING, HELSINKI).next_id is None

    def test_points_to_the_job_under_way_even_if_another_was_planned_first(self):
        driving = replace(SWAP, state=WorkOrderState.TRAVELLING)
        day = day_view([REPAIR, INSTALL, driving], LOOKUP, MORNING, HELSINKI)

        assert (day.next_id, day.under_way) == (SWAP.id, True)

    def test_leaves_out_what_the_office_cancelled(self):
        day = day_view([replace(REPAIR, state=WorkOrderState.CANCELLED)], LOOKUP, MORNING, HELSINKI)

        assert (day.cards, day.next_id) == ((), None)


class TestLateness:
    def late(self, order, *, hours: float, travels_now: bool = True) -> str:
        return lateness(order, MORNING + timedelta(hours=hours), HELSINKI, travels_now=travels_now)

    def test_is_silent_while_the_promise_can_be_kept(self):
        assert self.late(REPAIR, hours=0) == ""

    def test_says_when_one_would_arrive_if_one_left_now(self):
        assert self.late(REPAIR, hours=3.75) == ""  # 11:50 and 8 minutes
        assert self.late(REPAIR, hours=3.85) == "You get there 12:04, promised until 12:00"

    def test_says_that_the_promise_is_broken(self):
        assert self.late(REPAIR, hours=4) == "Late: promised until 12:00"

    def test_judges_later_jobs_by_the_plan(self):
        start = MORNING + timedelta(hours=5)
        late = self.late(replace(REPAIR, planned_start=start), hours=0, travels_now=False)

        assert late == "You get there 13:05, promised until 12:00"

    def test_counts_from_the_start_of_the_drive(self):
        driving = replace(
            REPAIR,
            state=WorkOrderState.TRAVELLING,
            travel_started_at=MORNING + timedelta(hours=3, minutes=40),
        )
        assert self.late(driving, hours=3.8) == ""

    def test_is_silent_once_the_technician_is_there(self):
        assert self.late(replace(REPAIR, state=WorkOrderState.ON_SITE), hours=6) == ""


class TestAnotherDay:
    def test_has_its_own_name_and_nothing_that_is_next(self):
        tuesday = (MORNING + timedelta(days=1)).date()
        day = day_view([INSTALL, SWAP], LOOKUP, MORNING, HELSINKI, day=tuesday)

        assert (day.date, day.next_id, day.under_way) == ("Tuesday 24 November", None, False)
        assert [card.place for card in day.cards] == [1, 2]


def test_the_days_on_the_device_are_those_of_the_last_contact():
    assert held_days(MORNING, HELSINKI) == (date(2026, 11, 16), date(2026, 12, 7))
