"""The office's pages: faults of cabinets and what is done about them, and parts that somebody waits for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from world import CONNECTOR, World, uid

from server.access.models import PersonRow
from server.access.passwords import hashed
from server.access.roles import Role
from server.app import build_app
from server.clock import mint
from server.faults.models import NetworkFaultRow
from shared.network_faults import FaultPhoto, FaultSign, ReportNetworkFault
from shared.stock_commands import AskForPart

DORA = "Dora of dispatch"


@pytest.fixture
def client(world: World, tmp_path: Path) -> Iterator[TestClient]:
    """A dispatcher is signed in, and Ana has found a cabinet."""
    job = world.order()
    photo = FaultPhoto(digest="ab" * 32, size_bytes=1000, media_type="image/jpeg")
    world.ana.send(
        ReportNetworkFault(
            report_id=uid("first"),
            cabinet="CAB-1",
            sign=FaultSign.NO_LIGHT,
            safe=False,
            ports=8,
            note="<b>Lid</b> open",
            photos=(photo,),
            for_order_id=job.id,
        )
    )
    with world.database.write() as session:
        session.add(
            PersonRow(
                id=mint(), name=DORA, email="dora@office.test", role=Role.DISPATCHER,
                password_hash=hashed("correct horse battery"),
            )
        )  # fmt: skip
    app = build_app(world.settings, pwa_folder=tmp_path / "none")
    with TestClient(app, follow_redirects=False) as made:
        signed = {"email": "dora@office.test", "password": "correct horse battery"}
        answer = made.post("/api/session", json=signed)
        made.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        yield made


def fault(world: World) -> NetworkFaultRow:
    [row] = world.rows(NetworkFaultRow)
    return row


class TestTheFaultsPage:
    def test_shows_each_report_with_its_photo_and_escapes_what_was_typed(self, client: TestClient):
        shown = client.get("/faults").text
        assert "Cabinet CAB-1" in shown
        assert "8 ports without light" in shown
        assert "not safe" in shown
        assert "Ana Virtanen" in shown
        assert f"/api/attachments/{'ab' * 32}" in shown
        assert "&lt;b&gt;Lid&lt;/b&gt; open" in shown
        assert client.get("/api/faults/counts").json() == {"open": 1, "unsafe": 1}

    def test_confirms_and_resolves(self, world: World, client: TestClient):
        path = f"/faults/{uid('first')}"
        assert client.post(f"{path}/acknowledge").status_code == 303
        assert fault(world).state == "acknowledged"
        assert client.post(f"{path}/resolve", data={"reason": "Spliced"}).status_code == 303
        assert (fault(world).state, fault(world).acts[-1]["by"]) == ("resolved", DORA)
        shown = client.get("/faults").text
        assert "No cabinet has an open fault." in shown
        assert "Spliced" in shown
        assert client.get("/api/faults/counts").json() == {"open": 0, "unsafe": 0}

    def test_says_what_lacks_and_moves_nothing(self, world: World, client: TestClient):
        answer = client.post(f"/faults/{uid('first')}/reject", data={"reason": " "})
        assert answer.status_code == 422
        assert "Say what was done, or why it is none" in answer.text
        assert fault(world).state == "submitted"

    @pytest.mark.parametrize("what", ["acknowledge", "resolve", "reject"])
    def test_does_nothing_about_reports_that_its_reader_has_not_seen(
        self, world: World, client: TestClient, what: str
    ):
        assert client.get("/faults").text.count('name="reports" value="1"') == 3
        sparks = ReportNetworkFault(
            report_id=uid("second"), cabinet="CAB-1", sign=FaultSign.POWER, safe=False, note="Sparks"
        )
        world.ben.send(sparks)
        path, data = f"/faults/{uid('first')}/{what}", {"reason": "Spliced", "reports": "1"}
        answer = client.post(path, data=data)
        assert answer.status_code == 409
        assert "There are new reports since. Read them, then say it again" in answer.text
        assert "Sparks" in answer.text
        assert (fault(world).state, fault(world).acts) == ("submitted", [])
        assert client.post(path, data=data | {"reports": "2"}).status_code == 303
        assert len(fault(world).acts) == 1

    def test_shows_who_was_quicker_and_does_it_once(self, world: World, client: TestClient):
        path = f"/faults/{uid('first')}/resolve"
        client.post(path, data={"reason": "Spliced"})
        assert client.post(path, data={"reason": "Again"}).status_code == 303
        assert [act["reason"] for act in fault(world).acts] == ["Spliced"]


class TestTheInbox:
    def test_lists_parts_that_somebody_waits_for(self, world: World, client: TestClient):
        world.ben.send(
            AskForPart(
                request_id=uid("r"), sku=CONNECTOR, quantity=3, holder_id=world.ana.van_id, note="Soon"
            )
        )
        shown = client.get("/inbox").text
        assert "Parts asked for" in shown
        assert "<strong>Ben Korhonen</strong> asks <strong>Van ana</strong> for 3 × Connector SC" in shown
        assert "no answer yet" in shown
        assert "Soon" in shown
