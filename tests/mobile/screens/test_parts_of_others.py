"""Parts that others have: asked for, answered and fetched without any network."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from day_of_work import (
    ASKED_BY_ME,
    ASKED_OF_ME,
    DEPOT,
    MORNING,
    OTHER_VAN,
    VAN,
    a_supply,
    part_requests,
    send_down,
    uid,
)

from mobile.state import job_route
from mobile.views.nearby import Position
from mobile.views.parts_asked import holders, lacking, where_from
from shared.assets import HolderKind
from shared.catalogue import Tracking
from shared.part_requests import PartRequestState
from shared.problems import BadValue
from shared.stock_commands import AskForPart, WithdrawPartRequest

INSTALL = uid(0x101)
CONNECTORS = "6\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}Field connector SC/APC"


@pytest.fixture
def supplied(gateway):
    """The device has heard who has parts, and what is asked for."""
    gateway._take_in()
    send_down(gateway._store, [a_supply(), *part_requests()], at=MORNING + timedelta(seconds=1))
    gateway._take_in()
    return gateway


class TestWhoHasIt:
    def test_the_nearest_comes_first_from_where_the_phone_is(self, supplied):
        product = supplied.product("SC-APC")
        near_the_depot = holders(supplied.supply, "SC-APC", (60.151, 24.93), product)
        assert [(one.name, one.free) for one in near_the_depot] == [
            ("Harbour depot", 90),
            ("Ben Korhonen", 7),
        ]
        near_the_van = holders(supplied.supply, "SC-APC", (60.19, 24.95), product)
        assert [one.name for one in near_the_van] == ["Ben Korhonen", "Harbour depot"]
        assert near_the_van[0].facts == ("7 free", "about 0.0 km", "Van 9")
        assert near_the_van[1].facts == ("90 free", "about 4.6 km", "Harbour Road 1", "Open: 6:30–17")

    def test_without_a_position_it_is_from_the_next_stop(self, supplied):
        orders = supplied.today()
        place = orders[0].place
        assert where_from(None, orders) == (place.lat, place.lon)
        assert where_from(Position(lat=1.0, lon=2.0, accuracy_metres=5), orders) == (1.0, 2.0)
        assert where_from(None, []) is None

    def test_who_is_nowhere_known_comes_last(self, supplied):
        somewhere = a_supply()
        lost = replace(somewhere.places[1], lat=None, lon=None)
        found = holders(
            replace(somewhere, places=(somewhere.places[0], lost)), "SC-APC", (60.15, 24.93), None
        )
        assert [one.name for one in found] == ["Ben Korhonen", "Harbour depot"]
        assert "distance unknown" in found[1].facts

    def test_what_a_job_lacks_is_what_the_van_does_not_cover(self, supplied):
        order = supplied.order(INSTALL)
        assert lacking(order, supplied.van_stock()) == {}
        assert set(lacking(order, [])) >= {line.sku for line in order.required_parts}


class TestAsking:
    def test_is_saved_and_shown_at_once(self, open_app, supplied, desk):
        screen = open_app("/ask")
        screen.tap(CONNECTORS)
        screen.tap("Harbour depot, 90 free")
        screen.tap("Ask for a part")
        [mine] = [one for one in supplied.part_requests() if one.id not in (ASKED_BY_ME, ASKED_OF_ME)]
        assert (mine.sku, mine.holder_id, mine.state, mine.for_order_id) == (
            "SC-APC", DEPOT, PartRequestState.ASKED, None
        )  # fmt: skip
        assert desk.shell.route == "/requests"
        assert supplied.queue()[0].state == "saved"
        assert screen.sees("not sent yet"), "nobody can have heard of it"
        assert screen.sees("no answer yet"), "of the one that the office has"

    def test_twice_in_one_breath_is_one_request(self, open_app, supplied):
        screen = open_app("/ask")
        screen.tap(CONNECTORS)
        screen.tap("Harbour depot, 90 free")
        screen.tap_twice("Ask for a part")
        assert len(supplied.queue()) == 1

    def test_from_a_job_names_the_job(self, open_app, supplied):
        screen = open_app(job_route(INSTALL, "ask"))
        screen.tap(CONNECTORS)
        screen.tap("Ben Korhonen, 7 free")
        screen.type_into("Note for them (may be empty)", "At the gate")
        screen.tap("Ask for a part")
        mine = supplied.part_requests()[0]
        assert (mine.for_order_id, mine.note, mine.holder_id) == (INSTALL, "At the gate", OTHER_VAN)

    def test_says_how_old_it_is_and_that_it_is_crow_flight(self, open_app, supplied):
        screen = open_app("/ask")
        assert screen.sees("As the office knew it at 08:05")
        screen.tap(CONNECTORS)
        assert screen.sees("Distances are as the crow flies, from your next stop: the road is longer.")

    def test_of_ones_own_van_is_refused_and_queues_nothing(self, supplied):
        before = len(supplied.queue())
        with pytest.raises(BadValue, match="their own van"):
            supplied.send(AskForPart(request_id=uid(1), sku="SC-APC", quantity=1, holder_id=VAN))
        assert len(supplied.queue()) == before


class TestAnswering:
    def test_a_colleague_is_on_the_first_screen_until_it_is_answered(self, open_app, supplied, desk):
        screen = open_app("/")
        screen.tap("1 colleague asks you for a part")
        assert screen.sees("Before noon, if you can")
        screen.tap("Yes, I can give it")
        [asked] = supplied.asked_of_me()
        assert asked.state is PartRequestState.PROMISED
        assert screen.sees("Hand it over")
        screen.do(lambda: desk.go("/"))
        assert not screen.sees("1 colleague asks you for a part")

    def test_is_of_one_colleague_however_much_they_ask_for(self, open_app, supplied):
        one, mine = part_requests()
        again = replace(one, id=uid(0x51), sku="DROP-1F")
        send_down(supplied._store, [one, again, mine], at=MORNING + timedelta(seconds=2))
        supplied._take_in()
        screen = open_app("/")
        assert screen.sees("1 colleague asks you for a part")

        other = replace(one, id=uid(0x52), asker_id=uid(0x53), asker="Cem")
        screen.do(lambda: send_down(supplied._store, [other], at=MORNING + timedelta(seconds=3)))
        screen.do(supplied._take_in)
        screen.do(supplied._tell)
        assert screen.sees("2 colleagues ask you for a part")

    @pytest.mark.parametrize(
        ("state", "said"),
        [(PartRequestState.PROMISED, "promised"), (PartRequestState.DECLINED, "not possible")],
    )
    def test_is_on_the_first_screen_of_whoever_asked_as_long_as_it_is_open(
        self, open_app, supplied, desk, state: PartRequestState, said: str
    ):
        mine = part_requests()[1]
        answered = replace(mine, state=state, answered_at=MORNING)
        send_down(supplied._store, [answered], at=MORNING + timedelta(seconds=2))
        supplied._take_in()
        screen = open_app("/")
        told = f"10\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}Field connector SC/APC of Harbour depot: {said}"
        screen.tap(told)
        assert screen.sees("You asked")

        closed = replace(answered, closed_at=MORNING)
        send_down(supplied._store, [closed], at=MORNING + timedelta(seconds=3))
        screen.do(supplied._take_in)
        screen.do(lambda: desk.go("/"))
        assert not screen.sees(told)

    def test_no_is_an_answer_too(self, open_app, supplied):
        screen = open_app("/requests")
        screen.tap("No, I can't")
        assert supplied.asked_of_me()[0].state is PartRequestState.DECLINED

    def test_what_is_needed_no_more_is_taken_back(self, open_app, supplied):
        screen = open_app("/requests")
        screen.tap("I need it no more")
        assert supplied.images.part_requests[ASKED_BY_ME].state is PartRequestState.WITHDRAWN


class TestTheWayBack:
    def test_from_the_requests_is_where_one_came_from(self, desk):
        for before in ("/", "/stock"):
            desk.go(before)
            desk.go("/requests")
            desk.back()
            assert desk.shell.route == before

    def test_from_what_was_asked_for_a_job_is_the_job(self, desk):
        desk.go(job_route(INSTALL, "ask"))
        desk.go("/requests")
        desk.back()
        assert desk.shell.route == job_route(INSTALL)

    def test_from_what_was_asked_for_in_passing_is_where_that_began(self, desk):
        desk.go("/requests")  # from today
        desk.go("/ask")
        desk.go("/requests")
        desk.back()
        assert desk.shell.route == "/"
        desk.go("/stock")
        desk.go("/ask")
        desk.go("/requests")
        desk.back()
        assert desk.shell.route == "/stock"


class TestFetching:
    def test_puts_it_on_the_van_and_closes_the_request(self, open_app, supplied, desk):
        before = supplied.images.stock["SC-APC"].on_hand
        screen = open_app(f"/fetch/{ASKED_BY_ME}")
        screen.tap("Put on my van")
        request = supplied.images.part_requests[ASKED_BY_ME]
        assert (request.state, request.supplied) == (PartRequestState.SUPPLIED, 10)
        assert supplied.images.stock["SC-APC"].on_hand == before + 10
        assert desk.shell.route == "/requests"

    def test_is_booked_once_however_often_it_is_tapped(self, open_app, supplied):
        before = supplied.images.stock["SC-APC"].on_hand
        open_app(f"/fetch/{ASKED_BY_ME}").tap_twice("Put on my van")
        assert supplied.images.stock["SC-APC"].on_hand == before + 10
        assert len(supplied.queue()) == 1

    def test_is_offered_of_a_depot_that_has_no_more(self, open_app, supplied):
        bare = replace(a_supply(MORNING + timedelta(seconds=2)), places=(), lines=())
        depot, van = (
            replace(part_requests()[1], holder_kind=kind) for kind in (HolderKind.DEPOT, HolderKind.VAN)
        )
        send_down(supplied._store, [bare, depot], at=MORNING + timedelta(seconds=2))
        supplied._take_in()
        screen = open_app("/requests")
        assert "Fetched at the depot" in screen.names()
        send_down(supplied._store, [van], at=MORNING + timedelta(seconds=3))
        supplied._take_in()
        assert "Fetched at the depot" not in open_app("/requests").names()

    def test_takes_out_a_serial_that_was_read_wrongly(self, open_app, supplied, desk):
        device = next(one for one in supplied.products() if one.tracking is Tracking.SERIALISED)
        request = replace(part_requests()[1], sku=device.sku, quantity=2)
        send_down(supplied._store, [request], at=MORNING + timedelta(seconds=2))
        supplied._take_in()
        screen = open_app(f"/fetch/{ASKED_BY_ME}")
        for serial in ("ALCLB1A2C0D7", "ALCLB1A2C0D8"):
            screen.type_into("Scanner or typed code", serial, enter=True)
        assert desk.draft("serials") == ("ALCLB1A2C0D7", "ALCLB1A2C0D8")
        screen.tap("Remove ALCLB1A2C0D7")
        assert desk.draft("serials") == ("ALCLB1A2C0D8",)
        assert not screen.sees("ALCLB1A2C0D7")

    def test_of_a_request_that_is_gone_says_so(self, open_app, supplied):
        assert open_app(f"/fetch/{uid(0x999)}").sees("This request is no longer on this device.")


class TestAskingTheOffice:
    def test_in_passing_only_when_it_is_half_an_hour_old(self, supplied, clock):
        assert supplied._ask_for_supply() is False
        clock.forward(minutes=31)
        assert supplied._ask_for_supply() is True
        assert supplied._ask_for_supply() is False  # not twice in a minute, whatever came of it
        clock.forward(minutes=1)
        assert supplied._ask_for_supply() is True

    def test_when_somebody_looks_unless_it_is_fresh(self, supplied, clock):
        clock.forward(minutes=1)
        supplied.look_for_parts()
        assert supplied._ask_for_supply() is False
        clock.forward(minutes=2)
        supplied.look_for_parts()
        assert supplied._ask_for_supply() is True

    def test_again_when_the_answer_was_lost(self, supplied, clock):
        clock.forward(minutes=5)
        supplied.look_for_parts()
        assert supplied._ask_for_supply() is True
        clock.forward(minutes=2)
        assert supplied._ask_for_supply() is True, "nothing has come"
        send_down(supplied._store, [a_supply(clock())], at=clock())
        supplied._take_in()
        clock.forward(minutes=5)
        assert supplied._ask_for_supply() is False

    def test_at_once_where_nothing_is_known(self, gateway):
        assert gateway.supply is None
        assert gateway._ask_for_supply() is True

    def test_a_request_of_somebody_elses_can_not_be_withdrawn(self, supplied):
        with pytest.raises(BadValue):
            supplied.send(WithdrawPartRequest(request_id=ASKED_OF_ME))
