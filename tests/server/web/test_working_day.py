"""The page "Working day" in a real Chromium: filled in, refused in a sentence, by keys, narrow and wide."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import browser
import pytest
from console_day import ADMIN, DISPATCHER, PASSWORD, Console, a_console, served
from playwright.sync_api import BrowserContext, Page, expect

from server.dispatch import traffic, working_day
from server.work_orders import kinds
from shared.work_orders import WorkOrderKind


@pytest.fixture(scope="module")
def context(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with browser.launch(tmp_path_factory.mktemp("profile"), size=(1366, 768)) as found:
        yield found


@pytest.fixture
def console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    with a_console(database_url, tmp_path) as found:
        found.app.include_router(working_day.router)
        found.technician("Aino Virtanen")
        yield found


@pytest.fixture
def page(context: BrowserContext, console: Console) -> Iterator[Page]:
    context.clear_cookies()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    with served(console.app) as address:
        sign_in(page, address)
        yield page
        page.close()
    assert [one for one in said if not any(code in one for code in ("401", "422", "403", "404"))] == []


def sign_in(page: Page, address: str, email: str = ADMIN) -> None:
    page.goto(f"{address}/login?next=/working-day")
    page.get_by_label("Mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


class TestThePage:
    def test_changes_how_long_a_kind_takes(self, page: Page, console: Console):
        page.get_by_label("Install: minutes on site").fill("70")
        page.get_by_label("Install: of these, setting up").fill("15")
        page.get_by_role("button", name="Save the kinds").click()
        expect(page.get_by_role("status")).to_have_text("Saved. The next plans keep to it.")
        expect(page.get_by_label("Install: minutes on site")).to_have_value("70")
        with console.database.read() as session:
            found = kinds.times(session)[WorkOrderKind.INSTALL]
        assert (found.minutes, found.setup_minutes) == (70, 15)

    @pytest.mark.parametrize(
        ("label", "value", "words"),
        [
            ("Swap: of these, setting up", "25", "Setting up is part of the 25 minutes on site"),
            ("Swap: minutes on site", "soon", "Minutes of swap: write a whole number"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_nothing(
        self, page: Page, console: Console, label: str, value: str, words: str
    ):
        page.get_by_label("Install: minutes on site").fill("70")
        page.get_by_label(label).fill(value)
        page.get_by_role("button", name="Save the kinds").click()
        expect(page.get_by_role("alert")).to_contain_text(words)
        expect(page.get_by_label(label)).to_have_value(value)
        with console.database.read() as session:
            assert kinds.times(session)[WorkOrderKind.INSTALL].minutes == 55

    def test_gives_those_ticked_their_breaks(self, page: Page, console: Console):
        console.technician("Eetu Korhonen")
        page.reload()
        page.get_by_label("Aino Virtanen").check()
        page.get_by_label("Break 1 begins from").fill("09:00")
        page.get_by_label("Break 1 begins until").fill("10:00")
        page.get_by_label("Break 1: minutes").fill("15")
        page.get_by_role("button", name="Give those ticked these breaks").click()
        expect(page.get_by_role("status")).to_have_text("Saved. The next plans keep to it.")
        expect(page.get_by_text("08:00–16:00; 09:00–10:00 for 15 min")).to_be_visible()
        expect(page.get_by_text("08:00–16:00; no breaks")).to_be_visible()

    def test_says_whose_breaks_have_no_place(self, page: Page):
        page.get_by_label("Aino Virtanen").check()
        page.get_by_label("Break 1 begins from").fill("19:00")
        page.get_by_label("Break 1: minutes").fill("15")
        page.get_by_role("button", name="Give those ticked these breaks").click()
        expect(page.get_by_role("alert")).to_have_text(
            "The breaks and lunch of Aino Virtanen do not fit into the shift one after another"
        )
        expect(page.get_by_label("Break 1 begins from")).to_have_value("19:00")
        expect(page.get_by_label("Aino Virtanen")).to_be_checked()

    def test_changes_the_traffic_of_an_hour(self, page: Page, console: Console):
        page.get_by_label("Factor from 08:00").fill("1,5")
        page.get_by_role("button", name="Save the traffic").click()
        expect(page.get_by_role("status")).to_have_text("Saved. The next plans keep to it.")
        expect(page.get_by_label("Factor from 08:00")).to_have_value("1.5")
        with console.database.read() as session:
            assert traffic.in_force(session).factors[8] == 1.5

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ("11", "The factor of 8:00 must be between 0.2 and 10.0"),
            ("slow", "08:00: write a number like 1.4"),
        ],
    )
    def test_refuses_a_factor_that_is_none(self, page: Page, value: str, words: str):
        page.get_by_label("Factor from 08:00").fill(value)
        page.get_by_role("button", name="Save the traffic").click()
        expect(page.get_by_role("alert")).to_contain_text(words)
        expect(page.get_by_label("Factor from 08:00")).to_have_value(value)

    def test_is_filled_in_by_keys(self, page: Page):
        page.get_by_label("Install: minutes on site").focus()
        page.keyboard.press("Control+A")
        page.keyboard.type("80")
        page.keyboard.press("Tab")
        page.keyboard.press("Control+A")
        page.keyboard.type("20")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_be_visible()
        expect(page.get_by_label("Install: of these, setting up")).to_have_value("20")

    def test_is_not_for_dispatchers(self, page: Page, context: BrowserContext):
        address = page.url.partition("/working-day")[0]
        context.clear_cookies()
        sign_in(page, address, DISPATCHER)
        expect(page.get_by_role("heading", name="Working day")).to_have_count(0)
        page.goto(f"{address}/board")
        expect(page.get_by_role("link", name="Working day")).to_have_count(0)

    @pytest.mark.parametrize("width", [1366, 360])
    def test_fits(self, page: Page, width: int, tmp_path: Path):
        page.set_viewport_size({"width": width, "height": 768})
        expect(page.get_by_role("heading", name="Working day", exact=True)).to_be_visible()
        page.screenshot(path=tmp_path / "page.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.screenshot(path=tmp_path / "page.png", full_page=True)
        page.set_viewport_size({"width": 1366, "height": 768})
