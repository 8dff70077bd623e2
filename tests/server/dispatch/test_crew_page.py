"""The pages "Technicians": looked at and changed as a dispatcher does it, in Chromium too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import browser
import pytest
from console_day import DISPATCHER, VIEWER, Console, a_console
from console_desk import at_desk
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, Page, expect
from unnamed import unnamed

from server.dispatch import absences, crew_page, policy
from server.dispatch.absences import AbsenceRow, Reason
from server.dispatch.models import TechnicianRow
from server.dispatch.technician_changes import TechnicianChangeRow
from server.work_orders.models import WorkOrderRow


def filled(console: Console) -> UUID:
    """Aino has two visits that need splicing, at 13:00 today and in ten days; there is one territory."""
    console.app.include_router(crew_page.router)
    soon = (console.today + timedelta(days=5)).isoformat()
    aino = console.technician(
        "Aino Virtanen", skills={"fibre": 2, "splicing": 3}, valid_until={"splicing": soon}
    )
    console.technician("Eetu Korhonen")
    later = console.at(13) + timedelta(days=10)
    for number, start in (("WO-1", console.at(13)), ("WO-2", later)):
        console.work_order(
            number=number, technician=aino, planned_start=start, planned_end=start + timedelta(hours=1),
            requirements={"required_skills": [{"name": "splicing", "level": 2}]},
        )  # fmt: skip
    with console.database.write() as session:
        policy.change(
            session, after=0, weights={}, territories={"Keskusta": ["99"]}, note="Drawn", who="Ada",
            now=console.now,
        )  # fmt: skip
    return aino


@pytest.fixture
def console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    with a_console(database_url, tmp_path, hour=9) as console:
        yield console


@pytest.fixture
def aino(console: Console) -> UUID:
    return filled(console)


@pytest.fixture
def client(console: Console, aino: UUID) -> Iterator[TestClient]:
    with console.client() as client:
        client.headers.update(console.signed_in(client))
        yield client


def rows(console: Console, kind: type[Any]) -> list[Any]:
    with console.database.read() as session:
        return list(session.query(kind))


def technician(console: Console, id: UUID) -> TechnicianRow:
    with console.database.read() as session:
        return session.get_one(TechnicianRow, id)


class TestTheList:
    def test_warns_of_certificates_and_names_the_booked_visits_that_they_hit(
        self, console: Console, client: TestClient
    ):
        shown = client.get("/technicians").text
        day = console.today + timedelta(days=5)
        assert "Certificates over, or over within 30 days" in shown
        assert f"until {day:%d.%m.%Y}, in 5 days" in shown
        assert "One booked visit is later and needs it:" in shown
        assert f'<a href="/board?day={console.today + timedelta(days=10)}">WO-2</a>' in shown
        assert ">WO-1</a>" not in shown

    def test_says_who_is_away(self, console: Console, client: TestClient, aino: UUID):
        with console.database.write() as session:
            absences.note(
                session, aino, console.at(8), console.at(15), Reason.SICK, by="Dora", now=console.now
            )
        shown = client.get("/technicians").text
        assert f"{console.at(15):%d.%m.%Y %H:%M}</time>" in shown
        assert ">2 visits</a>" in shown  # at 13:00, and in ten days without a certificate

    def test_is_for_who_plans(self, console: Console, aino: UUID):
        with console.client() as client:
            console.signed_in(client, VIEWER)
            assert client.get("/technicians").status_code == 403
            assert client.get(f"/technicians/{aino}").status_code == 403


class TestATechnician:
    @pytest.mark.parametrize(
        ("path", "form", "words"),
        [
            ("skills", {"skill": "copper", "level": "2"}, "copper: level 2"),
            ("skills/remove", {"skill": "fibre"}, "fibre: level 2 → none"),
            ("certificates", {"skill": "splicing"}, "splicing certificate: until {soon} → none needed"),
            ("certificates/withdraw", {"skill": "fibre"}, "fibre certificate: none needed → withdrawn"),
            (
                "territories",
                {"territory": ["Keskusta"], "stays": "yes"},
                "Territories: anywhere → Keskusta, never outside",
            ),
            ("overtime", {"minutes": "45"}, "Overtime: at most 0 → 45 min"),
        ],
    )
    def test_is_changed_with_who_did_it(
        self, console: Console, client: TestClient, aino: UUID, path: str, form: Any, words: str
    ):
        answer = client.post(f"/technicians/{aino}/{path}", data=form)
        assert answer.status_code == 303, answer.text
        [kept] = rows(console, TechnicianChangeRow)
        soon = f"{console.today + timedelta(days=5):%d.%m.%Y}"
        assert (kept.words, kept.made_by) == (words.format(soon=soon), "Dora Dispatcher")
        shown = client.get(answer.headers["location"].partition("#")[0]).text
        assert kept.words in shown
        assert "Kept." in shown

    @pytest.mark.parametrize(
        ("path", "form", "sentence"),
        [
            ("skills", {"skill": "copper", "level": "9"}, "Level: choose 1 (assists) to 5 (teaches)"),
            ("skills", {"skill": " ", "level": "2"}, "Skill: choose one or write a name"),
            ("certificates", {"skill": "splicing", "until": "soon"}, "Last day: choose a day, not “soon”"),
            ("certificates", {"skill": "splicing", "until": "2020-01-06"}, "To end it, withdraw it"),
            ("certificates/withdraw", {"skill": "copper"}, "Aino Virtanen has no skill copper"),
            ("territories", {"territory": ["Elsewhere"]}, "There is no territory Elsewhere"),
            ("territories", {"stays": "yes"}, "Choose the territories to stay in"),
            ("overtime", {"minutes": "much"}, "Overtime: write 0 to 720 minutes"),
            ("overtime", {"minutes": "900"}, "Overtime: 0 to 720 minutes"),
            ("absences", {"starts": "now"}, "From: choose a day and a time"),
            ("absences", {"ends": "2020-01-06T10:00"}, "The end must be after the start"),
            ("absences", {"reason": "tired"}, "Why: choose one of the list"),
        ],
    )
    def test_says_what_is_wrong_and_changes_nothing(
        self, console: Console, client: TestClient, aino: UUID, path: str, form: Any, sentence: str
    ):
        answer = client.post(f"/technicians/{aino}/{path}", data=form)
        assert (answer.status_code, sentence in answer.text) == (422, True), answer.text
        assert (rows(console, TechnicianChangeRow), rows(console, AbsenceRow)) == ([], [])

    def test_shows_again_what_was_typed_and_escapes_it(self, client: TestClient, aino: UUID):
        answer = client.post(f"/technicians/{aino}/skills", data={"skill": "<b>new</b>", "level": "9"})
        assert 'value="&lt;b&gt;new&lt;/b&gt;"' in answer.text

    def test_that_there_is_not_is_not_found(self, client: TestClient, console: Console, aino: UUID):
        nobody = "019a0000-0000-7000-8000-000000000000"
        assert client.get(f"/technicians/{nobody}").status_code == 404
        assert client.post(f"/technicians/{nobody}/overtime", data={"minutes": "45"}).status_code == 404
        assert client.post(f"/technicians/{aino}/absences/{nobody}/end").status_code == 404


class TestWhatPlansDoWithIt:
    def test_a_visit_goes_to_somebody_who_may_once_a_certificate_is_withdrawn(
        self, console: Console, client: TestClient, aino: UUID
    ):
        able = console.technician("Helmi Mäkinen", skills={"splicing": 2})
        client.post(f"/technicians/{aino}/certificates/withdraw", data={"skill": "splicing"})
        answer = client.post("/api/plan", json={"day": str(console.today), "seconds": 0})
        assert answer.status_code == 200, answer.text
        holders = {row.number: row.technician_id for row in rows(console, WorkOrderRow)}
        assert holders == {"WO-1": able, "WO-2": aino}  # in ten days: that day was not planned
        client.post(f"/technicians/{able}/skills/remove", data={"skill": "splicing"})
        answer = client.post("/api/plan", json={"day": str(console.today), "seconds": 0})
        [[number, code, reason]] = answer.json()["unassigned"]
        assert (number, code) == ("WO-1", "certificate")
        assert "splicing certificate valid until" in reason


class TestAnAbsence:
    def test_is_noted_by_the_wall_clock_hits_what_is_booked_and_is_ended(
        self, console: Console, client: TestClient, aino: UUID
    ):
        day = console.today
        form = {"starts": f"{day}T12:30", "ends": f"{day}T18:00", "reason": "van"}
        answer = client.post(f"/technicians/{aino}/absences", data=form)
        assert answer.status_code == 303
        [noted] = rows(console, AbsenceRow)
        assert (noted.starts_at, noted.ends_at, noted.reason, noted.noted_by) == (
            console.at(12, 30), console.at(18), "van", "Dora Dispatcher"
        )  # fmt: skip
        shown = client.get(f"/technicians/{aino}").text
        assert f"Aino Virtanen is away from {day:%d.%m.} 12:30 to 18:00 (the van stands still)" in shown
        assert client.post(f"/technicians/{aino}/absences/{noted.id}/end").status_code == 303
        [ended] = rows(console, AbsenceRow)
        assert (ended.ends_at, ended.was_until, ended.ended_by) == (
            console.at(12, 30), console.at(18), "Dora Dispatcher"
        )  # fmt: skip
        assert "called off" in client.get(f"/technicians/{aino}").text

    def test_without_times_lasts_from_now_to_midnight(self, console: Console, client: TestClient, aino: UUID):
        assert client.post(f"/technicians/{aino}/absences", data={"reason": "sick"}).status_code == 303
        [noted] = rows(console, AbsenceRow)
        assert abs(noted.starts_at - console.now) < timedelta(minutes=2)
        assert noted.ends_at == console.at(0) + timedelta(days=1)


# --- in Chromium --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def context(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    with browser.launch(tmp_path_factory.mktemp("profile"), size=(1366, 768)) as found:
        yield found


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path, context: BrowserContext) -> Iterator[tuple[Console, Page, UUID]]:
    with a_console(sqlite_url, tmp_path, hour=9) as console:
        aino = filled(console)
        with at_desk(context, console, "/technicians", DISPATCHER) as page:
            yield console, page, aino


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


class TestInABrowser:
    def test_a_certificate_is_found_renewed_and_withdrawn_by_keys_alone(
        self, desk: tuple[Console, Page, UUID]
    ):
        console, page, aino = desk
        page.get_by_role("link", name="Aino Virtanen").first.press("Enter")
        expect(page.get_by_role("heading", name="Aino Virtanen", exact=True)).to_be_visible()
        hits = page.locator("#hits li")
        expect(hits).to_have_count(1)
        expect(hits).to_contain_text("WO-2")
        last = page.get_by_label("Last day of the certificate for splicing")
        last.focus()
        year = console.today.year + 1
        page.keyboard.type(f"0315{year}")  # as the field of an English browser takes it
        page.keyboard.press("Enter")
        said = page.get_by_role("status")
        expect(said).to_have_text("Kept.")
        expect(said).to_be_focused()
        expect(hits).to_have_count(0)
        assert technician(console, aino).valid_until == {"splicing": f"{year}-03-15"}
        page.get_by_label("Withdraw splicing…").press("Enter")
        skill = page.get_by_role("article", name="splicing")
        expect(skill.locator("details li")).to_have_count(2)
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name="Withdraw the certificate for splicing")).to_be_focused()
        page.keyboard.press("Enter")
        expect(said).to_contain_text("2 booked visits are not possible as things are")
        expect(hits).to_have_count(2)
        history = page.locator("#history li")
        expect(history).to_have_count(2)
        expect(history.first).to_contain_text("→ withdrawn Dora Dispatcher")

    def test_an_absence_a_home_and_overtime_are_kept(self, desk: tuple[Console, Page, UUID]):
        console, page, aino = desk
        page.get_by_role("link", name="Aino Virtanen").first.click()
        page.get_by_label("Until").fill("2020-01-06T10:00")
        page.get_by_role("button", name="Note the absence").click()
        expect(page.get_by_role("alert")).to_have_text("The end must be after the start.")
        expect(page.get_by_role("alert")).to_be_focused()
        expect(page.get_by_label("Until")).to_have_value("2020-01-06T10:00")
        page.get_by_label("Until").fill("")
        page.get_by_label("Why").select_option("sick")
        page.get_by_role("button", name="Note the absence").click()
        expect(page.get_by_role("status")).to_contain_text("not possible as things are")
        page.get_by_role("button", name="Back now").click()
        expect(page.locator("#absences tbody tr")).to_contain_text("was until")
        page.get_by_label("Keskusta").check()
        page.get_by_label("Never send Aino Virtanen outside").check()
        page.get_by_role("button", name="Keep the home").click()
        expect(page.locator("#territories").get_by_role("status")).to_contain_text("Kept.")
        page.get_by_label("Minutes at most").fill("45")
        page.get_by_label("Minutes at most").press("Enter")
        expect(page.locator("#hours").get_by_role("status")).to_contain_text("Kept.")
        row = technician(console, aino)
        assert (row.territories, row.stays, row.overtime_minutes) == (["Keskusta"], True, 45)
        assert [one.ended_by for one in rows(console, AbsenceRow)] == ["Dora Dispatcher"]

    def test_every_control_has_a_name_and_all_of_it_fits(self, desk: tuple[Console, Page, UUID]):
        console, page, aino = desk
        name = "Bartholomäus-Maximilian Schwarzenbergerhausen"
        console.technician(name, skills={"fibre-to-the-building-inspection": 2}, territories=["Nowhere"])
        for _ in range(2):
            with console.database.write() as session:
                absences.note(
                    session, aino, console.at(8), console.at(15), Reason.SICK, by=name, now=console.now
                )
        page.reload()
        try:
            for width in (1366, 360):
                page.set_viewport_size({"width": width, "height": 768})
                for who in (None, "Aino Virtanen", name):
                    page.get_by_role("link", name="Technicians", exact=True).click()
                    if who:
                        page.get_by_role("link", name=who).first.click()
                        for summary in page.locator("main summary").all():
                            summary.click()
                    assert unnamed(page) == []
                    assert fits(page), (width, who)
        finally:
            page.set_viewport_size({"width": 1366, "height": 768})
