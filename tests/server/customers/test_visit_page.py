"""What a customer is told, in words and in which language, and what never leaves the house."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from console_day import Console, a_console, served

from server.customers import routes
from server.customers.links import visit_link, visit_token
from server.customers.visit_page import Status, VisitView, view
from server.customers.words import LANGUAGES, preferred, words_for
from server.dispatch import link_rows
from server.dispatch.link_rows import NewLink

HELSINKI = ZoneInfo("Europe/Helsinki")
JOIN = "\u2060"


def at(hour: int, minute: int = 0) -> datetime:
    """A time of Monday 23 November 2026 in Helsinki, two hours ahead of UTC."""
    return datetime(2026, 11, 23, hour - 2, minute, tzinfo=UTC)


@pytest.fixture
def console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    with a_console(database_url, tmp_path) as found:
        yield found


def a_visit(console: Console, **values: Any) -> UUID:
    """Planned 10:00 with Aino Virtanen after 20 minutes of travel, promised for 10–12."""
    technician = console.technician("Aino Virtanen", van="Van 07")
    return console.work_order(
        **{
            "technician": technician,
            "number": "WO-1001",
            "window_start": at(10),
            "window_end": at(12),
            "planned_start": at(10),
            "planned_end": at(11),
            "travel_minutes": 20,
            **values,
        }
    )


def seen(console: Console, order: UUID, now: datetime) -> VisitView:
    with console.database.read() as session:
        return view(session, order, HELSINKI, now)


class TestAVisit:
    def test_that_waits_for_another_is_expected_when_that_is_done(self, console: Console):
        order = a_visit(console)
        other = console.work_order(
            technician=console.technician("Eetu Korhonen", van="Van 08"), number="WO-2", state="on_site",
            planned_start=at(8), planned_end=at(9), arrived_at=at(9, 30),
        )  # fmt: skip
        assert seen(console, order, at(9, 35)).more == "Expected around 10:00"
        with console.database.write() as session:
            wanted = NewLink(kind="after", number="WO-2", gap_least=15)
            link_rows.make(session, order, wanted, by="Dora", now=at(9))
        assert seen(console, order, at(9, 35)).more == "Expected around 10:45"
        console.change(other, state="completed", finished_at=at(9, 40))
        assert seen(console, order, at(9, 45)).more == "Expected around 10:05"

    def test_that_is_planned_says_who_and_when(self, console: Console):
        found = seen(console, a_visit(console), at(8))
        assert (found.headline, found.more) == ("Your visit is planned", "Expected around 10:00")
        assert found.window == f"Monday 23 November, 10:00{JOIN}–{JOIN}12:00"
        assert (found.technician, found.van, found.address) == ("Aino", "Van 07", "Koivukatu 7")

    def test_guesses_no_arrival_the_evening_before(self, console: Console):
        assert seen(console, a_visit(console), at(10) - timedelta(hours=14)).more == ""

    def test_that_is_on_the_way_says_about_when(self, console: Console):
        order = a_visit(console, state="travelling", travel_started_at=at(9, 48))
        found = seen(console, order, at(9, 50))
        assert (found.status, found.headline, found.more) == (
            Status.ON_THE_WAY,
            "Aino is on the way",
            "Expected around 10:10",
        )

    def test_that_will_be_late_says_so(self, console: Console):
        found = seen(console, a_visit(console), at(11, 58))
        assert found.late
        assert found.more == "We are running late and expect to be with you around 12:20. We are sorry."

    def test_knows_of_a_delay_at_the_visit_before(self, console: Console):
        order = a_visit(console)
        with console.database.read() as session:
            from server.work_orders.models import WorkOrderRow

            technician = session.get_one(WorkOrderRow, order).technician_id
        console.work_order(
            technician=technician,
            state="on_site",
            planned_start=at(8),
            planned_end=at(11, 50),
            arrived_at=at(8),
        )
        assert seen(console, order, at(9)).late

    def test_that_has_begun_says_who_is_there(self, console: Console):
        found = seen(console, a_visit(console, state="on_site", arrived_at=at(10)), at(10, 5))
        assert (found.headline, found.more, found.step) == ("Aino is with you", "", 2)

    def test_that_is_done_tracks_nobody_any_more(self, console: Console):
        order = a_visit(console, state="completed", arrived_at=at(10), finished_at=at(10, 50))
        found = seen(console, order, at(14))
        assert (found.headline, found.more) == ("All done", "Finished at 10:50. Thank you for having us.")
        assert found.van == ""

    def test_that_was_cancelled_names_nobody(self, console: Console):
        found = seen(console, a_visit(console, state="cancelled", finished_at=at(9)), at(9, 30))
        assert (found.status, found.technician, found.van) == (Status.CANCELLED, "", "")

    def test_that_nobody_has_yet_is_being_arranged(self, console: Console):
        order = console.work_order()
        found = seen(console, order, at(9))
        assert (found.status, found.step, found.window) == (Status.WAITING, None, "Not agreed yet")

    @pytest.mark.parametrize(
        ("language", "headline", "window", "more"),
        [
            ("fi", "Aino on matkalla", "maanantaina 23. marraskuuta klo 10.00–12.00",
             "Arvioitu saapumisaika noin klo 10.10"),
            ("sv-FI", "Aino är på väg", "måndag 23 november kl. 10.00–12.00", "Väntas omkring kl. 10.10"),
            ("de", "Aino ist unterwegs", "Montag, 23. November, 10:00–12:00 Uhr",
             "Voraussichtlich gegen 10:10 Uhr"),
            ("et", "Aino is on the way", "Monday 23 November, 10:00–12:00", "Expected around 10:10"),
        ],
    )  # fmt: skip
    def test_is_told_in_the_customers_language(
        self, console: Console, language: str, headline: str, window: str, more: str
    ):
        order = a_visit(console, language=language, state="travelling", travel_started_at=at(9, 48))
        found = seen(console, order, at(9, 50))
        assert (found.headline, found.window.replace(JOIN, ""), found.more) == (headline, window, more)


class TestTheCatalogue:
    def test_keeps_every_place_for_a_name_or_a_time(self):
        for words in LANGUAGES.values():
            assert "{name}" in words.on_the_way and "{name}" in words.here, words.code
            for sentence in (words.expected, words.running_late, words.done_more, words.updated):
                assert "{time}" in sentence, words.code
            assert all(name in words.window for name in ("{date}", "{from_}", "{until}")), words.code
            assert (len(words.weekdays), len(words.months), len(words.steps)) == (7, 12, 4)

    def test_finds_a_language_by_its_tag(self):
        assert words_for("FI_fi").code == "fi"
        assert preferred("fr-FR, de;q=0.8, en;q=0.5").code == "de"
        assert preferred("").code == "en"


class TestThePage:
    def test_reads_whole_without_javascript_and_without_sign_in(self, console: Console):
        order = a_visit(console, state="travelling", travel_started_at=console.now)
        with console.client() as client:
            answer = client.get(visit_link(console.settings, order))
        assert answer.status_code == 200
        assert "Aino is on the way" in answer.text
        assert '<noscript><meta http-equiv="refresh" content="60"></noscript>' in answer.text
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "script-src 'self'" in answer.headers["content-security-policy"]

    def test_leaks_nothing_else(self, console: Console):
        order = a_visit(console, customer="Maija Salo", summary="Debt collector says: careful")
        with console.client() as client:
            text = client.get(visit_link(console.settings, order)).text
        for secret in ("Virtanen", "+358", "Salo", "Debt", "59.3", "21.3", str(order), "maija@"):
            assert secret not in text, secret

    def test_of_a_forged_link_is_kind_and_empty(self, console: Console):
        with console.client() as client:
            answer = client.get("/visit/forged", headers={"Accept-Language": "sv"})
            events = client.get("/visit/forged/events")
        assert (answer.status_code, events.status_code) == (404, 404)
        assert "Vi känner inte till länken" in answer.text

    def test_of_an_expired_link_is_gone(self, console: Console):
        old = datetime.now(UTC) - timedelta(days=30)
        token = visit_token(console.settings.secret, a_visit(console), now=old)
        with console.client() as client:
            answer = client.get(f"/visit/{token}")
            events = client.get(f"/visit/{token}/events")
        assert (answer.status_code, events.status_code) == (410, 401)
        assert "This link has expired" in answer.text
        assert "Koivukatu" not in answer.text

    def test_stops_looking_when_the_visit_is_over(self, console: Console):
        order = a_visit(console, state="completed", arrived_at=at(10), finished_at=at(11))
        with console.client() as client:
            text = client.get(visit_link(console.settings, order)).text
        assert "data-events" not in text and "http-equiv" not in text


class TestLiveChanges:
    def test_reach_the_customer_until_the_visit_is_over_and_only_theirs(self, console: Console):
        order, other = a_visit(console), console.work_order(customer="Somebody Else")
        lines: list[str] = []
        with (
            served(console.app) as address,
            httpx.stream("GET", f"{address}{visit_link(console.settings, order)}/events") as stream,
        ):
            for line in stream.iter_lines():
                lines.append(line)
                shown = sum(found.startswith("data: ") for found in lines)
                if line.startswith("data: ") and shown == 1:
                    console.change(other, state="cancelled")
                    console.change(order, "Arrived", state="on_site", arrived_at=console.now)
                elif line.startswith("data: ") and shown == 2:
                    console.change(order, "WorkOrderCompleted", state="completed", finished_at=console.now)
        data = [line for line in lines if line.startswith("data: ")]
        assert "Your visit is planned" in data[0]
        assert "Aino is with you" in data[1]
        assert "All done" in data[2]
        assert data[3] == 'data: "over"'
        assert len(data) == 4
        assert "Somebody" not in "".join(lines)

    def test_bring_a_delay_that_no_event_announces(self, console: Console, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(routes, "LOOK_AGAIN_SECONDS", 0.2)
        soon = console.now + timedelta(seconds=2)
        order = a_visit(
            console,
            window_start=soon - timedelta(hours=2),
            window_end=soon,
            travel_minutes=0,
            planned_start=soon,
            planned_end=soon + timedelta(hours=1),
        )
        with (
            served(console.app) as address,
            httpx.stream("GET", f"{address}{visit_link(console.settings, order)}/events") as stream,
        ):
            for line in stream.iter_lines():
                if "running late" in line:
                    return
        raise AssertionError("the stream ended")
