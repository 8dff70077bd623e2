"""The page "What if": tried, compared, applied and released as a dispatcher does it, in Chromium too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import browser
import pytest
from console_day import DISPATCHER, PASSWORD, Console, a_console, served
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, Page, expect

from server.dispatch import plan_record_routes, plan_routes, what_if_page, what_if_routes
from server.dispatch.models import PlanOverrideRow, SavedPlanRow
from server.work_orders.models import WorkOrderRow


@pytest.fixture
def console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    """It is between 09:00 and 10:00. Aino has WO-1 at 13:00; WO-2 is nobody's yet."""
    with a_console(database_url, tmp_path, hour=9) as console:
        for module in (plan_routes, plan_record_routes, what_if_routes, what_if_page):
            console.app.include_router(module.router)
        yield console


@pytest.fixture
def crew(console: Console) -> dict[str, UUID]:
    people = {"Aino": console.technician("Aino Virtanen"), "Eetu": console.technician("Eetu Korhonen")}
    console.work_order(
        number="WO-1", technician=people["Aino"], planned_start=console.at(13), planned_end=console.at(14)
    )
    console.work_order(number="WO-2")
    return people


@pytest.fixture
def client(console: Console, crew: dict[str, UUID]) -> Iterator[TestClient]:
    with console.client() as client:
        client.headers.update(console.signed_in(client))
        yield client


def rows(console: Console, kind: type[Any]) -> list[Any]:
    with console.database.read() as session:
        return list(session.query(kind))


def tried(console: Console, client: TestClient, **form: Any) -> Any:
    return client.post("/whatif", data={"day": str(console.today), "name": "Try", "seconds": "0"} | form)


class TestTheForm:
    def test_becomes_changes_and_leads_to_the_comparison(
        self, console: Console, client: TestClient, crew: dict[str, UUID]
    ):
        answer = tried(
            console, client,
            off=[str(crew["Aino"])],
            who=[str(crew["Aino"]), str(crew["Eetu"])], shift_from=["08:00", "07:00"],
            shift_to=["16:00", "16:00"],
            more_like=str(crew["Eetu"]), more_name="Cai",
            weight=["drive_km", "drive_hour"], costs=["0,50", "60.00"],
        )  # fmt: skip
        assert answer.status_code == 303, answer.text
        (saved,) = rows(console, SavedPlanRow)
        assert saved.words == [
            "Aino Virtanen is off", "Eetu Korhonen works 07:00 to 16:00", "Cai works too, like Eetu Korhonen",
            "a kilometre costs 0.50",
        ]  # fmt: skip
        assert (saved.name, saved.made_by) == ("Try", "Dora Dispatcher")
        shown = client.get(answer.headers["location"]).text
        assert "Side by side" in shown
        assert "Aino Virtanen is off" in shown
        assert "<strong>WO-1</strong>: Aino Virtanen" in shown
        assert "not known" in shown  # what a broken promise is worth

    def test_says_what_is_wrong_and_keeps_nothing(self, console: Console, client: TestClient):
        for form, sentence in (
            ({"name": " "}, "Give it a name"),
            ({"bring": "WO-99"}, "There is no work order WO-99"),
            ({"rounds": "many"}, "rounds is a whole number"),
            ({"weight": ["drive_km"], "costs": ["dear"]}, "a kilometre costs a number"),
            ({"off": ["nobody"]}, "Choose one of the list"),
        ):
            answer = tried(console, client, **form)
            assert (answer.status_code, sentence in answer.text) == (422, True), form
        assert rows(console, SavedPlanRow) == []

    def test_escapes_what_was_typed(self, console: Console, client: TestClient):
        answer = tried(console, client, name="<b>If</b>")
        assert "&lt;b&gt;If&lt;/b&gt;" in client.get(answer.headers["location"]).text


class TestASavedPlan:
    def test_is_applied_says_what_became_of_it_and_is_forgotten(
        self, console: Console, client: TestClient, crew: dict[str, UUID]
    ):
        tried(console, client, off=[str(crew["Aino"])])
        (saved,) = rows(console, SavedPlanRow)
        path = f"/whatif/plans/{saved.id}"
        assert client.post(f"{path}/apply").status_code == 303
        holders = {row.number: row.technician_id for row in rows(console, WorkOrderRow)}
        assert holders == {"WO-1": crew["Eetu"], "WO-2": crew["Eetu"]}
        shown = client.get("/whatif").text
        assert "Applied by Dora Dispatcher" in shown
        assert "<strong>WO-1</strong> to Eetu Korhonen at" in shown
        again = client.post(f"{path}/apply")
        assert (again.status_code, "has applied it already" in again.text) == (409, True)
        assert client.post(f"{path}/delete").status_code == 303
        assert rows(console, SavedPlanRow) == []
        assert client.post(f"{path}/delete").status_code == 404

    def test_is_made_again(self, console: Console, client: TestClient):
        tried(console, client, rounds="50")
        (saved,) = rows(console, SavedPlanRow)
        answer = client.post(f"/whatif/plans/{saved.id}/verify")
        assert "Try: The same plan, byte for byte." in answer.text

    def test_a_day_that_is_over_shows_what_was_and_offers_nothing(self, client: TestClient):
        shown = client.get("/whatif?day=2020-01-06").text
        assert "This day is over" in shown
        assert "Try a plan" not in shown
        assert client.get("/whatif?day=0001-01-01").status_code == 422


class TestOverTheApi:
    def test_tries_compares_applies_and_forgets(
        self, console: Console, client: TestClient, crew: dict[str, UUID]
    ):
        body = {
            "day": str(console.today), "name": "Aino ill", "seconds": 0,
            "changes": [{"kind": "technician_off", "technician_id": str(crew["Aino"])}],
        }  # fmt: skip
        made = client.post("/api/what-if", json=body)
        assert made.status_code == 201, made.text
        id = made.json()["id"]
        assert [one["id"] for one in client.get("/api/what-if").json()] == [id]
        assert client.get(f"/api/what-if/{id}").json()["words"] == ["Aino Virtanen is off"]
        now, other = client.get("/api/what-if/compare", params={"plan": id}).json()["sides"]
        assert (now["name"], now["visits"], other["visits"]) == ("In force", 1, 2)
        assert {one["number"]: one["before"] is None for one in other["moved"]} == {
            "WO-1": False, "WO-2": True,
        }  # fmt: skip
        applied = client.post(f"/api/what-if/{id}/apply").json()
        assert {one["number"]: one["became"] for one in applied["moves"]} == {
            "WO-1": "applied", "WO-2": "applied",
        }  # fmt: skip
        assert client.post(f"/api/what-if/{id}/delete").status_code == 204
        assert client.get(f"/api/what-if/{id}").status_code == 404

    @pytest.mark.parametrize(
        "wrong",
        [
            {"seconds": 121},
            {"rounds": 0},
            {"changes": [{"kind": "holiday"}]},
            {"changes": [{"kind": "weight", "weight": "unserved", "cents": 1}]},
        ],
    )
    def test_what_is_no_change_is_refused(self, console: Console, client: TestClient, wrong: Any):
        body = {"day": str(console.today), "name": "If", "seconds": 0} | wrong
        assert client.post("/api/what-if", json=body).status_code == 422
        assert rows(console, SavedPlanRow) == []


# --- in Chromium --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def context(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with browser.launch(tmp_path_factory.mktemp("profile"), size=(1280, 900)) as found:
        yield found


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path, context: BrowserContext) -> Iterator[tuple[Console, Page, str]]:
    with a_console(sqlite_url, tmp_path, hour=9) as console:
        for module in (plan_routes, plan_record_routes, what_if_routes, what_if_page):
            console.app.include_router(module.router)
        aino = console.technician("Aino Virtanen")
        console.technician("Eetu Korhonen")
        for n, hour in enumerate((11, 13, 14), start=1):
            console.work_order(
                number=f"WO-{n}", technician=aino, planned_start=console.at(hour),
                planned_end=console.at(hour + 1), window_start=console.at(hour),
                window_end=console.at(hour + 2),
            )  # fmt: skip
        console.work_order(number="WO-9", street="Pitkänsillanranta", house_number="128 B")
        context.clear_cookies()
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        with served(console.app) as address:
            page.goto(f"{address}/whatif")
            page.get_by_label("Mail address").fill(DISPATCHER)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.goto(f"{address}/whatif")
            yield console, page, address
        page.close()
        assert [one for one in errors if "409" not in one] == []


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


class TestInABrowser:
    def test_a_plan_is_tried_by_keys_alone_compared_and_applied(self, desk: tuple[Console, Page, str]):
        console, page, _ = desk
        page.get_by_label("Name", exact=True).focus()
        page.keyboard.type("Aino is ill")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # unfolds the technicians
        off = page.get_by_label("Aino Virtanen is off")
        expect(off).to_be_visible()
        page.keyboard.press("Tab")
        expect(off).to_be_focused()
        page.keyboard.press("Space")
        page.get_by_text("How long to think").click()
        page.get_by_label("Time to think").select_option("0")
        page.get_by_role("button", name="Try it").press("Enter")
        expect(page.locator(".sides thead th")).to_have_text(["In force", "Aino is ill"])
        expect(page.locator(".moves li").first).to_contain_text("WO-1")
        expect(page.locator(".plan .words li")).to_have_text(["Aino Virtanen is off"])
        page.get_by_role("button", name="Apply Aino is ill").click()
        expect(page.locator(".applied")).to_contain_text("Applied by Dora Dispatcher")
        assert len({row.technician_id for row in rows(console, WorkOrderRow)}) == 1
        assert rows(console, SavedPlanRow)[0].applied_by == "Dora Dispatcher"

    def test_a_decision_by_hand_is_shown_gets_its_reason_and_is_released(
        self, desk: tuple[Console, Page, str]
    ):
        console, page, address = desk
        eetu = console.technician("Olli Niemi")
        job = next(row.id for row in rows(console, WorkOrderRow) if row.number == "WO-1")
        csrf = page.locator('input[name="csrf_token"]').first.input_value()
        moved = page.request.post(
            f"{address}/api/work-orders/{job}/assign",
            data={"technician_id": str(eetu), "planned_start": console.at(15).isoformat()},
            headers={"X-CSRF-Token": csrf},
        )
        assert moved.ok, moved.text()
        page.reload()
        card = page.get_by_role("article", name=re.compile("WO-1, decided"))
        expect(card).to_contain_text("Olli Niemi at 15:00")
        expect(card).to_contain_text("It costs +")
        page.get_by_label("Why WO-1").select_option("knows_place")
        page.get_by_label("Note on WO-1").fill("has the keys")
        page.get_by_label("Note on WO-1").press("Enter")
        expect(card).to_contain_text("Pinned by Dora Dispatcher: knows the place, has the keys")
        page.get_by_role("button", name="Release WO-1").click()
        expect(card).to_contain_text("Released by Dora Dispatcher")
        expect(card.locator(".chip")).to_have_count(0)
        assert rows(console, PlanOverrideRow)[0].released_by == "Dora Dispatcher"

    def test_fits_a_small_screen(self, desk: tuple[Console, Page, str], tmp_path: Path):
        _, page, _ = desk
        page.set_viewport_size({"width": 360, "height": 740})
        try:
            for summary in page.locator(".try summary").all():
                summary.click()
            assert fits(page)
            page.get_by_label("Name", exact=True).fill("A rather long name of a plan to be tried")
            page.get_by_label("Time to think").select_option("0")
            page.get_by_role("button", name="Try it").click()
            expect(page.locator(".sides thead th")).to_have_count(2)
            assert fits(page)
        finally:
            page.set_viewport_size({"width": 1280, "height": 900})
