from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from day_of_work import MORNING, OTHER_VAN, PRODUCTS, a_brief, the_devices, the_orders

from mobile.views.place import lot_warnings, map_address, place_view
from shared.assets import Asset, AssetState

HELSINKI = ZoneInfo("Europe/Helsinki")
LOOKUP = {product.sku: product for product in PRODUCTS}.get
REPAIR, INSTALL, SWAP, *_ = the_orders()
BRIEF = a_brief()


class TestEarlierVisits:
    def test_say_when_what_who_how_it_ended_and_what_was_measured(self):
        view = place_view(REPAIR, BRIEF, MORNING, HELSINKI)

        assert [(visit.heading, visit.outcome, visit.readings) for visit in view.visits[:2]] == [
            (
                "14 Nov 2026, Repair, WO-0900",
                "Not completed, The network has a fault, Ben Koski",
                "-29.1 dBm (outside the limits)",
            ),
            ("24 Sep 2026, Repair, WO-0899", "Closed, Aino Virtanen", "-24.6 dBm"),
        ]

    def test_leave_out_the_one_that_is_looked_at(self):
        own = replace(REPAIR, id=BRIEF.visits[0].order_id)

        assert len(place_view(own, BRIEF, MORNING, HELSINKI).visits) == 3

    def test_are_none_where_nothing_was_sent(self):
        view = place_view(REPAIR, None, MORNING, HELSINKI)

        assert (view.visits, view.chart, view.others, view.faults) == ((), None, (), ())


class TestTheChart:
    def test_runs_from_the_oldest_to_the_newest_as_far_apart_as_the_days(self):
        chart = place_view(REPAIR, BRIEF, MORNING, HELSINKI).chart

        assert [dot.value for dot in chart.dots] == ["-19.8 dBm", "-21.3 dBm", "-24.6 dBm", "-29.1 dBm"]
        assert [round(dot.x, 3) for dot in chart.dots] == [0, round(250 / 391, 3), round(340 / 391, 3), 1]
        assert [dot.good for dot in chart.dots] == [True, True, True, False]

    def test_has_room_for_every_value_and_the_whole_band(self):
        chart = place_view(REPAIR, BRIEF, MORNING, HELSINKI).chart
        low, high = chart.band

        assert 0 < chart.dots[-1].y < low < chart.dots[0].y < high < 1
        # From -29.1 to -8 dBm, and a tenth more on either side.
        assert low == pytest.approx((-27 + 31.21) / (21.1 * 1.2), abs=0.001)

    def test_is_said_in_words_for_who_does_not_see_it(self):
        assert place_view(REPAIR, BRIEF, MORNING, HELSINKI).chart.said == (
            "Optical receive power. Allowed from -27 dBm to -8 dBm."
            " 19 Oct: -19.8 dBm, 26 Jun: -21.3 dBm, 24 Sep: -24.6 dBm, 14 Nov: -29.1 dBm"
        )

    def test_of_one_day_still_shows_their_order_and_of_one_value_is_none(self):
        same = tuple(replace(visit, at=MORNING) for visit in BRIEF.visits[:3])
        view = place_view(REPAIR, replace(BRIEF, visits=same), MORNING, HELSINKI)

        assert [dot.x for dot in view.chart.dots] == [0, 0.5, 1]
        assert place_view(REPAIR, replace(BRIEF, visits=same[:1]), MORNING, HELSINKI).chart is None

    def test_shows_light_only(self):
        speeds = tuple(
            replace(visit, readings=tuple(replace(r, code="download_speed") for r in visit.readings))
            for visit in BRIEF.visits
        )
        assert place_view(REPAIR, replace(BRIEF, visits=speeds), MORNING, HELSINKI).chart is None

    def test_uses_our_own_limits_where_the_visit_had_none(self):
        free = tuple(
            replace(visit, readings=tuple(replace(r, low=None, high=None) for r in visit.readings))
            for visit in BRIEF.visits
        )
        chart = place_view(REPAIR, replace(BRIEF, visits=free), MORNING, HELSINKI).chart

        assert (chart.low, chart.high) == ("-27 dBm", "-8 dBm")


def test_what_else_is_open_and_what_is_broken_nearby():
    view = place_view(REPAIR, BRIEF, MORNING, HELSINKI)

    assert view.others == ("WO-1099, Swap device, To do, 26 Nov 2026, another address",)
    assert view.faults == ("WO-1090, On the way, since 22 Nov 06:05",)


def test_the_way_is_shown_by_the_map_that_the_phone_has():
    assert map_address(REPAIR.place, apple=False) == "geo:60.186000,24.955000?q=60.186000,24.955000"
    assert map_address(REPAIR.place, apple=True) == "maps://?daddr=60.186000,24.955000"


def test_the_way_to_a_place_without_coordinates_is_asked_for_by_its_address():
    place = replace(REPAIR.place, street="Hämeentie & Co", house_number="31", lat=0.0, lon=0.0)
    address = "H%C3%A4meentie%20%26%20Co%2031%2C%2000530%20Helsinki"
    assert map_address(place, apple=False) == f"geo:0,0?q={address}"
    assert map_address(place, apple=True) == f"maps://?daddr={address}"


class TestLotWarnings:
    def devices(self, **changed: dict[str, object]) -> list[Asset]:
        return [replace(device, **changed.get(device.serial, {})) for device in the_devices()]

    def test_are_none_while_no_device_is_quarantined(self):
        assert lot_warnings(INSTALL, self.devices(ALCLB1A2C000={"batch": "L7"}), LOOKUP) == ()

    def test_tell_of_the_device_and_of_others_of_its_model_and_lot(self):
        found = lot_warnings(
            INSTALL,
            self.devices(
                ALCLB1A2C000={"batch": "L7", "state": AssetState.QUARANTINED},
                ALCLB1A2C001={"batch": "L7"},
                ALCLB1A2C002={"batch": "L8"},
                HWTC3D4E5F01={"batch": "L7"},
            ),
            LOOKUP,
        )
        assert found == (
            "On your van: Nokia G-2425G-B ALCLB1A2C000 is in quarantine. Don't fit it.",
            "On your van: Nokia G-2425G-B ALCLB1A2C001 is of lot L7, which has faults. Fit another one.",
        )

    def test_tell_first_of_what_hangs_at_the_place(self):
        hung = SWAP.on_site_serials[0]
        found = lot_warnings(
            SWAP,
            self.devices(
                **{hung: {"batch": "L7"}, "ALCLB1A2C000": {"batch": "L7", "state": AssetState.QUARANTINED}}
            ),
            LOOKUP,
        )
        assert found[0] == (
            f"Installed here: Nokia G-2425G-B {hung} is of lot L7, which has faults. Ask dispatch."
        )

    def test_are_silent_about_devices_that_this_job_does_not_take(self):
        bad = {"batch": "L7", "state": AssetState.QUARANTINED}

        assert lot_warnings(REPAIR, self.devices(ALCLB1A2C000=bad), LOOKUP) == ()
        assert lot_warnings(INSTALL, self.devices(TP22A7001=bad), LOOKUP) == ()
        at_colleagues = self.devices(ALCLDEAD0001=bad)
        assert {device.holder_id for device in at_colleagues if device.batch} == {OTHER_VAN}
