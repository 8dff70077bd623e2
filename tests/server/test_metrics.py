"""What Prometheus reads, and who may read it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from databases import ROOT
from fastapi import FastAPI
from fastapi.testclient import TestClient
from outbox_world import add_webhook, tell, tell_customer
from sqlalchemy import text
from world import World, a_world, settle

from server.access.models import DeviceRow
from server.db import feed
from server.metrics import render
from server.settings import Settings
from shared.commands import AddNote, CloseWorkOrder

Doors = Callable[[Settings], FastAPI]


def figures(world: World, now: datetime) -> dict[str, float]:
    with world.database.read() as session:
        lines = render(session, now).splitlines()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")
    }


class TestTheFigures:
    def test_of_an_empty_house_are_all_zero(self, world: World):
        settle(world.database)
        assert figures(world, world.now) == {
            "truckroll_feed_lag_seconds": 0,
            'truckroll_outbox_waiting{channel="email"}': 0,
            'truckroll_outbox_waiting{channel="sms"}': 0,
            'truckroll_outbox_waiting{channel="webhook"}': 0,
            'truckroll_outbox_dead{channel="email"}': 0,
            'truckroll_outbox_dead{channel="sms"}': 0,
            'truckroll_outbox_dead{channel="webhook"}': 0,
            "truckroll_outbox_oldest_seconds": 0,
            "truckroll_held_open": 0,
            "truckroll_held_overdue": 0,
            "truckroll_devices_unsent_commands": 0,
            'truckroll_commands_total{outcome="accepted"}': 0,
            'truckroll_commands_total{outcome="held"}': 0,
        }

    def test_count_what_waits_is_held_and_unsent(self, world: World):
        tell_customer(world, channel="sms")
        add_webhook(world, "https://example.com/")
        tell(world, "job 1", "job 2")
        job = world.order()
        now = world.now + timedelta(days=1)
        world.ana.deliver(
            world.ana.envelopes(
                AddNote(work_order_id=job.id, text="x"), CloseWorkOrder(work_order_id=job.id)
            ),
            now=now,
        )
        with world.database.write() as session:
            for device, waiting in zip(session.query(DeviceRow), (3, 4), strict=True):
                device.queue_length = waiting
        found = figures(world, now + timedelta(hours=5))
        assert found['truckroll_outbox_waiting{channel="sms"}'] == 1
        assert found["truckroll_outbox_oldest_seconds"] == 29 * 3600
        assert found["truckroll_held_open"] == found["truckroll_held_overdue"] == 1
        assert found["truckroll_devices_unsent_commands"] == 7
        assert found['truckroll_commands_total{outcome="accepted"}'] == 1
        assert found['truckroll_commands_total{outcome="held"}'] == 1

    def test_have_a_meaning_and_a_type_each(self, world: World):
        with world.database.read() as session:
            lines = render(session, world.now).splitlines()
        helped = {line.split()[2] for line in lines if line.startswith("# HELP ")}
        typed = {line.split()[2] for line in lines if line.startswith("# TYPE ")}
        named = {re.split(r"[{ ]", line)[0] for line in lines if line[0] != "#"}
        assert helped == typed == named

    def test_every_alert_in_the_documents_names_one_that_exists(self, world: World):
        settle(world.database)
        named = {name.partition("{")[0] for name in figures(world, world.now)}
        alerts = set(
            re.findall(r"truckroll_[a-z_]+", (ROOT / "docs/settings.md").read_text(encoding="utf-8"))
        )
        assert len(alerts) >= 5
        assert alerts - named == set()


class TestTheLag:
    def test_is_the_age_of_the_oldest_change_that_an_open_transaction_holds_back(self, postgresql_url: str):
        with a_world(postgresql_url) as world:
            settle(world.database)
            with world.database.engine.connect() as holding:
                holding.execute(text("SELECT pg_current_xact_id()"))
                with world.database.write() as session:
                    feed.append(session, [feed.BOARD], "thing", 1, "Changed", at=world.now, actor="test")
                now = world.now + timedelta(seconds=7)
                assert figures(world, now)["truckroll_feed_lag_seconds"] == 7
                holding.rollback()
            settle(world.database)
            assert figures(world, now)["truckroll_feed_lag_seconds"] == 0


class TestWhoMayRead:
    @pytest.fixture
    def asking(self, sqlite_url: str, doors: Doors):
        with a_world(sqlite_url, now=datetime.now(UTC)) as world:
            app = doors(replace(world.settings, metrics_token="let me see", send_seconds=0))

            def ask(host: str, **headers: str):
                client = TestClient(app, client=(host, 5000), raise_server_exceptions=False)
                return client.get("/metrics", headers={k.replace("_", "-"): v for k, v in headers.items()})

            yield ask
            app.state.database.close()

    @pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
    def test_this_machine_may(self, asking, host: str):
        answer = asking(host)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert answer.text.endswith('truckroll_commands_total{outcome="held"} 0\n')

    @pytest.mark.parametrize("header", ["x_forwarded_for", "forwarded", "via"])
    def test_a_proxy_on_this_machine_may_not_by_itself(self, asking, header: str):
        assert asking("127.0.0.1", **{header: "203.0.113.9"}).status_code == 403

    def test_others_may_with_the_token_only(self, asking):
        assert asking("10.0.0.7").status_code == 403
        assert asking("10.0.0.7", authorization="Bearer wrong").status_code == 403
        assert asking("10.0.0.7", authorization="Bearer let me see").status_code == 200

    def test_an_empty_token_is_none(self, sqlite_url: str, doors: Doors):
        with a_world(sqlite_url) as world:
            app = doors(world.settings)
            client = TestClient(app, client=("10.0.0.7", 5000))
            assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 403
            app.state.database.close()
