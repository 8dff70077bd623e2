"""A customer moves their visit by the link they have: held, asked once more, moved; and nobody else's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from console_day import Console, a_console
from fastapi.testclient import TestClient
from httpx import Response

from server.customers import new_time
from server.customers.links import visit_link, visit_token
from server.dispatch.slot_models import SlotHoldRow
from server.work_orders.models import WorkOrderRow

CHOICE = re.compile(r'name="start" value="([^"]+)">\s*<input type="hidden" name="end" value="([^"]+)"')
HOLD = re.compile(r"/times/([0-9a-f-]{36})/confirm")


@pytest.fixture
def console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    with a_console(database_url, tmp_path, hour=17) as console:  # of today nothing is left
        console.app.include_router(new_time.router)
        console.technician("Aino Virtanen", lunch_from_minute=None, lunch_until_minute=None)
        yield console


@pytest.fixture
def client(console: Console) -> Iterator[TestClient]:
    with console.client() as client:
        yield client


def a_visit(console: Console, **values: object) -> UUID:
    return console.work_order(requirements={"required_skills": []}, **values)


def choices(page: Response) -> list[tuple[str, str]]:
    return CHOICE.findall(page.text)


def row(console: Console, order: UUID) -> WorkOrderRow:
    with console.database.read() as session:
        return session.get_one(WorkOrderRow, order)  # type: ignore[no-any-return]


def take(client: TestClient, link: str, choice: tuple[str, str]) -> Response:
    return client.post(f"{link}/times", data={"start": choice[0], "end": choice[1]})


class TestMovingAVisit:
    def test_from_its_page_to_a_free_time_and_back(self, console: Console, client: TestClient):
        order = a_visit(console)
        link = visit_link(console.settings, order)
        assert f'href="{link.split("?")[0]}'.split("/visit/")[0] in client.get(link).text
        assert "Choose another time" in client.get(link).text
        free = choices(client.get(f"{link}/times"))
        assert len(free) == 4 * 4  # four slots a day, of the four days after today
        asked = take(client, link, free[5])
        assert asked.status_code == 200
        assert "free for you until" in asked.text
        (hold,) = HOLD.findall(asked.text)
        moved = client.post(f"{link}/times/{hold}/confirm")
        assert (moved.status_code, moved.headers["location"]) == (303, link)
        window = row(console, order).window_start, row(console, order).window_end
        assert window == tuple(datetime.fromisoformat(one) for one in free[5])

    def test_there_and_back_again_is_possible(self, console: Console, client: TestClient):
        order = a_visit(console)
        link = visit_link(console.settings, order)
        free = choices(client.get(f"{link}/times"))
        for choice in (free[4], free[9], free[4]):
            (hold,) = HOLD.findall(take(client, link, choice).text)
            assert client.post(f"{link}/times/{hold}/confirm").status_code == 303
            assert row(console, order).window_start == datetime.fromisoformat(choice[0])

    def test_gives_back_what_was_not_taken(self, console: Console, client: TestClient):
        order = a_visit(console)
        link = visit_link(console.settings, order)
        (hold,) = HOLD.findall(take(client, link, choices(client.get(f"{link}/times"))[0]).text)
        back = client.post(f"{link}/times/{hold}/give-back")
        assert (back.status_code, back.headers["location"]) == (303, f"{link}/times")
        assert client.post(f"{link}/times/{hold}/confirm").status_code == 409
        assert row(console, order).window_start is None

    def test_that_somebody_else_has_taken_meanwhile_shows_what_is_free(
        self, console: Console, client: TestClient
    ):
        """Both take all of a morning's slot, and it is found in its order's own language."""
        mine, theirs = (a_visit(console, expected_minutes=120, language="de") for _ in range(2))
        links = [visit_link(console.settings, one) for one in (mine, theirs)]
        first = choices(client.get(f"{links[0]}/times"))[0]
        assert take(client, links[1], first).status_code == 200
        refused = take(client, links[0], first)
        assert refused.status_code == 409
        assert "Dieser Termin ist nicht mehr frei" in refused.text
        assert first not in choices(refused)
        assert row(console, mine).window_start is None

    def test_has_no_way_once_somebody_has_set_out(self, console: Console, client: TestClient):
        order = a_visit(
            console, technician=console.technician("Ben"), state="travelling", travel_started_at=console.now,
            planned_start=console.now, planned_end=console.now + timedelta(hours=1),
        )  # fmt: skip
        link = visit_link(console.settings, order)
        assert "Choose another time" not in client.get(link).text
        answer = client.get(f"{link}/times")
        assert (answer.status_code, answer.headers["location"]) == (303, link)


class TestALink:
    def test_of_another_order_does_not_confirm_or_give_back_a_hold(
        self, console: Console, client: TestClient
    ):
        mine, theirs = a_visit(console), a_visit(console)
        link = visit_link(console.settings, mine)
        (hold,) = HOLD.findall(take(client, link, choices(client.get(f"{link}/times"))[0]).text)
        other = visit_link(console.settings, theirs)
        assert client.post(f"{other}/times/{hold}/confirm").status_code == 404
        assert client.post(f"{other}/times/{hold}/give-back").status_code == 404
        with console.database.read() as session:
            held = session.get_one(SlotHoldRow, UUID(hold))
            assert (held.confirmed_at, held.given_back_at) == (None, None)

    def test_that_is_over_or_was_never_ours_shows_nothing(self, console: Console, client: TestClient):
        old = visit_token(console.settings.secret, a_visit(console), days=-1)
        assert client.get(f"/visit/{old}/times").status_code == 410
        assert client.get("/visit/made-up/times").status_code == 404
        assert client.post("/visit/made-up/times").status_code == 404

    def test_with_a_time_that_is_no_time_leads_back(self, console: Console, client: TestClient):
        link = visit_link(console.settings, a_visit(console))
        answer = client.post(f"{link}/times", data={"start": "tomorrow", "end": "2026-11-30T10:00"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{link}/times")
