from random import Random

import netaddr
import pytest

from server.demo.catalogue import CatalogueItem, TariffPlan, demo_catalogue, mac_prefixes
from server.demo.serials import Serials
from shared.barcodes.gpon import parse_gpon_serial
from shared.barcodes.gtin import is_gtin
from shared.barcodes.mac import parse_mac
from shared.catalogue import Tracking, Unit

CATALOGUE = demo_catalogue()
DEVICES = [item for item in CATALOGUE.items if item.tracking is Tracking.SERIALISED]


class TestTheCatalogue:
    def test_holds_twelve_devices_and_thirteen_kinds_of_part_each_with_its_own_sku(self) -> None:
        assert (len(DEVICES), len(CATALOGUE.items)) == (12, 25)
        assert len({item.sku for item in CATALOGUE.items}) == 25

    def test_gtins_add_up_are_distinct_and_can_be_no_real_products(self) -> None:
        gtins = [item.gtin for item in CATALOGUE.items]
        assert all(len(gtin) == 14 and is_gtin(gtin) for gtin in gtins)
        assert {gtin[:3] for gtin in gtins} == {"029"}
        assert len(set(gtins)) == 25

    def test_cable_is_counted_in_metres_and_all_else_in_pieces(self) -> None:
        by_metre = [item.sku for item in CATALOGUE.items if item.unit is Unit.METRE]
        assert by_metre == ["CAB-DROP1", "CAB-INDOOR"]

    def test_every_vendor_named_exists_and_every_one_sells_something(self) -> None:
        assert {item.vendor for item in CATALOGUE.items} == {vendor.code for vendor in CATALOGUE.vendors}
        assert len(CATALOGUE.vendors) == 5

    def test_every_item_is_sold_above_cost_and_can_be_reordered(self) -> None:
        for item in CATALOGUE.items:
            assert 0 < item.cost_minor < item.price_minor
            assert item.reorder_point > 0 and item.reorder_quantity > 0 and item.lead_days > 0

    def test_every_ont_has_a_gpon_vendor_and_no_router_has_one(self) -> None:
        assert {d.sku: d.gpon_vendor for d in DEVICES} == {
            "ONT-HG8010H": "HWTC", "ONT-EG8145V5": "HWTC", "ONT-F601": "ZTEG", "ONT-F670L": "ZTEG",
            "ONT-G010GP": "ALCL", "ONT-XS010XQ": "ALCL", "ONT-AN5506": "FHTT", "ONT-UFLOCO": "UBNT",
            "ONT-FB5590": "AVMG", "RTR-EX5601": None, "RTR-AX55": None, "RTR-EX600": None,
        }  # fmt: skip


class TestTariffPlans:
    @pytest.mark.parametrize("plan", CATALOGUE.plans, ids=lambda plan: plan.code)
    def test_allow_only_known_devices_that_carry_their_speed(self, plan: TariffPlan) -> None:
        for sku in plan.ont_skus:
            assert CATALOGUE.item(sku).category == "ont"
        for sku in plan.router_skus:
            assert CATALOGUE.item(sku).category == "router"
        for sku in plan.ont_skus + plan.router_skus:
            assert (CATALOGUE.item(sku).down_mbps_max or 0) >= plan.down_mbps

    def test_are_four_from_100_to_2000(self) -> None:
        assert [(plan.code, plan.down_mbps) for plan in CATALOGUE.plans] == [
            ("FIBRE-100", 100), ("FIBRE-300", 300), ("FIBRE-1000", 1000), ("FIBRE-2000", 2000)]  # fmt: skip


class TestMacPrefixes:
    @pytest.mark.parametrize("item", DEVICES, ids=lambda item: item.sku)
    def test_belong_to_the_maker_in_the_registry(self, item: CatalogueItem) -> None:
        assert len(item.mac_prefixes) == 3
        for prefix in item.mac_prefixes:
            owner = netaddr.OUI(prefix.replace(":", "-")).registration().org
            assert owner.lower().startswith(item.maker.lower())

    def test_of_an_unknown_maker_are_refused(self) -> None:
        with pytest.raises(LookupError, match="no MAC prefix for Nobody Ltd"):
            mac_prefixes(["Nobody Ltd"])


class TestSerials:
    def test_are_distinct_and_readable_by_the_scanner(self) -> None:
        mint = Serials(Random(1), first=100_001)
        made = [mint.mint(item) for item in DEVICES for _ in range(500)]
        assert len({device.serial for device in made}) == 6000
        assert len({device.mac for device in made}) == 6000
        assert len({device.gpon_serial for device in made if device.gpon_serial}) == 4500
        for device in made:
            assert parse_mac(device.mac) == device.mac
            assert device.gpon_serial is None or parse_gpon_serial(device.gpon_serial) == device.gpon_serial
            assert device.serial == device.serial.upper() and len(device.serial) <= 20
