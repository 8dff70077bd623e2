"""Planning over HTTP, as the board asks for it: who may, what is answered, and that the server goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from console_day import VIEWER, Console, a_console, served
from fastapi.testclient import TestClient
from httpx import Client

from server.dispatch.roads import travel_times
from server.town.made_up import write_made_up_town
from server.town.read import read_town
from server.work_orders.models import WorkOrderRow


@pytest.fixture
def console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    """It is between 09:00 and 10:00 there, so a shift from 8 to 16 has most of its day ahead."""
    with a_console(database_url, tmp_path, hour=9) as console:
        yield console


@pytest.fixture
def client(console: Console) -> Iterator[TestClient]:
    with console.client() as client:
        yield client


def row(console: Console, work_order_id: UUID) -> WorkOrderRow:
    with console.database.read() as session:
        return session.get_one(WorkOrderRow, work_order_id)  # type: ignore[no-any-return]


class TestPlanningADay:
    def test_answers_the_figures_and_books_the_day(self, console: Console, client: TestClient):
        aino = console.technician()
        job = console.work_order()
        skilled = console.work_order(
            number="WO-SKILL", requirements={"required_skills": [{"name": "copper", "level": 2}]}
        )
        headers = console.signed_in(client)
        answer = client.post("/api/plan", json={"day": str(console.today), "seconds": 0}, headers=headers)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert (told["planned"], told["changed"], told["skipped"]) == (1, 1, [])
        assert told["unassigned"] == [["WO-SKILL", "skill", "nobody has copper level 2: the best has none"]]
        assert (told["engine"], told["roads"], told["roads_estimated"]) == ("greedy", "straight line", True)
        assert row(console, job).technician_id == aino
        assert row(console, skilled).technician_id is None

    def test_is_refused_without_the_right_role_or_without_the_pages_token(
        self, console: Console, client: TestClient
    ):
        wish = {"day": str(console.today)}
        assert client.post("/api/plan", json=wish).status_code == 401
        headers = console.signed_in(client, VIEWER)
        assert client.post("/api/plan", json=wish, headers=headers).json()["type"].endswith("wrong-role")
        console.signed_in(client)
        assert client.post("/api/plan", json=wish).json()["type"].endswith("bad-csrf")

    @pytest.mark.parametrize("seconds", [-1, 121])
    def test_an_unreasonable_time_to_think_is_refused(
        self, console: Console, client: TestClient, seconds: int
    ):
        headers = console.signed_in(client)
        answer = client.post(
            "/api/plan", json={"day": str(console.today), "seconds": seconds}, headers=headers
        )
        assert (answer.status_code, answer.json()["field"]) == (422, "seconds")

    def test_a_day_that_is_over_is_refused(self, console: Console, client: TestClient):
        headers = console.signed_in(client)
        yesterday = str(console.today - timedelta(days=1))
        answer = client.post("/api/plan", json={"day": yesterday}, headers=headers)
        assert (answer.status_code, answer.json()["field"]) == (422, "day")

    def test_the_server_answers_others_while_the_scheduler_thinks(self, console: Console):
        """The search would hold the interpreter for seconds; other requests must not notice it."""
        for name in ("Aino", "Ben", "Cleo", "Dan"):
            console.technician(name)
        for number in range(40):
            console.work_order(expected_minutes=20, lat=59.30 + number % 7 / 200, lon=21.30 + number / 400)
        with served(console.app) as url, Client(base_url=url, timeout=60) as client:
            headers = console.signed_in(client)  # type: ignore[arg-type]
            with ThreadPoolExecutor(1) as pool:
                wish = {"day": str(console.today), "seconds": 3}
                planning = pool.submit(client.post, "/api/plan", json=wish, headers=headers)
                waits = []
                while not planning.done():
                    began = time.perf_counter()
                    assert client.get("/api/board/now").status_code == 200
                    waits.append(time.perf_counter() - began)
            answer = planning.result()
        assert answer.status_code == 200, answer.text
        assert answer.json()["seconds"] >= 2
        # Held by the search, one request would have waited for all of it, and few would have been answered.
        assert len(waits) >= 10
        assert max(waits) < answer.json()["seconds"]


class TestTheDrivesOnTheMap:
    def test_follow_the_roads_from_home_past_every_visit_and_back(self, database_url: str, tmp_path: Path):
        town = write_made_up_town(tmp_path / "kuvitelma.osm.pbf")
        home, first, second, *_ = [(a.lon, a.lat) for a in read_town(town).addresses[::60]]
        with a_console(database_url, tmp_path, hour=9, map_file=town) as console:
            aino = console.technician(start_lon=home[0], start_lat=home[1], end_lon=home[0], end_lat=home[1])
            console.technician("Ben Korhonen")
            later, sooner = (
                console.work_order(
                    technician=aino, lon=place[0], lat=place[1], planned_start=console.at(hour),
                    planned_end=console.at(hour + 1),
                )
                for hour, place in ((13, second), (10, first))
            )  # fmt: skip
            with console.client() as client:
                console.signed_in(client, VIEWER)
                answer = client.get("/api/plan/routes", params={"day": str(console.today)})
            roads = travel_times(console.settings)
            drawn = roads.path([home, first, second, home]).line
            assert len(drawn) > 4
        assert answer.headers["content-type"] == "application/geo+json"
        told = answer.json()
        assert (told["roads"], told["estimated"]) == (roads.name, False)
        (feature,) = told["features"]
        assert feature["properties"] == {
            "technician_id": str(aino), "technician": "Aino Virtanen",
            "work_order_ids": [str(sooner), str(later)],
        }  # fmt: skip
        assert feature["geometry"]["coordinates"] == [list(point) for point in drawn]

    def test_are_straight_and_say_estimated_without_a_map(self, console: Console, client: TestClient):
        aino = console.technician()
        console.work_order(technician=aino, planned_start=console.at(10), planned_end=console.at(11))
        console.signed_in(client)
        told = client.get("/api/plan/routes").json()
        assert told["estimated"] is True
        assert told["features"][0]["geometry"]["coordinates"] == [
            [21.31, 59.3],
            [21.34, 59.315],
            [21.31, 59.3],
        ]


class TestWhoCouldDoAJob:
    def test_says_of_everybody_what_speaks_against_it(self, console: Console, client: TestClient):
        aino = console.technician(skills={"fibre": 3})
        ben = console.technician("Ben Korhonen", skills={"fibre": 1})
        needs = {"required_skills": [{"name": "fibre", "level": 2}]}
        job = console.work_order(number="WO-1", technician=aino, requirements=needs)
        console.signed_in(client)
        told = client.get(f"/api/work-orders/{job}/technicians").json()
        assert (told["number"], told["day"]) == ("WO-1", str(console.today))
        able, not_able = told["technicians"]
        assert (able["technician_id"], able["possible"], able["against"]) == (str(aino), True, [])
        assert able["planned_start"] is not None and able["added_minor"] > 0
        assert (not_able["technician_id"], not_able["possible"]) == (str(ben), False)
        assert not_able["against"] == ["needs fibre level 2, has 1"]

    def test_says_of_one_what_would_help(self, console: Console, client: TestClient):
        aino = console.technician()
        job = console.work_order(requirements={"required_skills": [{"name": "copper", "level": 5}]})
        console.signed_in(client)
        told = client.get(f"/api/work-orders/{job}/technicians/{aino}").json()
        assert (told["possible"], told["helps"]) == (False, ["works with copper level 5"])

    def test_holds_a_hands_wish_against_the_promise_and_the_drive(self, console: Console, client: TestClient):
        aino = console.technician()
        job = console.work_order(window_start=console.at(12), window_end=console.at(13))
        console.signed_in(client)
        door = f"/api/work-orders/{job}/technicians/{aino}"
        assert client.get(door, params={"planned_start": console.at(12, 30).isoformat()}).json()["possible"]
        early = client.get(door, params={"planned_start": console.at(11).isoformat()}).json()
        assert (early["possible"], early["against"]) == (
            False, ["would begin 11:00, promised is 12:00–12:59"],
        )  # fmt: skip

    def test_is_not_found_for_who_is_not_on_duty(self, console: Console, client: TestClient):
        console.technician()
        job = console.work_order()
        console.signed_in(client)
        assert client.get(f"/api/work-orders/{job}/technicians/{UUID(int=7)}").status_code == 404


class TestWhereOneMoreJobWouldFit:
    def test_offers_places_best_first_and_says_whom_each_delays(self, console: Console, client: TestClient):
        aino, ben = console.technician(), console.technician("Ben Korhonen", start_lat=59.4)
        planned = console.work_order(
            technician=aino, number="WO-PLANNED", planned_start=console.at(10),
            planned_end=console.at(11), expected_minutes=60,
        )  # fmt: skip
        emergency = console.work_order(
            priority=1, expected_minutes=30, window_start=console.at(8), window_end=console.at(10, 20)
        )
        console.signed_in(client)
        told = client.get(f"/api/work-orders/{emergency}/insertions").json()
        assert (told["day"], told["roads_estimated"]) == (str(console.today), True)
        assert [place["technician_id"] for place in told["places"]] == [str(aino), str(ben)]
        first, second = told["places"]
        assert first["added_minor"] < second["added_minor"]
        assert [one["work_order_id"] for one in first["delayed"]] == [str(planned)]
        assert first["delayed"][0]["minutes"] > 0
        assert "delays WO-PLANNED by" in first["sentence"]
        assert second["delayed"] == []
        assert second["sentence"].endswith("; delays nobody")

    def test_offers_nothing_when_nobody_is_able(self, console: Console, client: TestClient):
        console.technician()
        job = console.work_order(requirements={"required_skills": [{"name": "copper", "level": 5}]})
        console.signed_in(client)
        assert client.get(f"/api/work-orders/{job}/insertions").json()["places"] == []

    def test_is_refused_for_a_job_that_has_begun_and_for_none(self, console: Console, client: TestClient):
        job = console.work_order(technician=console.technician(), state="on_site", arrived_at=console.now)
        console.signed_in(client)
        begun = client.get(f"/api/work-orders/{job}/insertions")
        assert (begun.status_code, begun.json()["type"].rsplit("/")[-1]) == (409, "already-closed")
        assert client.get(f"/api/work-orders/{UUID(int=7)}/insertions").status_code == 404
