from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from day_of_work import MORNING, uid

from mobile.gateway import QueueItem, SyncStatus
from mobile.views.status import (
    JobCard,
    Reason,
    attention,
    by_job,
    clock_warning,
    in_groups,
    status_view,
    to_do,
)

HELSINKI = ZoneInfo("Europe/Helsinki")


def a_status(**changed) -> SyncStatus:
    quiet = {
        "unsent_commands": 0,
        "unsent_photos": 0,
        "held": 0,
        "syncing": False,
        "online": True,
        "last_contact": MORNING,
        "problem": None,
        "sign_in_needed": False,
        "retry_in_seconds": None,
        "clock_offset_seconds": 0,
        "app_version": "0.1.0",
        "protocol": 1,
    }
    return SyncStatus(**quiet | changed)


def an_item(state, **changed) -> QueueItem:
    plain = {
        "id": uid(1),
        "seq": 1,
        "made_at": MORNING,
        "type": "arrive",
        "title": "Arrived",
        "work_order_id": uid(2),
        "order_number": "WO-1",
        "state": state,
    }
    return QueueItem(**plain | changed)


class TestTheStatusLine:
    @pytest.mark.parametrize(
        ("changed", "needs_you", "text", "mood"),
        [
            ({}, 0, "All sent 08:05", "good"),
            ({"online": None}, 0, "All sent 08:05", "calm"),
            ({"online": False}, 0, "Offline. All sent 08:05", "calm"),
            ({"unsent_commands": 3}, 0, "3 saved on this device, not sent", "warn"),
            ({"unsent_commands": 3, "unsent_photos": 1}, 0, "3 saved on this device, not sent", "warn"),
            ({"unsent_photos": 1}, 0, "1 picture saved on this device, not sent", "warn"),
            ({"unsent_commands": 1, "online": False}, 0, "Offline. 1 saved on this device, not sent", "warn"),
            ({"last_contact": None}, 0, "Nothing received from the office yet", "calm"),
            ({"last_contact": MORNING - timedelta(days=1)}, 0, "All sent 22 Nov 08:05", "good"),
            ({"unsent_commands": 4}, 2, "2 need attention, 4 not sent", "bad"),
            ({"unsent_photos": 1}, 2, "2 need attention, 1 picture not sent", "bad"),
            ({}, 1, "1 needs attention. All sent 08:05", "bad"),
            ({"last_contact": None}, 1, "1 needs attention", "bad"),
            ({"sign_in_needed": True, "problem": "Sign in again"}, 0, "Sign in again", "bad"),
        ],
    )
    def test_says_what_is_true(self, changed, needs_you, text, mood):
        view = status_view(a_status(**changed), MORNING, HELSINKI, needs_you)

        assert (view.text, view.mood) == (text, mood)


class TestAttention:
    def test_counts_what_only_a_person_can_solve(self):
        just_now, days_ago = MORNING - timedelta(hours=1), MORNING - timedelta(days=3)
        queue = [
            an_item("saved"),
            an_item("accepted", decided_at=just_now),
            an_item("refused_local"),
            an_item("held", decided_at=just_now),
            an_item("held", decided_at=days_ago),
        ]
        assert attention(queue, MORNING) == 2

    def test_groups_the_queue_by_what_matters_first(self):
        held, saved, accepted = an_item("held"), an_item("saved"), an_item("accepted")

        assert in_groups([accepted, saved, held]) == (
            ("Needs attention", (held,)),
            ("Only on this device", (saved,)),
            ("Answered by the office", (accepted,)),
        )


class TestWorkThatWaitsForDispatch:
    def test_is_one_card_a_job_with_each_reason_once_and_its_steps_in_order(self):
        cancelled, stock = "The office cancelled WO-1.", "The van has none left."
        later = MORNING + timedelta(minutes=5)
        queue = [  # newest first, as the gateway gives it
            an_item("held", seq=4, title="Closed the job", detail=cancelled, made_at=later),
            an_item("held", seq=9, title="Arrived", work_order_id=uid(3), order_number="WO-2", detail=stock),
            an_item("held", seq=3, title="Used 2 connectors", detail=stock, remarks=("Count it.",)),
            an_item("held", seq=2, title="Arrived", detail=cancelled),
            an_item("refused_local", seq=5, title="Photo", detail=cancelled),
        ]
        assert by_job(queue) == (
            JobCard(
                work_order_id=uid(2),
                order_number="WO-1",
                state="held",
                made_at=later,
                reasons=(
                    Reason(text=cancelled, titles=("Arrived", "Closed the job")),
                    Reason(text=f"{stock} Count it.", titles=("Used 2 connectors",)),
                ),
            ),
            JobCard(
                work_order_id=uid(3),
                order_number="WO-2",
                state="held",
                made_at=MORNING,
                reasons=(Reason(text=stock, titles=("Arrived",)),),
            ),
            JobCard(
                work_order_id=uid(2),
                order_number="WO-1",
                state="refused_local",
                made_at=MORNING,
                reasons=(Reason(text=cancelled, titles=("Photo",)),),
            ),
        )
        assert [card.steps for card in by_job(queue)] == [3, 1, 1]

    def test_is_a_card_of_its_own_for_each_step_about_the_van(self):
        van = {"work_order_id": None, "order_number": "Van"}
        queue = [
            an_item("refused_local", id=uid(11), title="Counted the van: 2 parts", **van),
            an_item("refused_local", id=uid(12), title="Handed over", **van),
        ]
        cards = by_job(queue)
        assert [(card.work_order_id, card.reasons[0].titles) for card in cards] == [
            (None, ("Counted the van: 2 parts",)),
            (None, ("Handed over",)),
        ]
        told = "Look at the van's stock. This is sent all the same, and dispatch decides."
        assert {card.to_do for card in cards} | {to_do(item) for item in queue} == {told}


class TestTheClock:
    def test_is_trusted_within_two_minutes(self):
        assert clock_warning(a_status(clock_offset_seconds=-120)) == ""

    def test_says_by_how_much_the_device_is_ahead_or_behind(self):
        ahead = "This device's clock is 1440 min ahead. Times are corrected; set it right."
        behind = "This device's clock is 5 min behind. Times are corrected; set it right."
        assert clock_warning(a_status(clock_offset_seconds=-86_400)) == ahead
        assert clock_warning(a_status(clock_offset_seconds=300)) == behind


class TestWhatToDo:
    def test_is_one_sentence_for_each_entry_that_is_not_done(self):
        told = {state: to_do(an_item(state)) for state in ("saved", "held", "refused_local", "accepted")}

        assert told == {
            "saved": "Nothing to do: it goes by itself as soon as there is a network.",
            "held": "Nothing to do for you now: dispatch decides. Go on with your work.",
            "refused_local": "Look at the job. This is sent all the same, and dispatch decides.",
            "accepted": "",
        }

    def test_is_to_sign_in_again_where_nothing_goes_before(self):
        assert to_do(an_item("saved"), signed_out=True) == "Sign in again: then it goes by itself."
        assert to_do(an_item("accepted"), signed_out=True) == ""

    def test_is_another_picture_where_the_office_could_not_keep_it(self):
        refused = an_item("accepted", type="add_evidence", detail="That is no picture", picture_lost=True)

        assert to_do(refused) == "Take the picture again: the office could not keep it."
        assert to_do(an_item("accepted", type="add_evidence")) == ""
        assert to_do(replace(refused, type="report_network_fault")) == to_do(refused)
        assert to_do(replace(refused, type="consent_to_charge")) == to_do(refused)
