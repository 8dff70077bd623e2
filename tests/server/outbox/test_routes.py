"""The outbox by page and by program: who may, what is told once, and a click that sends again."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from console_day import PASSWORD
from fastapi import FastAPI
from fastapi.testclient import TestClient
from outbox_world import Clock, a_courier, add_webhook, messages, states, tell, tell_customer
from receivers import LOCAL, Reply, http_receiver
from standardwebhooks import Webhook
from world import World, a_world

from server.access.people import add_person
from server.access.roles import Role
from server.outbox.models import OutboxRow, WebhookRow
from server.settings import Settings

Doors = Callable[[Settings], FastAPI]


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    with a_world(sqlite_url, webhook_networks=LOCAL, send_seconds=0) as made:
        yield made


@contextmanager
def signed_in(world: World, doors: Doors, role: Role = Role.BACK_OFFICE, **settings: Any):
    """A client with a session of `role`, which sends the CSRF token by itself."""
    with world.database.write() as session:
        add_person(session, name="Bea Office", email="bea@example.org", role=role, password=PASSWORD)
    app = doors(replace(world.settings, **settings))
    with TestClient(app, follow_redirects=False, client=("127.0.0.1", 5000)) as client:
        answer = client.post("/api/session", json={"email": "bea@example.org", "password": PASSWORD})
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        yield client


def give_up(world: World) -> OutboxRow:
    """One dead letter: a receiver that refused three times."""
    with http_receiver() as receiver:
        receiver.otherwise = Reply(404, body=b"no such hook")
        add_webhook(world, receiver.url)
        tell(world, "job 1")
        clock = Clock(world.now)
        courier = a_courier(world, clock)
        for _ in range(3):
            courier.step()
            clock.at = clock.at.replace(hour=clock.at.hour + 1)
    [row] = messages(world)
    assert row.state == "dead"
    return row


class TestWhoMay:
    @pytest.mark.parametrize("role", [Role.DISPATCHER, Role.STOCK, Role.VIEWER])
    def test_not_others_than_back_office_and_administrators(self, world: World, doors: Doors, role: Role):
        row = give_up(world)
        hook = world.row(WebhookRow)
        with signed_in(world, doors, role) as client:
            assert client.get("/outbox").status_code == 403
            for path in ("/api/outbox", "/api/webhooks"):
                assert client.get(path).json()["type"].endswith("/wrong-role")
            for path in (
                f"/api/outbox/{row.id}/retry",
                f"/api/outbox/{row.id}/drop",
                f"/api/webhooks/{hook.id}/disable",
                f"/outbox/messages/{row.id}/drop",
                f"/outbox/webhooks/{hook.id}/disable",
            ):
                assert client.post(path).status_code == 403
            assert client.post("/api/webhooks", json={"url": "https://x.example/"}).status_code == 403
            assert ">Outbox</a>" not in client.get("/board").text
        assert (states(world), world.row(WebhookRow).disabled_at) == (["dead"], None)

    def test_an_administrator_finds_it_in_the_bar(self, world: World, doors: Doors):
        with signed_in(world, doors, Role.ADMIN) as client:
            assert 'href="/outbox"' in client.get("/board").text
            assert client.get("/outbox").status_code == 200


class TestTheApi:
    def test_adds_a_webhook_and_tells_its_secret_once(self, world: World, doors: Doors):
        wanted = {"url": "https://example.com/hook", "topics": ["dev.truckroll.work_order.completed"]}
        with signed_in(world, doors) as client:
            added = client.post("/api/webhooks", json=wanted)
            listed = client.get("/api/webhooks")
        assert added.status_code == 201
        assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", added.json()["secret"])
        assert added.json()["secret"] not in listed.text
        [hook] = listed.json()
        assert {"url": hook["url"], "topics": hook["topics"]} == wanted
        assert hook["created_by"] == "Bea Office"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"url": "http://"}, "url"),
            ({"url": "ftp://example.com"}, "url"),
            ({"url": "https://example.com", "topics": ["dev.truckroll.everything"]}, "topics"),
        ],
    )
    def test_refuses_what_cannot_be_right(self, world: World, doors: Doors, body: dict[str, Any], field: str):
        with signed_in(world, doors) as client:
            answer = client.post("/api/webhooks", json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
        assert world.rows(WebhookRow) == []

    def test_lists_dead_letters_and_sends_one_again(self, world: World, doors: Doors):
        row = give_up(world)
        with signed_in(world, doors) as client:
            found = client.get("/api/outbox").json()
            assert found["counts"] == [{"channel": "webhook", "state": "dead", "count": 1}]
            [line] = found["messages"]
            assert (line["id"], line["error"], line["tries"]) == (
                str(row.id),
                "Answered 404: no such hook",
                3,
            )
            assert client.post(f"/api/outbox/{row.id}/retry").status_code == 204
            again = client.post(f"/api/outbox/{row.id}/retry")
            assert (again.status_code, again.json()["detail"]) == (409, "This message is queued already")
            assert client.post(f"/api/outbox/{row.id}/drop").status_code == 204
            assert client.post(f"/api/outbox/{world.ana.device_id}/drop").status_code == 404
        done = world.row(OutboxRow)
        assert (done.state, done.decided_by) == ("dropped", "Bea Office")

    def test_never_tells_a_customers_number(self, world: World, doors: Doors):
        tell_customer(world, channel="sms")
        with signed_in(world, doors) as client:
            told = client.get("/api/outbox?state=queued").text + client.get("/outbox").text
        assert "customer of WO-0001" in told
        assert "1234567" not in told


class TestThePage:
    def test_says_plainly_that_nobody_sends_text_messages(self, world: World, doors: Doors):
        tell_customer(world, channel="sms")
        with signed_in(world, doors) as client:
            text = client.get("/outbox").text
        assert "1 text message waits because nobody sends it yet: TRUCKROLL_NOTIFY_SMS is not set" in text
        assert "TRUCKROLL_NOTIFY_EMAIL" not in text

    def test_shows_the_secret_once_and_keeps_what_was_typed_wrong(self, world: World, doors: Doors):
        with signed_in(world, doors) as client:
            wrong = client.post("/outbox/webhooks", data={"url": "ftp://<b>example"})
            assert wrong.status_code == 422
            assert 'value="ftp://&lt;b&gt;example"' in wrong.text
            assert "Give an address that begins with https://" in wrong.text
            right = client.post("/outbox/webhooks", data={"url": "https://example.com/hook"})
            secret = world.row(WebhookRow).secret
            assert secret in right.text.replace("&#43;", "+")
            assert secret not in client.get("/outbox").text

    def test_dead_letters_have_their_reason_and_two_buttons(self, world: World, doors: Doors):
        row = give_up(world)
        with signed_in(world, doors) as client:
            text = client.get("/outbox").text
            assert "Answered 404: no such hook" in text
            assert "Try again" in text and "Drop" in text
            answer = client.post(f"/outbox/messages/{row.id}/retry")
            assert (answer.status_code, answer.headers["location"]) == (303, "/outbox")
            client.post(f"/outbox/messages/{row.id}/retry")  # a second click changes nothing
        assert states(world) == ["queued"]


class TestTheServer:
    def test_sends_by_itself_what_a_click_asks_for(self, world: World, doors: Doors):
        with http_receiver() as receiver, signed_in(world, doors, send_seconds=1) as client:
            added = client.post("/api/webhooks", json={"url": receiver.url}).json()
            asked = client.post(f"/api/webhooks/{added['id']}/ping")
            assert asked.status_code == 202
            assert receiver.got_one.wait(20)
            [request] = receiver.requests
            event = Webhook(added["secret"]).verify(request.body, request.headers)
            assert (event["type"], event["data"]) == ("dev.truckroll.ping", {"asked_by": "Bea Office"})
            assert event["id"] == asked.json()["message_id"]
            wait_until(lambda: states(world) == ["sent"])
            client.post(f"/api/webhooks/{added['id']}/disable")
            assert client.post(f"/api/webhooks/{added['id']}/ping").status_code == 409

    def test_sends_nothing_where_the_setting_says_so(self, world: World, doors: Doors):
        with http_receiver() as receiver, signed_in(world, doors):
            add_webhook(world, receiver.url)
            tell(world, "job 1")
            assert not receiver.got_one.wait(1.5)
        assert states(world) == ["queued"]


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
