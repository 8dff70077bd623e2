from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from day_of_work import MORNING, PRODUCTS, PROFILE, STOCK, the_devices, the_orders, uid

from mobile.views.readiness import readiness
from shared.work_orders import WorkOrderState
from sync.client.records import Images

HELSINKI = ZoneInfo("Europe/Helsinki")
ORDERS = {order.id: order for order in the_orders()}
IMAGES = Images(
    profile=PROFILE,
    orders=ORDERS,
    assets={device.serial: device for device in the_devices()},
    stock={line.sku: line for line in STOCK},
    products={product.sku: product for product in PRODUCTS},
)
REPAIR, INSTALL, *_ = the_orders()


def missing(
    images: Images = IMAGES,
    *,
    is_whole: bool = True,
    last_contact: datetime | None = MORNING,
    starts_offline: bool | None = True,
) -> tuple[str, ...]:
    found = readiness(
        images,
        is_whole=is_whole,
        last_contact=last_contact,
        starts_offline=starts_offline,
        now=MORNING,
        zone=HELSINKI,
    )
    return found.missing


def with_orders(*changed) -> Images:
    return replace(IMAGES, orders={**ORDERS, **{order.id: order for order in changed}})


class TestADeviceThatHasItAll:
    def test_is_ready_for_the_technicians_own_open_jobs(self):
        over = replace(REPAIR, state=WorkOrderState.COMPLETED)
        theirs = replace(INSTALL, technician_id=uid(9))
        found = readiness(
            with_orders(over, theirs),
            is_whole=True,
            last_contact=MORNING,
            starts_offline=None,
            now=MORNING,
            zone=HELSINKI,
        )
        assert (found.jobs, found.missing, found.sentence) == (4, (), "Ready for 4 jobs")


class TestWhatIsMissing:
    def test_is_everything_before_the_first_contact(self):
        nothing = ("Nothing was fetched from the office yet. Connect once.",)

        assert missing(Images()) == missing(last_contact=None) == nothing

    def test_is_the_rest_of_a_snapshot_that_is_on_its_way(self):
        assert missing(is_whole=False) == ("Not everything has come yet. Stay connected until it has.",)

    @pytest.mark.parametrize(("hours", "said"), [(12, ()), (13, ("22 Nov 19:05",))])
    def test_is_fresh_data_after_more_than_a_night(self, hours: int, said: tuple[str, ...]):
        found = missing(last_contact=MORNING - timedelta(hours=hours))

        assert found == tuple(f"The data is of {when}. Connect once before you drive." for when in said)

    def test_is_the_catalogue_of_what_a_job_needs(self):
        known = {sku: product for sku, product in IMAGES.products.items() if sku != "DROP-1F"}
        one_model = {sku: product for sku, product in IMAGES.products.items() if sku != "ONT-HG8145"}
        no_model = {sku: product for sku, product in one_model.items() if sku != "ONT-G2425"}
        closed = [replace(order, state=WorkOrderState.COMPLETED) for order in the_orders()[2:]]

        assert missing(replace(IMAGES, products=known)) == (
            "WO-1042: no catalogue entry for DROP-1F",
            "WO-1045: no catalogue entry for DROP-1F",
        )
        assert missing(replace(IMAGES, products=one_model)) == ()
        assert missing(replace(with_orders(*closed), products=no_model)) == (
            "WO-1042: no catalogue entry for ONT-G2425 or ONT-HG8145",
        )

    def test_is_a_place_without_coordinates(self):
        nowhere = replace(REPAIR, place=replace(REPAIR.place, lat=0.0, lon=0.0))

        assert missing(with_orders(nowhere)) == ("No coordinates for WO-1041: they are not on the sketch",)

    def test_is_a_device_on_the_van_whose_serial_has_not_come(self):
        assets = {serial: device for serial, device in IMAGES.assets.items() if serial != "TP22A7001"}

        assert missing(replace(IMAGES, assets=assets)) == ("Router, Wi-Fi 6: 1 of 2 serials are here",)

    def test_is_the_app_where_the_browser_has_not_kept_it(self):
        assert missing(starts_offline=False) == (
            "The app itself is not kept on this device yet: leave it open while there is a network.",
        )
        assert missing(starts_offline=None) == ()
