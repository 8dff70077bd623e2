"""The day must be believable, and all but the orders made impossible on purpose must be doable."""

import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scheduler.baseline import greedy
from scheduler.request import Job, Lunch, PlanRequest, Technician, Window
from scheduler.timing import Day
from scheduler.travel.crow import CrowFlight
from scheduler.travel.protocol import matrix_of
from server.demo.catalogue import demo_catalogue
from server.demo.orders import DemoDay, DemoOrder, make_day
from server.demo.people import DemoTechnician, People, make_people
from server.town.made_up import write_made_up_town
from server.town.model import Address, Bounds, Cabinet, Town
from server.town.read import read_town
from shared.work_orders import RULES_BY_KIND, ServiceState, WorkOrderKind

CATALOGUE = demo_catalogue()
MARCH_17 = date(2026, 3, 17)
HELSINKI = ZoneInfo("Europe/Helsinki")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_made_up_town(tmp_path_factory.mktemp("map") / "town.osm.pbf")


@pytest.fixture(scope="module")
def town(path: Path) -> Town:
    return read_town(path)


@pytest.fixture(scope="module")
def people(town: Town) -> People:
    return make_people(town, CATALOGUE, seed=1)


@pytest.fixture(scope="module")
def day(town: Town, people: People) -> DemoDay:
    return make_day(town, CATALOGUE, people, MARCH_17, seed=1)


def needs(order: DemoOrder) -> Counter[str]:
    return Counter({line.sku: line.quantity for line in order.parts}) + Counter(
        need.skus[0] for need in order.equipment
    )


def minute(instant: datetime) -> int:
    local = instant.astimezone(HELSINKI)
    return local.hour * 60 + local.minute


def may_do(tech: DemoTechnician, order: DemoOrder) -> bool:
    """Skills, parts on the van, and some time in the window, on an otherwise empty day."""
    amounts = tech.van.stock.amounts()
    skilled = all(tech.levels.get(skill.name, 0) >= skill.level for skill in order.skills)
    stocked = all(amounts.get(sku, 0) >= quantity for sku, quantity in needs(order).items())
    shift_end = tech.shift.end.hour * 60
    begin = max(tech.shift.start.hour * 60, minute(order.window.start))
    in_time = begin < minute(order.window.end) and begin + order.expected_minutes <= shift_end
    return skilled and stocked and in_time


class TestTheDay:
    def test_has_130_orders_of_all_kinds_each_with_its_own_customer(self, day: DemoDay) -> None:
        assert Counter(order.kind.value for order in day.orders) == {
            "repair": 45, "install": 31, "swap": 24, "upgrade": 17, "disconnect": 13}  # fmt: skip
        for rows in (day.customers, day.locations, day.services, day.orders):
            assert len({row.number for row in rows}) == 130

    def test_is_at_130_different_houses_of_the_town(self, town: Town, day: DemoDay) -> None:
        houses = {location.address for location in day.locations}
        assert len(houses) == 130 and houses <= set(town.addresses)

    def test_asks_most_for_the_morning(self, day: DemoDay) -> None:
        over_by_noon = sum(minute(order.window.end) <= 12 * 60 for order in day.orders)
        only_after = sum(minute(order.window.start) >= 12 * 60 for order in day.orders)
        assert (over_by_noon, only_after) == (75, 34)

    def test_promises_in_utc_what_the_local_clock_says(self, day: DemoDay) -> None:
        emergency = next(order for order in day.orders if order.priority == 1)
        assert emergency.window.start == datetime(2026, 3, 17, 6, tzinfo=UTC)  # 08:00 in Helsinki, winter
        assert emergency.sla_due_at == datetime(2026, 3, 17, 10, tzinfo=UTC)
        assert {order.window.start.astimezone(HELSINKI).date() for order in day.orders} == {MARCH_17}

    def test_moves_with_the_clocks_in_summer(self, town: Town, people: People) -> None:
        summer = make_day(town, CATALOGUE, people, date(2026, 7, 1), seed=1)
        emergency = next(order for order in summer.orders if order.priority == 1)
        assert emergency.window.start == datetime(2026, 7, 1, 5, tzinfo=UTC)

    def test_is_due_no_sooner_than_its_window_ends(self, day: DemoDay) -> None:
        assert all(order.sla_due_at >= order.window.end for order in day.orders)

    def test_speaks_four_languages(self, day: DemoDay) -> None:
        assert {customer.language for customer in day.customers} == {"fi", "sv", "en", "de"}


class TestWhatIsInItOnPurpose:
    def test_nine_repairs_under_one_splitter(self, day: DemoDay) -> None:
        under = {location.number: location.splitter for location in day.locations}
        kinds = Counter(order.kind for order in day.orders if under[order.location] == day.cluster)
        assert kinds == {WorkOrderKind.REPAIR: 9}
        assert all(order.priority == 2 for order in day.orders if under[order.location] == day.cluster)

    def test_two_emergencies(self, day: DemoDay) -> None:
        assert [order.kind.value for order in day.orders if order.priority == 1] == ["repair", "repair"]

    def test_one_customer_who_is_not_at_home(self, day: DemoDay) -> None:
        (absent,) = [order for order in day.orders if order.customer_absent]
        assert (absent.kind, absent.impossible) == (WorkOrderKind.SWAP, "")

    def test_five_orders_nobody_can_do_and_why(self, day: DemoDay) -> None:
        assert Counter(order.impossible for order in day.orders if order.impossible) == {
            "nobody has heights at level 3": 2,
            "nobody has copper at level 4": 1,
            "ONT-UFLOCO is on no van": 2,
        }

    @pytest.mark.parametrize("seed", range(1, 21))
    def test_and_those_are_the_only_ones_on_any_day(self, town: Town, people: People, seed: int) -> None:
        for order in make_day(town, CATALOGUE, people, MARCH_17, seed).orders:
            able = [tech.username for tech in people.technicians if may_do(tech, order)]
            assert bool(able) is not bool(order.impossible), order


class TestAnOrder:
    def test_asks_for_devices_exactly_where_its_kind_fits_some(self, day: DemoDay) -> None:
        for order in day.orders:
            assert bool(order.equipment) is RULES_BY_KIND[order.kind].fits_equipment

    def test_asks_for_models_that_its_plan_allows(self, day: DemoDay) -> None:
        for order in day.orders:
            plan = CATALOGUE.plan(order.plan)
            for need in order.equipment:
                assert set(need.skus) <= set(plan.ont_skus if need.role == "ONT" else plan.router_skus)

    def test_finds_a_device_on_the_wall_unless_it_is_the_first(self, day: DemoDay) -> None:
        services = {service.number: service for service in day.services}
        for order in day.orders:
            service = services[order.service]
            first = order.kind is WorkOrderKind.INSTALL
            assert service.state is (ServiceState.RESERVED if first else ServiceState.ACTIVE)
            assert [device.sku for device in service.installed] == [
                sku for sku in CATALOGUE.plan(service.plan).ont_skus
                if not first and sku == service.installed[0].sku
            ]  # fmt: skip

    def test_to_upgrade_ends_on_a_faster_plan_all_others_keep_theirs(self, day: DemoDay) -> None:
        before = {service.number: CATALOGUE.plan(service.plan).down_mbps for service in day.services}
        for order in day.orders:
            faster = CATALOGUE.plan(order.plan).down_mbps > before[order.service]
            assert faster is (order.kind is WorkOrderKind.UPGRADE)

    def test_shares_no_serial_with_any_van(self, people: People, day: DemoDay) -> None:
        at_customers = {device.serial for service in day.services for device in service.installed}
        on_vans = {device.serial for tech in people.technicians for device in tech.van.stock.devices}
        assert len(at_customers) == 99 and not at_customers & on_vans


class TestTheNetwork:
    def test_every_house_hangs_on_one_splitter_of_a_cabinet_of_the_town(
        self, town: Town, day: DemoDay
    ) -> None:
        houses = [address.id for splitter in day.splitters for address in splitter.addresses]
        assert sorted(houses) == sorted(address.id for address in town.addresses)
        assert {splitter.cabinet_id for splitter in day.splitters} == {c.id for c in town.cabinets}
        assert max(len(splitter.addresses) for splitter in day.splitters) == 24

    def test_no_port_is_given_twice(self, day: DemoDay) -> None:
        ports = [(location.splitter, location.port) for location in day.locations]
        assert len(set(ports)) == 130


class TestCanBeDone:
    def test_a_plain_greedy_plan_serves_all_that_is_possible(self, people: People, day: DemoDay) -> None:
        orders = greedy(Day(a_request(people, day)))
        served = {day.orders[number].number for order in orders for number in order}
        assert served == {order.number for order in day.orders if not order.impossible}
        assert sum(order.expected_minutes for order in day.orders) == 4665


class TestTheSameSeed:
    def test_gives_the_same_bytes_in_another_process_with_another_hash_seed(self, path: Path) -> None:
        code = (
            "import sys; from datetime import date; from pathlib import Path\n"
            "from server.town.read import read_town\n"
            "from server.demo.catalogue import demo_catalogue\n"
            "from server.demo.people import make_people\n"
            "from server.demo.orders import make_day\n"
            "town, catalogue = read_town(Path(sys.argv[1])), demo_catalogue()\n"
            "people = make_people(town, catalogue, 7)\n"
            "print(people, make_day(town, catalogue, people, date(2026, 3, 17), 7))\n"
        )
        first, second = (
            subprocess.run(
                [sys.executable, "-c", code, str(path)],
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
                check=True, capture_output=True,
            ).stdout
            for seed in ("1", "2")
        )  # fmt: skip
        assert first == second and len(first) > 100_000

    def test_differs_from_another_seed_and_another_day(
        self, town: Town, people: People, day: DemoDay
    ) -> None:
        assert make_day(town, CATALOGUE, people, MARCH_17, seed=2).orders != day.orders
        assert make_day(town, CATALOGUE, people, date(2026, 3, 18), seed=1).orders != day.orders


class TestSmallTowns:
    def test_reuse_houses_by_flat_when_there_are_fewer_than_orders(self) -> None:
        houses = tuple(
            Address(id=f"n{i}", lat=60.0 + i / 1000, lon=24.9, street="Ainoa", housenumber=str(i))
            for i in range(1, 21)
        )
        town = Town(
            name="Pieni", attribution="", bounds=Bounds(west=24, south=60, east=25, north=61),
            addresses=houses, streets=(), source="",
            cabinets=(Cabinet(id="s1", lat=60.0, lon=24.9, ref="K1", synthetic=True),),
        )  # fmt: skip
        people = make_people(town, CATALOGUE, seed=1)
        day = make_day(town, CATALOGUE, people, MARCH_17, seed=1, orders=60)
        assert len(day.orders) == 60
        assert {location.address for location in day.locations} == set(houses)

    def test_refuse_a_day_of_too_few_orders(self, town: Town, people: People) -> None:
        with pytest.raises(ValueError, match="at least 30 orders, not 29"):
            make_day(town, CATALOGUE, people, MARCH_17, seed=1, orders=29)


def a_request(people: People, day: DemoDay) -> PlanRequest:
    """The day as the solver sees it: place 0 is the depot, then homes, then orders."""
    addresses = {location.number: location.address for location in day.locations}
    places = [people.depot.address, *(tech.home for tech in people.technicians)]
    places += [addresses[order.location] for order in day.orders]
    first_order = 1 + len(people.technicians)
    return PlanRequest(
        technicians=tuple(
            Technician(
                id=tech.username,
                start_place=number if tech.starts_at_home else 0,
                end_place=number if tech.ends_at_home else 0,
                shift_start=tech.shift.start.hour * 60,
                shift_end=tech.shift.end.hour * 60,
                lunch=Lunch(
                    earliest=tech.shift.lunch_from.hour * 60 + tech.shift.lunch_from.minute,
                    latest=tech.shift.lunch_until.hour * 60 + tech.shift.lunch_until.minute,
                    minutes=tech.shift.lunch_minutes,
                ),
                skills=tech.levels,
                parts=tech.van.stock.amounts(),
            )
            for number, tech in enumerate(people.technicians, start=1)
        ),
        jobs=tuple(
            Job(
                id=order.number,
                place=first_order + number,
                minutes=order.expected_minutes,
                skills={skill.name: skill.level for skill in order.skills},
                parts=needs(order),
                windows=(Window(minute(order.window.start), minute(order.window.end)),),
                priority=order.priority,
            )
            for number, order in enumerate(day.orders)
        ),
        travel=matrix_of(CrowFlight(), [(place.lon, place.lat) for place in places]),
    )
