"""What a dispatcher does to a job that its technician may be working on unseen, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from console_day import Console, a_console
from fastapi.testclient import TestClient


@dataclass
class Desk:
    """A signed-in dispatcher, and one job of Aino's that has not begun."""

    console: Console
    http: TestClient
    headers: dict[str, str]
    technician: UUID
    job: UUID

    def post(self, action: str, **body: Any) -> httpx.Response:
        return self.http.post(f"/api/work-orders/{self.job}/{action}", json=body, headers=self.headers)

    def order(self, id: object = None) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"/api/work-orders/{id or self.job}").json()["order"]
        return found

    def deeds(self) -> list[str]:
        detail = self.http.get(f"/api/work-orders/{self.job}").json()
        return [deed["wanted"] for deed in detail["deeds"]]


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    with a_console(database_url, tmp_path) as console, console.client() as http:
        headers = console.signed_in(http)
        technician = console.technician()
        job = console.work_order(
            technician=technician,
            number="WO-7",
            planned_start=console.at(13),
            planned_end=console.at(14),
        )
        yield Desk(console, http, headers, technician, job)


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rsplit("/")[-1]


class TestTheOffice:
    def test_moves_a_job_to_another_time(self, desk: Desk):
        begin = desk.console.at(9) + timedelta(days=1)
        times = {
            "window_start": begin.isoformat(),
            "window_end": (begin + timedelta(hours=2)).isoformat(),
        }
        assert desk.post("reschedule", **times).status_code == 200
        assert refused(desk.post("reschedule", window_start=begin.isoformat())) == (422, "bad-value")
        far = {"window_start": "9998-01-01T00:00:00Z", "window_end": "9999-01-01T00:00:00Z"}
        assert refused(desk.post("reschedule", **far)) == (422, "bad-value")
        assert desk.post("reschedule", window_start="2026-01-01T00:00:00").status_code == 422, "no zone"
        assert desk.deeds() == ["move the job to another time"]

    def test_splits_a_job(self, desk: Desk):
        answer = desk.post("split", summary="Pull the cable", expected_minutes=30, removal=True)
        assert answer.status_code == 200
        second = desk.order(answer.json()["new_order_id"])
        assert (second["number"], second["state"]) == ("WO-7-2", "unassigned")
        assert refused(desk.post("split", summary="Nothing", expected_minutes=30)) == (422, "bad-value")
        unknown = desk.post("split", summary="More", expected_minutes=30, parts={"NO-SUCH": 2})
        assert (*refused(unknown), unknown.json()["field"]) == (422, "bad-value", "parts")

    def test_deletes_a_job_with_a_reason(self, desk: Desk):
        assert refused(desk.post("delete", reason=" ")) == (422, "bad-value")
        assert desk.post("delete", reason="entered twice").status_code == 200
        assert desk.order()["state"] == "cancelled"
        assert refused(desk.post("delete", reason="again")) == (409, "already-closed")

    def test_bills_a_call_out_and_then_the_job_stays_closed(self, desk: Desk):
        assert refused(desk.post("call-out")) == (409, "not-started")
        desk.post("cancel", reason="nobody there")
        assert desk.post("call-out").status_code == 200
        assert refused(desk.post("reopen", technician_id=str(desk.technician))) == (409, "already-closed")

    def test_reopens_a_cancelled_job_for_its_technician(self, desk: Desk):
        desk.post("cancel", reason="nobody there")
        assert desk.post("reopen", technician_id=str(desk.technician)).status_code == 200
        assert desk.order()["state"] == "assigned"

    def test_edits_the_contact_and_is_told_of_another_dispatchers_edit(self, desk: Desk):
        assert desk.post("contact", field="phone", value="+358 777").status_code == 200
        assert desk.order()["contact"]["phone"] == "+358 777"
        late = desk.post("contact", field="phone", value="+358 888", base="+358 555")
        assert refused(late) == (409, "changed-meanwhile")
        assert late.json()["detail"] == 'Somebody changed the phone to "+358 777" meanwhile: look again'
        assert desk.post("contact", field="shoe_size", value="44").status_code == 422

    def test_writes_notes_without_what_no_database_keeps(self, desk: Desk):
        first = desk.post("notes", text="Ring\x00 twice").json()["note_id"]
        assert desk.post("notes", text="Ring thrice", replaces=first).status_code == 200
        assert [note["text"] for note in desk.order()["notes"]] == ["Ring twice", "Ring thrice"]

    def test_records_a_check_that_the_job_asks_for(self, desk: Desk):
        assert refused(desk.post("checks", code="smell", value="1")) == (422, "bad-value")

    def test_says_it_of_a_job_that_does_not_exist(self, desk: Desk):
        desk.job = desk.technician
        assert refused(desk.post("notes", text="Hello")) == (404, "not-found")
