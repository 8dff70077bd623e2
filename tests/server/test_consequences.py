"""The table from event to consequences, held against the union; field/test_close.py proves each of them."""

from typing import get_args

from server.consequences import CONSEQUENCES
from server.van_booking import STOCK_CONSEQUENCES
from shared import events as ev
from shared.stock_events import StockEvent, TransferBooked, TransferSigned, VanCounted


def names(event: type[ev.Event]) -> list[str]:
    return [follow.__name__ for follow in CONSEQUENCES[event]]


class TestTheTableAboutVans:
    def test_has_one_row_for_every_event(self):
        assert set(STOCK_CONSEQUENCES) == set(get_args(StockEvent))

    def test_a_count_moves_stock_and_its_value_and_buys_again(self):
        assert [follow.__name__ for follow in STOCK_CONSEQUENCES[VanCounted]] == [
            "book_moves",
            "post_difference",
            "buy_again",
        ]

    def test_a_transfer_is_kept_and_moves_stock_once(self):
        named = {
            event: [follow.__name__ for follow in STOCK_CONSEQUENCES[event]] for event in STOCK_CONSEQUENCES
        }
        assert named[TransferBooked] == ["keep_transfer", "book_moves"]
        assert named[TransferSigned] == ["keep_transfer"]


class TestTheTable:
    def test_has_one_row_for_every_event(self):
        assert set(CONSEQUENCES) == set(get_args(ev.Event))

    def test_says_what_a_completed_visit_causes_and_in_which_order(self):
        assert names(ev.WorkOrderCompleted) == [
            "book_stock",
            "open_returns",
            "release_reservations",
            "draft_invoice",  # before move_service: it reads the plan that ran until now
            "move_service",
            "buy_again",
            "stop_sla_clock",
            "note_freed_minutes",
            "tell",
        ]

    def test_an_unfinished_visit_is_neither_billed_nor_activated(self):
        assert names(ev.WorkOrderUnfinished) == [
            "book_stock",
            "open_returns",
            "release_reservations",
            "buy_again",
            "note_freed_minutes",
            "tell",
        ]

    def test_a_job_taken_over_takes_what_is_promised_along(self):
        assert names(ev.TakenOver) == ["release_reservations", "reserve_parts"]

    def test_a_second_report_moves_stock_and_no_money(self):
        assert names(ev.WorkReported) == ["book_stock", "withdraw_returns", "open_returns", "buy_again"]

    def test_a_reopened_job_is_promised_its_parts_again(self):
        assert names(ev.WorkOrderReopened) == [
            "book_stock",
            "open_returns",
            "release_reservations",
            "reserve_parts",
            "buy_again",
        ]

    def test_a_visit_asked_for_on_site_is_placed(self):
        assert names(ev.VisitAskedFor) == ["place_asked_visit"]

    def test_what_was_not_agreed_to_is_billed_when_the_office_says_so(self):
        assert names(ev.ChargedInFull) == ["bill_the_rest"]

    def test_what_is_recorded_on_the_way_causes_nothing_yet(self):
        quiet = {event.__name__ for event in get_args(ev.Event) if not CONSEQUENCES[event]}
        assert quiet == {
            "Arrived",
            "AssetFitted",
            "AssetPutBack",
            "AssetRemoved",
            "AssetUnfitted",
            "ChargeAnswered",
            "CheckAnswered",
            "CheckRecorded",
            "CheckSkipped",
            "ContactSuggested",
            "EvidenceAdded",
            "NoteAdded",
            "PartsTakenBack",
            "PartsUsed",
            "TimeCorrected",
            "WorkOrderRescheduled",
            "WorkPaused",
            "WorkResumed",
        }
