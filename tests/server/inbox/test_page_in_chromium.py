"""The inbox in a real Chromium: look, click once, see it booked; by keys too, and on a narrow screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import browser
import pytest
from console_day import served
from playwright.sync_api import BrowserContext, Page, expect
from world import CABLE, Job, World, a_world

from server import office
from server.access.people import add_person
from server.access.roles import Role
from server.app import build_app
from server.billing.models import InvoiceRow
from server.db.feed_models import CommandRow
from server.inbox import acts
from server.inbox.models import FollowUpRow
from shared.commands import AssignWorkOrder, CancelWorkOrder, CorrectContact, EditContact, UseParts
from shared.work_orders import ContactField, PartLine, WorkOrderState

EMAIL, PASSWORD = "dora@office.test", "correct horse battery"


@pytest.fixture(scope="module")
def context(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with browser.launch(tmp_path_factory.mktemp("profile"), size=(1366, 768)) as found:
        yield found


@dataclass
class Inbox:
    world: World
    page: Page
    address: str
    said: list[str] = field(default_factory=list)

    def sign_in(self) -> None:
        self.page.goto(f"{self.address}/inbox")
        self.page.get_by_label("Mail address").fill(EMAIL)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Inbox")).to_be_visible()


@pytest.fixture
def inbox(context: BrowserContext, sqlite_url: str, tmp_path: Path) -> Iterator[Inbox]:
    now = datetime.now(UTC).replace(microsecond=0)
    with a_world(sqlite_url, now=now, data_folder=tmp_path / "data") as world:
        with world.database.write() as session:
            add_person(session, name="Dora", email=EMAIL, role=Role.DISPATCHER, password=PASSWORD)
        with served(build_app(world.settings, pwa_folder=tmp_path / "no pwa")) as address:
            context.clear_cookies()
            page = context.new_page()
            opened = Inbox(world, page, address)
            page.on("console", lambda m: opened.said.append(m.text) if m.type == "error" else None)
            page.on("pageerror", lambda error: opened.said.append(str(error)))
            yield opened
            page.close()


def not_hers(world: World) -> Job:
    """Ana set out and arrived at a job of Ben's; dispatch has given it to her since."""
    job = world.order(phone=world.ben)
    world.ana.deliver(world.ana.envelopes(*world.visit(job)[:2]), now=datetime.now(UTC))
    start = world.now
    to_ana = AssignWorkOrder(
        work_order_id=job.id,
        technician_id=world.ana.technician_id,
        planned_start=start,
        planned_end=start.replace(microsecond=1),
    )
    office.run(world.database, world.settings, to_ana, "Dora")
    return job


class TestThePage:
    def test_books_a_visit_with_one_click(self, inbox: Inbox):
        job = not_hers(inbox.world)
        inbox.sign_in()
        page = inbox.page
        expect(page.locator("#inbox-count")).to_have_text("2")
        card = page.locator("article.visit")
        expect(card).to_have_count(1)
        expect(card).to_contain_text("Nothing stands in the way any more")
        expect(card.locator("table.both")).to_contain_text("planned for Ana Virtanen")
        card.get_by_role("button", name="Book it (all 2)").click()
        expect(page.locator("#said")).to_contain_text("All 2 booked, as they were done.")
        expect(card).to_have_count(0)
        expect(page.locator("#inbox-count")).to_be_hidden()
        assert inbox.world.work_order(job).state is WorkOrderState.ON_SITE
        assert inbox.said == []

    def test_asks_before_money_moves_and_can_be_worked_by_keys(self, inbox: Inbox):
        job = inbox.world.order()
        off = CancelWorkOrder(work_order_id=job.id, reason="moved away")
        office.run(inbox.world.database, inbox.world.settings, off, "Dora")
        inbox.world.ana.deliver(inbox.world.ana.envelopes(*inbox.world.visit(job)), now=datetime.now(UTC))
        inbox.sign_in()
        card = inbox.page.locator("article.visit")
        expect(card).to_contain_text(re.compile("cancelled at .* by Dora: moved away"))
        ask = card.locator("summary", has_text="Reopen and book it (all 9)")
        ask.focus()
        inbox.page.keyboard.press("Enter")
        expect(card).to_contain_text("This reopens the job: stock moves and the customer is billed.")
        assert inbox.world.rows(InvoiceRow) == []
        inbox.page.keyboard.press("Tab")
        inbox.page.keyboard.press("Enter")
        expect(inbox.page.locator("#said")).to_contain_text("All 9 booked")
        assert len(inbox.world.rows(InvoiceRow)) == 1
        assert inbox.said == []

    def test_corrects_on_a_narrow_screen_and_tells_who_was_quicker(self, inbox: Inbox):
        world, page = inbox.world, inbox.page
        job = world.order()
        world.ana.deliver(world.ana.envelopes(*world.visit(job, fit="AMA0001")), now=datetime.now(UTC))
        page.set_viewport_size({"width": 360, "height": 740})
        inbox.sign_in()
        page.wait_for_load_state()  # the heading is there before the style that makes the page narrow
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        card = page.locator("article.visit")
        card.locator("summary", has_text="Correct it").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        card.get_by_label("Serial", exact=True).first.fill("ANA0001")
        card.get_by_role("button", name="Book it so").first.click()
        expect(page.locator("#said")).to_contain_text("Corrected the serial to ANA0001, and booked.")
        assert [device.serial for device in world.work_order(job).fitted] == ["ANA0001"]
        [close] = world.rows(CommandRow, CommandRow.outcome == "held", CommandRow.resolved_at.is_(None))
        expect(card).to_contain_text("Nothing stands in the way any more")
        acts.dismiss(world.database, close.id, "Dave", "later")
        card.locator("summary", has_text="Book it").click()
        card.get_by_role("button", name="Yes, do it").click()
        expect(page.get_by_role("alert")).to_have_text("Dave has set it aside already")
        expect(card).to_have_count(0)
        page.set_viewport_size({"width": 1366, "height": 768})

    @pytest.mark.parametrize(("width", "height"), [(1366, 768), (360, 740)])
    def test_answers_a_question_with_one_click(self, inbox: Inbox, width: int, height: int):
        world, page = inbox.world, inbox.page
        job = world.order()
        first = world.work_order(job).contact.phone
        edit = EditContact(work_order_id=job.id, field=ContactField.PHONE, value="+358402222")
        office.run(world.database, world.settings, edit, "Dora")
        hers = CorrectContact(work_order_id=job.id, field=ContactField.PHONE, base=first, value="+358401111")
        too_much = UseParts(work_order_id=job.id, lines=(PartLine(sku=CABLE, quantity=300),))
        steps = (hers, *world.visit(job)[:2], too_much)
        world.ana.deliver(world.ana.envelopes(*steps), now=datetime.now(UTC))
        page.set_viewport_size({"width": width, "height": height})
        inbox.sign_in()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        expect(page.locator("#inbox-count")).to_have_text("2")
        card = page.locator("article.asks")
        expect(card).to_have_count(1)
        expect(card.locator("table.both")).to_contain_text("+358402222")
        card.get_by_role("button", name="Take “+358401111”").click()
        expect(page.locator("#said")).to_contain_text("On record: you took the technician's value.")
        expect(page.locator("#inbox-count")).to_have_text("1")
        assert world.work_order(job).contact.phone == "+358401111"
        card.locator("summary", has_text="Counted").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        card.get_by_label("Note, if there is something to say").fill("110 m were left")
        card.get_by_role("button", name="Done").click()
        expect(page.locator("#said")).to_contain_text("On record: you had the stock counted.")
        expect(card).to_have_count(0)
        expect(page.locator("#inbox-count")).to_be_hidden()
        assert {row.outcome for row in world.rows(FollowUpRow)} == {"take_value", "count_stock"}
        assert inbox.said == []
        page.set_viewport_size({"width": 1366, "height": 768})
