"""The page "Policy": read, mended, tried on a day and put in force as the office does it, in Chromium too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import browser
import pytest
from console_day import ADMIN, DISPATCHER, VIEWER, Console, a_console
from console_desk import at_desk
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, Page, expect
from unnamed import unnamed

from server.dispatch import policy, policy_page, what_if_page
from server.dispatch.models import PolicyRow, SavedPlanRow
from server.dispatch.policy_words import GROUPS

THINKING_MS = 60_000  # two plans, each in a process of its own


def at_nine(database_url: str, folder: Path) -> Any:
    return a_console(database_url, folder, hour=9)


def filled(console: Console) -> None:
    """Aino has WO-1 at 13:00, WO-2 is nobody's yet; the policy has a first version."""
    for module in (policy_page, what_if_page):
        console.app.include_router(module.router)
    aino: UUID = console.technician("Aino Virtanen")
    console.technician("Eetu Korhonen")
    console.work_order(
        number="WO-1", technician=aino, planned_start=console.at(13), planned_end=console.at(14)
    )
    console.work_order(number="WO-2")
    with console.database.write() as session:
        policy.change(
            session, after=0, weights={"drive_km": 40}, territories={"North": ["97"]}, note="Dearer petrol",
            who="Ada Admin", now=console.now,
        )  # fmt: skip


@pytest.fixture
def console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    with at_nine(database_url, tmp_path) as console:
        filled(console)
        yield console


@pytest.fixture
def client(console: Console) -> Iterator[TestClient]:
    with console.client() as client:
        client.headers.update(console.signed_in(client, ADMIN))
        yield client


def rows(console: Console, kind: type[Any]) -> list[Any]:
    with console.database.read() as session:
        return list(session.query(kind))


def form(**amounts: str) -> dict[str, Any]:
    return {
        "after": "1", "note": "Try", "territories": "North: 97",
        "name": list(amounts), "amount": list(amounts.values()),
    }  # fmt: skip


class TestThePage:
    def test_shows_every_figure_with_what_it_means_and_every_version(self, client: TestClient):
        shown = client.get("/policy").text
        for names in GROUPS.values():
            for name in names:
                assert f'<input type="hidden" name="name" value="{name}">' in shown
        assert "10 km cost 4.00, as much as 4 min at the wheel." in shown
        assert "Dearer petrol" in shown
        assert "<li>A kilometre: 0.30 → 0.40</li>" in shown
        assert "<li>Territory North: new, 97</li>" in shown

    def test_is_for_who_plans_and_lets_only_administrators_put_in_force(self, console: Console):
        with console.client() as client:
            console.signed_in(client, VIEWER)
            assert client.get("/policy").status_code == 403
        with console.client() as client:
            token = console.signed_in(client, DISPATCHER)
            assert "Put in force" not in client.get("/policy").text
            answer = client.post("/policy", data=form(drive_km="0.50"), headers=token)
            assert answer.status_code == 403
        assert len(rows(console, PolicyRow)) == 1

    def test_begins_with_a_former_version(self, client: TestClient):
        shown = client.get("/policy?like=0").text
        assert 'value="As version 0 again"' in shown
        assert "<li>A kilometre: 0.40 → 0.30</li>" in shown


class TestPuttingItInForce:
    def test_makes_a_version_of_what_was_typed(self, console: Console, client: TestClient):
        body = form(drive_km="0,55", unserved_2="1700") | {"territories": "North: 97\nSouth: 001, 002"}
        answer = client.post("/policy", data=body)
        assert (answer.status_code, answer.headers["location"]) == (303, "/policy?done=1#news")
        with console.database.read() as session:
            made = policy.policy_in_force(session)
        assert (made.version, made.made_by, made.note) == (2, "Ada Admin", "Try")
        assert (made.weights.drive_km, made.weights.unserved[1]) == (55, 170_000)
        assert made.territories == {"North": ("97",), "South": ("001", "002")}
        assert "Version 2 is in force" in client.get(answer.headers["location"]).text

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            (form(drive_km="dear"), "A kilometre: write an amount such as 1.50, not “dear”"),
            (form(drive_km="0.50") | {"note": " "}, "Why: say in a few words why it is changed"),
            (form(drive_km="0.50") | {"territories": "97"}, "Territories: write line 1 as a name"),
            (form(drive_km="0.40"), "Nothing is changed"),
        ],
    )
    def test_says_what_is_wrong_keeps_what_was_typed_and_makes_none(
        self, console: Console, client: TestClient, body: dict[str, Any], sentence: str
    ):
        answer = client.post("/policy", data=body)
        assert (answer.status_code, sentence in answer.text) == (422, True)
        assert f'value="{body["amount"][0]}"' in answer.text
        assert len(rows(console, PolicyRow)) == 1

    def test_is_refused_when_somebody_else_has_meanwhile(self, console: Console, client: TestClient):
        answer = client.post("/policy", data=form(drive_km="0.50") | {"after": "0"})
        assert (answer.status_code, "Version 1 is in force, not 0" in answer.text) == (409, True)
        assert "<li>A kilometre: 0.40 → 0.50</li>" in answer.text
        assert len(rows(console, PolicyRow)) == 1

    def test_keeps_no_letter_that_a_database_can_not(self, console: Console, client: TestClient):
        body = form(drive_km="0.50") | {"territories": "N\x00rth: 9\x007", "note": "a\x00b"}
        assert client.post("/policy", data=body).status_code == 303
        with console.database.read() as session:
            made = policy.policy_in_force(session)
        assert (made.note, made.territories) == ("a b", {"N rth": ("9 7",)})

    def test_escapes_what_was_typed(self, client: TestClient):
        answer = client.post("/policy", data=form(drive_km="<b>1</b>"))
        assert "&lt;b&gt;1&lt;/b&gt;" in answer.text
        assert "<b>1</b>" not in answer.text


class TestTryingIt:
    def test_plans_the_day_with_and_without_the_change_and_books_nothing(
        self, console: Console, client: TestClient
    ):
        body = form(unserved_3="0.00", drive_hour="90") | {"day": str(console.today), "seconds": "0"}
        body["territories"] = "North: 97\nSouth: 999"
        answer = client.post("/policy/try", data=body)
        assert answer.status_code == 200, answer.text
        as_it_is, changed = rows(console, SavedPlanRow)
        assert (as_it_is.name, as_it_is.words) == ("Policy 1 as it is", [])
        assert changed.name == "Policy 1 changed: Try"
        assert set(changed.words) == {
            "a visit of priority 3 left undone costs 0.00", "an hour of driving costs 90.00",
            "2 territories, drawn anew",
        }  # fmt: skip
        for name in ("In force", "Policy 1 as it is", "Policy 1 changed: Try"):
            assert f'<th scope="col">{name}</th>' in answer.text
        # Nothing is worth a drive any more where leaving it out is free.
        assert '<td class="number">0 · 0 · 2 · 0</td>' in answer.text
        assert len(rows(console, PolicyRow)) == 1

    def test_of_a_day_gone_by_or_with_a_wrong_figure_is_refused(self, console: Console, client: TestClient):
        over = client.post("/policy/try", data=form(drive_km="1") | {"day": "2020-01-06"})
        assert (over.status_code, "is over" in over.text) == (422, True)
        wrong = client.post("/policy/try", data=form(drive_km="x") | {"day": str(console.today)})
        assert (wrong.status_code, "A kilometre: write an amount" in wrong.text) == (422, True)
        assert rows(console, SavedPlanRow) == []


# --- in Chromium --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def context(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with browser.launch(tmp_path_factory.mktemp("profile"), size=(1366, 768)) as found:
        yield found


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path, context: BrowserContext) -> Iterator[tuple[Console, Page]]:
    with at_nine(sqlite_url, tmp_path) as console:
        filled(console)
        with at_desk(context, console, "/policy", ADMIN) as page:
            yield console, page


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


class TestInABrowser:
    def test_a_figure_is_mended_tried_and_put_in_force_by_keys_alone(self, desk: tuple[Console, Page]):
        console, page = desk
        figure = page.get_by_label("A kilometre", exact=True)
        figure.focus()
        page.keyboard.press("Control+A")
        page.keyboard.type("dear")
        page.keyboard.press("Enter")  # tries it: Enter puts nothing in force
        alert = page.get_by_role("alert")
        expect(alert).to_be_focused()
        expect(alert).to_contain_text("A kilometre: write an amount such as 1.50, not “dear”.")
        expect(figure).to_have_attribute("aria-invalid", "true")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # the complaint leads to its figure
        page.keyboard.press("Control+A")
        page.keyboard.type("0.60")
        expect(figure).to_have_value("0.60")
        page.get_by_label("Time to think").select_option("0")
        page.get_by_role("button", name="Try it on this day").press("Enter")
        found = page.get_by_role("heading", name="What the change would do")
        expect(found).to_be_focused(timeout=THINKING_MS)
        expect(page.locator(".sides thead th")).to_have_text(
            ["In force", "Policy 1 as it is", "Policy 1 changed"]
        )
        expect(page.get_by_text("A kilometre: 0.40 → 0.60")).to_be_visible()
        why = page.get_by_label("Why")
        why.focus()
        page.keyboard.type("Petrol again")
        page.get_by_role("button", name="Put in force").press("Enter")
        expect(page.get_by_role("status")).to_contain_text("Version 2 is in force")
        expect(page.get_by_role("status")).to_be_focused()
        newest = page.get_by_role("article", name="Version 2")
        expect(newest).to_contain_text("Petrol again")
        expect(newest).to_contain_text("Ada Admin")
        assert [row.weights["drive_km"] for row in rows(console, PolicyRow)] == [40, 60]

    def test_every_control_has_a_name_and_all_of_it_fits(self, desk: tuple[Console, Page]):
        _, page = desk
        assert unnamed(page) == []
        try:
            for width in (1366, 360):
                page.set_viewport_size({"width": width, "height": 768})
                assert fits(page), width
                page.get_by_label("A kilometre", exact=True).fill("x" * 40)
                page.get_by_label("Time to think").select_option("0")
                page.get_by_role("button", name="Try it on this day").click()
                expect(page.get_by_role("alert")).to_be_visible()
                assert fits(page), width
                page.get_by_label("A kilometre", exact=True).fill("0.70")
                page.get_by_role("button", name="Try it on this day").click()
                expect(page.locator(".sides")).to_be_visible(timeout=THINKING_MS)
                assert fits(page), width
                page.get_by_role("link", name="Policy", exact=True).click()
        finally:
            page.set_viewport_size({"width": 1366, "height": 768})
