from collections import Counter

import pytest

from server.demo.catalogue import demo_catalogue
from server.demo.people import SKILLS, People, make_people
from server.town.made_up import write_made_up_town
from server.town.model import Town
from server.town.read import read_town

CATALOGUE = demo_catalogue()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return read_town(write_made_up_town(tmp_path_factory.mktemp("map") / "town.osm.pbf"))


@pytest.fixture(scope="module")
def people(town: Town) -> People:
    return make_people(town, CATALOGUE, seed=1)


class TestPeople:
    def test_are_fourteen_technicians_in_three_shifts(self, people: People) -> None:
        assert Counter(tech.shift.name for tech in people.technicians) == {"early": 5, "day": 6, "late": 3}
        assert len({tech.username for tech in people.technicians} | {u.username for u in people.office}) == 19

    def test_are_three_dispatchers_one_back_office_and_one_admin(self, people: People) -> None:
        assert Counter(user.role for user in people.office) == {"dispatcher": 3, "back_office": 1, "admin": 1}

    def test_live_at_fifteen_different_houses_of_the_town_depot_included(
        self, town: Town, people: People
    ) -> None:
        homes = {tech.home for tech in people.technicians} | {people.depot.address}
        assert len(homes) == 15 and homes <= set(town.addresses)

    def test_know_only_known_skills_at_levels_1_to_4(self, people: People) -> None:
        skills = [skill for tech in people.technicians for skill in tech.skills]
        assert {skill.name for skill in skills} == set(SKILLS)
        assert {skill.level for skill in skills} == {1, 2, 3, 4}

    def test_take_lunch_within_their_shift(self, people: People) -> None:
        for shift in {tech.shift for tech in people.technicians}:
            assert shift.start < shift.lunch_from < shift.lunch_until < shift.end
            assert shift.lunch_minutes == 30

    def test_are_the_same_for_the_same_seed_only(self, town: Town, people: People) -> None:
        assert make_people(town, CATALOGUE, seed=1) == people
        assert make_people(town, CATALOGUE, seed=2) != people


class TestStock:
    def test_no_device_is_in_two_places(self, people: People) -> None:
        stocks = [tech.van.stock for tech in people.technicians] + [people.depot.stock]
        devices = [device for stock in stocks for device in stock.devices]
        assert len(devices) == 571
        for number in ("serial", "mac"):
            assert len({getattr(device, number) for device in devices}) == len(devices)

    def test_one_model_is_on_no_van_but_in_the_depot(self, people: People) -> None:
        vans = Counter[str]()
        for tech in people.technicians:
            vans.update(tech.van.stock.amounts())
        assert {item.sku for item in CATALOGUE.items} - vans.keys() == {"ONT-UFLOCO"}
        assert people.depot.stock.amounts()["ONT-UFLOCO"] == 3

    def test_dear_models_ride_only_with_those_who_configure_well(self, people: People) -> None:
        for tech in people.technicians:
            assert ("ONT-XS010XQ" in tech.van.stock.amounts()) is (tech.levels["config"] >= 3)

    def test_the_depot_begins_a_little_above_every_reorder_point(self, people: People) -> None:
        amounts = people.depot.stock.amounts()
        for item in CATALOGUE.items:
            assert item.reorder_point < amounts[item.sku] <= item.reorder_point + item.reorder_quantity
