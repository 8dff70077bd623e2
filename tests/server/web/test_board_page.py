"""The board in a real Chromium: drawn, alive, moved by mouse and keys, truthful when the server is away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import browser
import pytest
from console_day import DISPATCHER, PASSWORD, VIEWER, Console, a_console, seed_day, served
from playwright.sync_api import BrowserContext, Locator, Page, expect

from server.customers.links import visit_link
from server.dispatch import absences
from server.dispatch.absences import Reason
from server.inbox.acts import dismiss
from server.town.made_up import write_made_up_town
from server.work_orders.models import WorkOrderRow


@pytest.fixture(scope="module")
def context(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with browser.launch(tmp_path_factory.mktemp("profile"), size=(1366, 768)) as found:
        yield found


@pytest.fixture
def console(sqlite_url: str, tmp_path: Path) -> Iterator[Console]:
    town = write_made_up_town(tmp_path / "town.osm.pbf")
    with a_console(sqlite_url, tmp_path, map_file=town) as found:
        yield found


@dataclass
class Board:
    console: Console
    page: Page
    address: str
    said: list[str] = field(default_factory=list)

    def job(self, number: str) -> Locator:
        return self.page.locator(f'.timeline .job[aria-label^="{number},"]')

    def row(self, technician: str) -> Locator:
        return self.page.locator(".timeline .row", has=self.page.get_by_text(technician, exact=True))

    def drag(self, what: Locator, onto: Locator, minutes_right: int = 0) -> None:
        box, target = what.bounding_box(), onto.bounding_box()
        assert box and target
        scale = self.page.evaluate(
            "parseFloat(getComputedStyle(document.querySelector('.lane')).getPropertyValue('--hour'))"
        )
        x, y = box["x"] + 6, box["y"] + 8
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + 8, y + 4)
        self.page.mouse.move(x + minutes_right * scale / 60, target["y"] + target["height"] / 2, steps=6)
        self.page.wait_for_timeout(60)  # a frame
        self.page.mouse.up()


@pytest.fixture
def open_board(context: BrowserContext, console: Console) -> Iterator[Board]:
    with served(console.app) as address:
        yield from _opened(context, console, address)


def _opened(context: BrowserContext, console: Console, address: str) -> Iterator[Board]:
    context.clear_cookies()
    page = context.new_page()
    board = Board(console, page, address)
    page.on("console", lambda m: board.said.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: board.said.append(str(error)))
    yield board
    page.close()


def sign_in(board: Board, email: str = DISPATCHER) -> None:
    board.page.goto(f"{board.address}/board")
    board.page.get_by_label("Mail address").fill(email)
    board.page.get_by_label("Password").fill(PASSWORD)
    board.page.get_by_role("button", name="Sign in").click()
    board.page.wait_for_selector("body[data-loaded]")
    expect(board.page.locator("#live")).to_have_text("live")


def two_people(console: Console) -> tuple[object, object]:
    return console.technician("Aino Virtanen"), console.technician("Eetu Korhonen")


def a_job(console: Console, **values: object) -> object:
    return console.work_order(
        **{
            "number": "WO-1",
            "planned_start": console.at(13),
            "planned_end": console.at(14),
            "window_start": console.at(12),
            "window_end": console.at(15),
            **values,
        }
    )


class TestTheBoard:
    def test_draws_a_whole_day_with_its_map_and_breaks_no_rule_of_the_page(self, open_board: Board):
        seed_day(open_board.console)
        sign_in(open_board)
        page = open_board.page
        expect(page.locator(".timeline .row")).to_have_count(12)
        expect(page.locator("#held .held-card")).to_have_count(2)
        expect(page.locator("#unassigned .unassigned-card")).to_have_count(6)
        expect(page.get_by_text("No van carries a 250 m drop cable")).to_be_visible()
        expect(page.locator(".timeline .job.s-completed").first).to_be_visible()
        expect(page.locator(".now-line")).to_be_visible()
        expect(page.locator("#plan-facts")).to_contain_text("Planned 06:42 by OR-Tools 9.15")
        page.wait_for_selector("#map[data-idle]", timeout=60_000)
        expect(page.locator(".maplibregl-ctrl-attrib")).to_contain_text("Made-up town, no real place")
        jobs = page.evaluate("fetch('/api/board').then(r => r.json()).then(b => b.work_orders.length)")
        assert page.locator("#map .dot").count() == jobs
        assert open_board.said == []

    def test_says_late_in_words_and_not_by_colour_alone(self, open_board: Board):
        console = open_board.console
        aino, _ = two_people(console)
        a_job(console, technician=aino, planned_start=console.at(8), planned_end=console.at(9),
              window_start=console.at(8), window_end=console.at(9))  # fmt: skip
        sign_in(open_board)
        job = open_board.job("WO-1")
        expect(job).to_contain_text(re.compile(r"2 h \d+ min late|2 h late"))
        expect(job).to_have_attribute("aria-label", re.compile(r"Expected .*, promised until 09:00"))
        expect(open_board.row("Aino Virtanen").locator(".behind")).to_contain_text("behind")

    def test_shows_what_changes_elsewhere(self, open_board: Board):
        console = open_board.console
        aino, _ = two_people(console)
        order = a_job(console, technician=aino)
        sign_in(open_board)
        expect(open_board.job("WO-1")).to_have_class(re.compile("s-assigned"))
        console.change(order, "Arrived", state="on_site", arrived_at=console.now)
        expect(open_board.job("WO-1")).to_have_class(re.compile("s-on_site.*fresh"), timeout=2000)
        expect(open_board.page.locator("#totals")).to_contain_text("1 under way")

    def test_opens_a_job_with_its_reasons_and_the_customers_page(self, open_board: Board):
        console = open_board.console
        aino, _ = two_people(console)
        order = a_job(console, technician=aino, why={"sentence": "Nearest with the skill"})
        sign_in(open_board)
        open_board.job("WO-1").focus()
        open_board.page.keyboard.press("Enter")
        panel = open_board.page.locator("#detail")
        expect(panel).to_contain_text("Nearest with the skill")
        expect(panel).to_contain_text("Maija Meikäläinen")
        link = panel.get_by_role("link", name="The customer's page").get_attribute("href")
        assert (
            link
            and link.split("/visit/")[1][:20] == visit_link(console.settings, order).split("/visit/")[1][:20]
        )
        open_board.page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        expect(open_board.job("WO-1")).to_be_focused()

    def test_says_of_a_swap_what_came_off_for_what_and_why(self, open_board: Board):
        console = open_board.console
        aino, _ = two_people(console)
        order = a_job(console, technician=aino)
        off = {"serial": "OLD1", "sku": "ONT-X", "reason": "after the storm", "cause": "no_power"}
        dead = {"serial": "NEW0", "sku": "ONT-X", "reason": "", "cause": "dead_on_arrival"}
        fitted = {"serial": "NEW1", "sku": "ONT-X", "source_id": str(order), "replaces": "OLD1"}
        with console.database.write() as session:
            session.get_one(WorkOrderRow, order).record = {
                "fitted": [fitted], "removed": [off], "failed": [dead],
            }  # fmt: skip
        sign_in(open_board)
        open_board.job("WO-1").focus()
        open_board.page.keyboard.press("Enter")
        panel = open_board.page.locator("#detail")
        expect(panel).to_contain_text("Installed ONT-X, serial NEW1, in the place of OLD1")
        expect(panel).to_contain_text("Took off ONT-X, serial OLD1 (no power, after the storm)")
        expect(panel).to_contain_text("Did not work: ONT-X, serial NEW0 (dead on arrival)")


class TestMovingAJob:
    def test_by_mouse_gives_it_to_somebody_else_later(self, open_board: Board):
        console = open_board.console
        aino, eetu = two_people(console)
        order = a_job(console, technician=aino)
        sign_in(open_board)
        open_board.drag(
            open_board.job("WO-1"), open_board.row("Eetu Korhonen").locator(".lane"), minutes_right=30
        )
        moved = open_board.row("Eetu Korhonen").locator(".job")
        expect(moved).to_have_count(1)
        expect(moved).not_to_have_class(re.compile("moving"))  # the server has told it back
        with console.database.read() as session:
            row = session.get_one(WorkOrderRow, order)
        assert (row.technician_id, row.planned_start) == (eetu, console.at(13, 30))

    def test_that_was_started_meanwhile_puts_it_back_with_the_sentence(self, open_board: Board):
        console = open_board.console
        aino, _ = two_people(console)
        order = a_job(console, technician=aino)
        sign_in(open_board)
        with console.database.write() as session:  # the feed is silent: this board does not know yet
            session.get_one(WorkOrderRow, order).state = "on_site"
        open_board.drag(open_board.job("WO-1"), open_board.row("Eetu Korhonen").locator(".lane"))
        expect(open_board.page.locator(".toast.bad")).to_contain_text(
            "WO-1 stays where it was: WO-1 is under way"
        )
        expect(open_board.row("Aino Virtanen").locator(".job")).to_have_count(1)
        expect(open_board.row("Eetu Korhonen").locator(".job")).to_have_count(0)

    def test_from_the_list_of_those_left_out(self, open_board: Board):
        console = open_board.console
        _, eetu = two_people(console)
        needs = {"required_skills": [{"name": "copper", "level": 5}]}
        order = a_job(console, planned_start=None, planned_end=None, requirements=needs)
        sign_in(open_board)
        lane = open_board.row("Eetu Korhonen").locator(".lane")
        box, card = lane.bounding_box(), open_board.page.locator(".unassigned-card").bounding_box()
        assert box and card
        mouse = open_board.page.mouse
        mouse.move(card["x"] + 40, card["y"] + 10)
        mouse.down()
        mouse.move(card["x"] + 20, card["y"] + 14)
        mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 20, steps=6)
        expect(open_board.page.locator(".ghost-label")).to_contain_text("Eetu Korhonen")
        expect(open_board.page.locator(".ghost-label .warning").first).to_have_text(
            "Needs copper level 5, has none"
        )
        mouse.up()
        expect(open_board.row("Eetu Korhonen").locator(".job")).to_have_count(1)
        expect(open_board.page.locator("#unassigned-count")).to_have_text("0")
        with console.database.read() as session:
            assert session.get_one(WorkOrderRow, order).technician_id == eetu

    def test_by_keys_alone(self, open_board: Board):
        console = open_board.console
        aino, eetu = two_people(console)
        order = a_job(console, technician=aino)
        sign_in(open_board)
        open_board.job("WO-1").focus()
        for key in ("Shift+ArrowDown", "Shift+ArrowRight", "Shift+ArrowRight"):
            open_board.page.keyboard.press(key)
        expect(open_board.page.locator(".toast.move")).to_contain_text("13:30, Eetu Korhonen.")
        open_board.page.keyboard.press("Enter")
        expect(open_board.row("Eetu Korhonen").locator(".job")).not_to_have_class(re.compile("moving"))
        with console.database.read() as session:
            row = session.get_one(WorkOrderRow, order)
        assert (row.technician_id, row.planned_start) == (eetu, console.at(13, 30))

    def test_is_left_alone_with_escape(self, open_board: Board):
        console = open_board.console
        aino, _ = two_people(console)
        order = a_job(console, technician=aino)
        sign_in(open_board)
        open_board.job("WO-1").focus()
        open_board.page.keyboard.press("Shift+ArrowDown")
        open_board.page.keyboard.press("Escape")
        expect(open_board.row("Aino Virtanen").locator(".job")).to_have_count(1)
        with console.database.read() as session:
            assert session.get_one(WorkOrderRow, order).version == 1

    def test_is_not_offered_to_a_viewer(self, open_board: Board):
        console = open_board.console
        aino, _ = two_people(console)
        a_job(console, technician=aino)
        sign_in(open_board, VIEWER)
        open_board.drag(open_board.job("WO-1"), open_board.row("Eetu Korhonen").locator(".lane"))
        expect(open_board.row("Aino Virtanen").locator(".job")).to_have_count(1)
        expect(open_board.page.get_by_role("button", name="Plan the day")).to_be_hidden()


class TestBoxesThatLieOverEachOther:
    def test_share_the_row_so_that_each_can_be_opened(self, open_board: Board):
        console = open_board.console
        aino, _ = two_people(console)
        times = {"planned_start": console.at(12), "planned_end": console.at(13)}
        a_job(console, technician=aino, number="WO-1", **times)
        early = {"arrived_at": console.at(12, 5), "finished_at": console.at(12, 55), "state": "completed"}
        a_job(console, technician=aino, number="WO-2", planned_start=console.at(14), **early)
        later = {"planned_start": console.at(14), "planned_end": console.at(15)}
        a_job(console, technician=aino, number="WO-3", **later)
        sign_in(open_board)

        boxes = {number: open_board.job(number).bounding_box() for number in ("WO-1", "WO-2", "WO-3")}
        top, bottom = sorted((boxes["WO-1"], boxes["WO-2"]), key=lambda box: box["y"])
        assert top["y"] + top["height"] <= bottom["y"]
        assert boxes["WO-3"]["height"] == pytest.approx(2 * top["height"], abs=1)
        open_board.job("WO-2").click()
        expect(open_board.page.get_by_role("heading", name="WO-2")).to_be_visible()


class TestHeldWork:
    def test_of_one_visit_is_one_decision(self, open_board: Board):
        from console_day import add_held, add_work_order

        console = open_board.console
        aino, _ = two_people(console)
        with console.database.write() as session:
            order = add_work_order(session, technician=aino, number="WO-9")
            add_held(session, aino, order, console.now)
            add_held(session, aino, order, console.now, type="close_work_order", body="{}")
        sign_in(open_board)
        held = open_board.page.locator(".held-card")
        expect(held).to_have_count(1)
        expect(held).to_contain_text("Aino Virtanen did 2 things on WO-9")
        expect(held.locator("li")).to_have_text(["Install device ZTEGC0DE1234", "Close the job"])
        held.get_by_role("link", name="Decide").click()
        expect(open_board.page.locator("article.visit").first).to_contain_text("on WO-9")

    def test_leaves_the_list_when_it_is_decided(self, open_board: Board):
        from console_day import add_held, add_work_order

        console = open_board.console
        aino, _ = two_people(console)
        with console.database.write() as session:
            order = add_work_order(session, technician=aino, number="WO-9")
            command = add_held(session, aino, order, console.now).id
        sign_in(open_board)
        held = open_board.page.locator(".held-card")
        expect(held).to_contain_text("Aino Virtanen wanted to install device ZTEGC0DE1234 on WO-9")
        dismiss(console.database, command, "Dora", "tried twice")
        expect(held).to_have_count(0)
        expect(open_board.page.locator("#held-count")).to_have_text("0")


class TestWhenTheServerIsAway:
    def test_the_board_says_so_and_catches_up(self, context: BrowserContext, console: Console):
        aino, _ = two_people(console)
        order = a_job(console, technician=aino)
        with served(console.app) as address:
            opened = _opened(context, console, address)
            board = next(opened)
            sign_in(board)
        expect(board.page.locator("#banner")).to_contain_text("What you see may be old", timeout=10_000)
        expect(board.page.locator("#live")).to_have_text("not live")
        console.change(order, "Arrived", state="on_site", arrived_at=console.now)
        with served(console.app, port=int(address.rsplit(":", 1)[1])):
            expect(board.page.locator("#banner")).to_be_hidden(timeout=15_000)
            expect(board.job("WO-1")).to_have_class(re.compile("s-on_site"), timeout=5_000)
            next(opened, None)


class TestTheCustomersPage:
    def test_follows_the_visit_by_itself_at_360_pixels(self, open_board: Board):
        console, page = open_board.console, open_board.page
        aino, _ = two_people(console)
        order = a_job(console, technician=aino, language="fi")
        page.set_viewport_size({"width": 360, "height": 640})
        page.goto(open_board.address + visit_link(console.settings, order))
        expect(page.get_by_role("heading")).to_have_text("Käyntisi on sovittu")
        console.change(order, "TravelStarted", state="travelling", travel_started_at=console.now)
        expect(page.get_by_role("heading")).to_have_text("Aino on matkalla", timeout=2000)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        console.change(order, "WorkOrderCompleted", state="completed", finished_at=console.now)
        expect(page.get_by_role("heading")).to_have_text("Valmista tuli", timeout=2000)
        expect(page.locator("#lost")).to_be_hidden()
        assert open_board.said == []


class TestAgreeingOnATime:
    def test_holds_what_the_customer_is_asked_about_and_promises_what_they_agree_to(self, open_board: Board):
        board, console = open_board, open_board.console
        console.technician("Aino Virtanen")
        order = console.work_order(number="WO-1")
        sign_in(board)
        board.page.locator(".unassigned-card").click()
        panel = board.page.get_by_role("complementary", name="Job")
        panel.get_by_role("button", name="Agree on another time").click()
        slots = panel.locator(".places button")
        expect(slots.first).to_be_visible(timeout=60_000)
        offered = slots.first.inner_text().removesuffix(" – we are near then")
        slots.first.click()
        expect(panel).to_contain_text(f"{offered} is kept free until")
        panel.get_by_role("button", name="The customer agrees").click()
        expect(board.page.locator(".toast")).to_contain_text(f"WO-1 is promised for {offered}")
        with console.database.read() as session:
            assert session.get_one(WorkOrderRow, order).window_start is not None
        assert board.said == []


class TestMendingTheDay:
    def test_shows_who_runs_late_and_moves_their_visits_on_one_click(self, open_board: Board):
        """Aino sits in a job that was to end an hour ago; what she is promised for now can go to Ben."""
        board, console = open_board, open_board.console
        aino, ben = console.technician("Aino Virtanen"), console.technician("Ben Korhonen")
        hour = timedelta(hours=1)
        console.work_order(
            number="WO-1", technician=aino, state="on_site", travel_started_at=console.now - 3 * hour,
            arrived_at=console.now - 2 * hour, planned_start=console.now - 2 * hour,
            planned_end=console.now + hour, expected_minutes=180,
        )  # fmt: skip
        waits = console.work_order(
            number="WO-2", technician=aino, planned_start=console.now + hour / 4, expected_minutes=30,
            planned_end=console.now + hour * 3 / 4, window_start=console.now, window_end=console.now + hour,
        )  # fmt: skip
        sign_in(board)
        card = board.page.locator(".drift-card")
        expect(card).to_contain_text("Aino Virtanen is up to")
        expect(card).to_contain_text("1 visit later than planned")
        card.get_by_role("button", name="Mend the day").click()
        dialog = board.page.get_by_role("dialog")
        expect(dialog).to_contain_text("1 visit moved", timeout=60_000)  # the map is read, the search loaded
        expect(dialog).to_contain_text("WO-2 to Ben Korhonen")
        dialog.get_by_role("button", name="Move them").click()
        expect(board.page.get_by_role("status").filter(has_text="One visit moved")).to_be_visible()
        expect(board.row("Ben Korhonen").locator(".job")).to_have_count(1)
        with console.database.read() as session:
            assert session.get_one(WorkOrderRow, waits).technician_id == ben
        assert board.said == []

    def test_plans_without_somebody_who_is_sick_and_with_them_again(self, open_board: Board):
        board, console = open_board, open_board.console
        aino = console.technician("Aino Virtanen")
        console.technician("Ben Korhonen")
        start = console.now + timedelta(hours=1)
        console.work_order(
            number="WO-1", technician=aino, planned_start=start, planned_end=start + timedelta(minutes=30),
            expected_minutes=30, window_start=start, window_end=start + timedelta(hours=2),
        )  # fmt: skip
        sign_in(board)
        board.page.get_by_role("button", name="Mend the day").click()
        dialog = board.page.get_by_role("dialog")
        expect(dialog).to_contain_text("Nothing has to move", timeout=60_000)
        expect(dialog.get_by_role("button", name="Move them")).to_be_disabled()
        dialog.get_by_label("Who can't come").select_option("Aino Virtanen")
        dialog.get_by_role("button", name="Plan without them").click()
        expect(dialog).to_contain_text("Aino Virtanen is sick until")
        expect(dialog).to_contain_text("WO-1 to Ben Korhonen", timeout=60_000)
        expect(board.row("Aino Virtanen")).to_contain_text("sick")
        dialog.get_by_role("button", name="Is back").click()
        expect(dialog).to_contain_text("Nothing has to move")
        assert board.said == []

    def test_says_what_has_changed_since_and_moves_nothing(self, open_board: Board):
        board, console = open_board, open_board.console
        aino = console.technician("Aino Virtanen")
        console.technician("Ben Korhonen")
        start = console.now + timedelta(hours=1)
        order = console.work_order(
            number="WO-1", technician=aino, planned_start=start, planned_end=start + timedelta(minutes=30),
            expected_minutes=30, window_start=start, window_end=start + timedelta(hours=2),
        )  # fmt: skip
        sign_in(board)
        board.page.get_by_role("button", name="Mend the day").click()
        dialog = board.page.get_by_role("dialog")
        dialog.get_by_role("button", name="Plan without them").click()
        expect(dialog).to_contain_text("WO-1 to Ben Korhonen", timeout=60_000)
        console.change(order, planned_start=start + timedelta(minutes=5))
        dialog.get_by_role("button", name="Move them").click()
        expect(board.page.locator(".toast.bad")).to_contain_text("WO-1 changed meanwhile")
        with console.database.read() as session:
            assert session.get_one(WorkOrderRow, order).technician_id == aino

    def test_moves_nothing_to_somebody_who_fell_ill_while_it_lay_open_and_looks_again(
        self, open_board: Board
    ):
        """Two visits at the same time go to two colleagues; one of them is away by the click."""
        board, console = open_board, open_board.console
        aino, ben = console.technician("Aino Virtanen"), console.technician("Ben Korhonen")
        console.technician("Cai Niemi")
        start = console.now + timedelta(hours=1)
        orders = [
            console.work_order(
                number=f"WO-{n}", technician=aino, planned_start=start + timedelta(minutes=n),
                planned_end=start + timedelta(minutes=90), expected_minutes=90, window_start=start,
                window_end=start + timedelta(minutes=40),
            )
            for n in (1, 2)
        ]  # fmt: skip
        sign_in(board)
        board.page.locator("#mend-day").click()
        dialog = board.page.get_by_role("dialog")
        dialog.get_by_label("Who can't come").select_option("Aino Virtanen")
        dialog.get_by_role("button", name="Plan without them").click()
        expect(dialog).to_contain_text("2 visits moved", timeout=60_000)
        with console.database.write() as session:
            until = console.now + timedelta(hours=9)
            absences.note(session, ben, console.now, until, Reason.SICK, by="Dora", now=console.now)
        dialog.get_by_role("button", name="Move them").click()
        toast = board.page.locator(".toast.bad")
        expect(toast).to_contain_text("One visit moved. Not moved: WO-")
        expect(toast).to_contain_text("Ben Korhonen is away from")
        expect(dialog).to_be_visible()
        with console.database.read() as session:
            holders = [session.get_one(WorkOrderRow, order).technician_id for order in orders]
        assert sorted(one == aino for one in holders) == [False, True]
        assert ben not in holders
        assert board.said == []


class TestWhyAJobWasMovedByHand:
    def test_is_asked_with_what_it_costs_and_kept(self, open_board: Board):
        console, page = open_board.console, open_board.page
        aino, _ = two_people(console)
        a_job(console, technician=aino)
        sign_in(open_board)
        open_board.drag(open_board.job("WO-1"), open_board.row("Eetu Korhonen").locator(".lane"))
        question = page.get_by_role("form", name="Why WO-1 was moved")
        expect(question).to_contain_text("WO-1 is pinned: plans keep to it. It costs")
        page.get_by_label("Note on WO-1").fill("has the keys")
        question.get_by_role("button", name="Knows the place").click()
        expect(question).to_have_count(0)
        (kept,) = page.request.get(f"{open_board.address}/api/overrides").json()
        assert (kept["words"], kept["pinned"]) == (
            "Pinned by Dora Dispatcher: knows the place, has the keys",
            True,
        )

    def test_need_not_be_said_and_the_pin_is_taken_back_by_keys(self, open_board: Board):
        console, page = open_board.console, open_board.page
        aino, _ = two_people(console)
        a_job(console, technician=aino)
        sign_in(open_board)
        open_board.job("WO-1").focus()
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Enter")
        release = page.get_by_role("button", name="Don't pin it")
        release.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("form", name="Why WO-1 was moved")).to_have_count(0)
        (kept,) = page.request.get(f"{open_board.address}/api/overrides").json()
        assert (kept["pinned"], kept["released_by"], kept["reason"]) == (False, "Dora Dispatcher", "")
