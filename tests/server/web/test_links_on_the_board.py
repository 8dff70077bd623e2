"""Jobs linked on the board, in a real Chromium: made, seen, followed, taken away, and by keys alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import browser
import pytest
from console_day import DISPATCHER, PASSWORD, VIEWER, Console, a_console, served
from playwright.sync_api import BrowserContext, Locator, Page, expect

from server.clock import mint
from server.dispatch.link_rows import WorkOrderLinkRow
from server.dispatch.models import DayPlanRow
from server.town.made_up import write_made_up_town


@pytest.fixture(scope="module")
def context(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with browser.launch(tmp_path_factory.mktemp("profile"), size=(1366, 768)) as found:
        yield found


@pytest.fixture
def console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    """It is between 11:00 and 12:00. Aino's drop has been going on since 9; Eetu is to splice at 11."""
    town = write_made_up_town(tmp_path / "town.osm.pbf")
    with a_console(database_url, tmp_path, map_file=town) as found:
        yield found


@pytest.fixture
def jobs(console: Console) -> dict[str, UUID]:
    aino, eetu = console.technician("Aino Virtanen"), console.technician("Eetu Korhonen")
    drop = console.work_order(
        number="WO-DROP", technician=aino, state="on_site", planned_start=console.at(10, 30),
        planned_end=console.at(13), arrived_at=console.at(10, 30),
    )  # fmt: skip
    splice = console.work_order(
        number="WO-SPLICE", technician=eetu, planned_start=console.at(12), planned_end=console.at(13),
        window_start=console.at(11), window_end=console.at(13), kind="repair",
    )  # fmt: skip
    console.work_order(number="WO-MATE", kind="repair")
    return {"drop": drop, "splice": splice}


@pytest.fixture
def page(context: BrowserContext, console: Console, jobs: dict[str, UUID]) -> Iterator[Page]:
    context.clear_cookies()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    with served(console.app) as address:
        yield_to = sign_in(page, address)
        yield yield_to
        page.close()
    assert [one for one in said if "409" not in one and "422" not in one] == []


def sign_in(page: Page, address: str, email: str = DISPATCHER) -> Page:
    page.goto(f"{address}/board")
    page.get_by_label("Mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("body[data-loaded]")
    expect(page.locator("#live")).to_have_text("live")
    return page


def job(page: Page, number: str) -> Locator:
    return page.locator(f'[data-job][aria-label^="{number},"]')


def linked(page: Page, number: str = "WO-DROP", kind: str = "comes after", least: str = "") -> None:
    job(page, "WO-SPLICE").click()
    page.get_by_text("Link to another job…").click()
    page.get_by_label("How WO-SPLICE depends").select_option(label=kind)
    page.get_by_label("Work order", exact=True).fill(number)
    if least:
        page.get_by_label("Gap at least").fill(least)
    page.get_by_role("button", name="Link", exact=True).click()


class TestALinkOnTheBoard:
    def test_is_made_shown_with_what_is_late_because_of_it_and_taken_away(self, page: Page, console: Console):
        linked(page, least="15")
        panel = page.get_by_role("region", name="Depends on")
        expect(panel.locator("li")).to_contain_text("After WO-DROP, at least 15 min between, on site")
        expect(panel).to_contain_text(
            "Late because it waits for WO-DROP, expected done 13:00, and 15 min more"
        )
        expect(job(page, "WO-SPLICE")).to_have_attribute(
            "aria-label", re.compile("Expected 13:15.*waits for WO-DROP.*After WO-DROP, at least 15 min")
        )
        expect(job(page, "WO-SPLICE").locator(".icon-link")).to_be_visible()
        expect(job(page, "WO-DROP").locator(".icon-link")).to_be_visible()
        panel.get_by_role("button", name="WO-DROP", exact=True).click()
        expect(page.get_by_role("heading", name="Install WO-DROP")).to_be_visible()
        expect(page.get_by_role("region", name="Depends on")).to_contain_text("Before WO-SPLICE")
        page.get_by_role("button", name="Take away: Before WO-SPLICE").click()
        expect(page.get_by_role("region", name="Depends on")).to_have_count(0)
        expect(job(page, "WO-SPLICE").locator(".icon-link")).to_have_count(0)
        with console.database.read() as session:
            assert session.query(WorkOrderLinkRow).count() == 0

    def test_that_would_be_a_circle_is_refused_in_a_sentence(self, page: Page, console: Console):
        linked(page, "WO-MATE")
        expect(page.get_by_text("WO-SPLICE comes after WO-MATE; plans keep to it.")).to_be_visible()
        page.get_by_role("button", name="Close").click()
        job(page, "WO-MATE").click()
        page.get_by_text("Link to another job…").click()
        page.get_by_label("Work order", exact=True).fill("WO-SPLICE")
        page.get_by_role("button", name="Link", exact=True).click()
        expect(page.get_by_text("WO-MATE and WO-SPLICE are linked already")).to_be_visible()

    def test_of_two_people_asks_for_no_minutes_between(self, page: Page):
        linked(page, "WO-MATE", "begins together with")
        expect(page.get_by_role("region", name="Depends on").locator("li")).to_contain_text(
            "Begins together with WO-MATE, unassigned"
        )
        expect(page.get_by_label("Gap at least")).to_be_hidden()

    def test_is_made_by_keys_alone(self, page: Page):
        job(page, "WO-SPLICE").focus()
        page.keyboard.press("Enter")
        page.locator(".links summary").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
        page.keyboard.type("WO-MATE")
        page.keyboard.press("Enter")
        expect(page.get_by_role("region", name="Depends on").locator("li")).to_contain_text(
            "Begins together with WO-MATE"
        )

    def test_a_wish_is_written_down_and_forgotten(self, page: Page):
        job(page, "WO-SPLICE").click()
        page.get_by_text("The customer would like a time…").click()
        expect(page.get_by_role("form", name="Preferred time")).to_contain_text(
            "each minute outside costs a plan 0.05"
        )
        page.get_by_label("Preferred from").fill("14:00")
        page.get_by_label("Preferred until").fill("15:30")
        page.get_by_role("button", name="Write it down").click()
        expect(page.locator("#detail dl")).to_contain_text(re.compile("Prefers.*14:00–15:30"))
        expect(job(page, "WO-SPLICE")).to_have_attribute("aria-label", re.compile("would like 14:00–15:30"))
        page.get_by_text("Change the preferred time…").click()
        page.get_by_role("button", name="Forget it").click()
        expect(page.locator("#detail dl")).not_to_contain_text("Prefers")

    def test_warns_a_hand_before_it_parts_two(self, page: Page):
        linked(page)
        expect(page.get_by_role("region", name="Depends on").locator("li")).to_be_visible()
        job(page, "WO-SPLICE").focus()
        page.keyboard.press("Shift+ArrowRight")
        expect(page.locator(".toast.move")).to_contain_text("Comes after WO-DROP, which ends 13:00")
        page.keyboard.press("Enter")
        expect(page.locator(".why-asked")).to_contain_text("WO-SPLICE starts 12:15, but WO-DROP ends 13:00")

    def test_is_not_for_whoever_may_only_look(self, page: Page, context: BrowserContext):
        linked(page)
        expect(page.get_by_role("region", name="Depends on").locator("li")).to_be_visible()
        address = page.url.partition("/board")[0]
        page.goto("about:blank")
        context.clear_cookies()
        sign_in(page, address, VIEWER)
        job(page, "WO-SPLICE").click()
        panel = page.get_by_role("region", name="Depends on")
        expect(panel.locator("li")).to_contain_text("After WO-DROP")
        expect(panel.get_by_role("button", name=re.compile("Take away"))).to_have_count(0)
        expect(page.get_by_text("Link to another job…")).to_have_count(0)

    @pytest.mark.parametrize("width", [1366, 360])
    def test_fits_on_a_narrow_screen(self, page: Page, width: int, tmp_path: Path):
        page.set_viewport_size({"width": width, "height": 768})
        linked(page, least="15")
        expect(page.get_by_role("region", name="Depends on").locator("li")).to_be_visible()
        # By then the panel has been drawn anew with what the clock makes of the link.
        expect(page.get_by_role("region", name="Depends on")).to_contain_text("Late because it waits")
        page.get_by_text("Link to another job…").click()
        wide = page.evaluate(
            "document.querySelector('#detail').scrollWidth - document.querySelector('#detail').clientWidth"
        )
        assert wide == 0
        page.evaluate("document.querySelector('.links').scrollIntoView()")
        page.screenshot(path=tmp_path / "links.png")
        page.set_viewport_size({"width": 1366, "height": 768})


class TestABreakOnTheBoard:
    def test_stands_where_the_plan_has_put_it(self, page: Page, console: Console):
        tea = {"from_minute": 14 * 60, "until_minute": 15 * 60, "minutes": 20}
        who = console.technician("Helmi Mäkinen", breaks=[tea])
        with console.database.write() as session:
            session.add(
                DayPlanRow(
                    id=mint(), day=console.today, made_at=console.at(6), engine="", roads="",
                    roads_estimated=False, seconds=1, seed=0, figures={}, lunches={},
                    breaks={str(who): {"840": 14 * 60 + 10}},
                )
            )  # fmt: skip
        page.reload()
        page.wait_for_selector("body[data-loaded]")
        row = page.locator(".timeline .row", has=page.get_by_text("Helmi Mäkinen", exact=True))
        expect(row.locator(".lunch")).to_have_attribute("title", "Break 14:10–14:30")
