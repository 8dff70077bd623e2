"""Messages to customers by Apprise, over a real SMTP server and a real gateway on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from outbox_world import Clock, a_courier, messages, states, tell_customer
from receivers import Reply, http_receiver, smtp_receiver
from world import World, a_world

from server.customers.models import CustomerRow, NoticeRow
from server.outbox import listing
from server.outbox.courier import Courier
from server.outbox.senders import address, senders_of
from server.settings import Settings


@pytest.fixture
def world(sqlite_url: str) -> Iterator[World]:
    with a_world(sqlite_url) as made:
        yield made


@pytest.fixture
def clock(world: World) -> Clock:
    return Clock(world.now)


def courier_with(world: World, clock: Clock, **settings: Any) -> Courier:
    senders = senders_of(Settings(company="Kuitu Oy", **settings))
    return a_courier(world, clock, senders=senders)


def mail_by(port: int) -> str:
    return f"mailto://127.0.0.1:{port}/?mode=insecure&smtp=127.0.0.1&from=service@kuitu.test&to={{recipient}}"


class TestMail:
    def test_arrives_with_subject_text_and_recipient(self, world: World, clock: Clock):
        tell_customer(world)
        with smtp_receiver() as smtp:
            [attempt] = courier_with(world, clock, notify_email=mail_by(smtp.port)).step()
        assert attempt.outcome.error is None
        assert smtp.recipients == ["wo-0001@home.test"]
        [mail] = smtp.mails
        assert mail["Subject"] == "Kuitu Oy"
        assert "WO-0001 was completed at 09:08." in mail.as_string()
        assert (states(world), world.row(NoticeRow).state) == (["sent"], "sent")

    def test_that_the_server_refuses_is_tried_again_and_the_reason_names_nobody(
        self, world: World, clock: Clock
    ):
        tell_customer(world)
        with smtp_receiver() as smtp:
            smtp.refuse = "550 no such user"
            courier_with(world, clock, notify_email=mail_by(smtp.port)).step()
        [row] = messages(world)
        assert (row.state, row.tries) == ("queued", 1)
        assert row.last_error
        assert "wo-0001@home.test" not in row.last_error
        assert world.row(NoticeRow).state == "queued"

    def test_waits_while_the_server_is_down(self, world: World, clock: Clock):
        tell_customer(world)
        with smtp_receiver() as smtp:
            port = smtp.port
        courier = courier_with(world, clock, notify_email=mail_by(port))
        courier.step()
        assert states(world) == ["queued"]

    def test_goes_to_the_address_as_it_was_when_it_was_queued(self, world: World, clock: Clock):
        tell_customer(world)
        with world.database.write() as session:
            session.query(CustomerRow).update({"email": "new@home.test"})
        with smtp_receiver() as smtp:
            courier_with(world, clock, notify_email=mail_by(smtp.port)).step()
        assert smtp.recipients == ["wo-0001@home.test"]


class TestTextMessages:
    def test_go_to_the_gateway_with_number_and_idempotency_key(self, world: World, clock: Clock):
        tell_customer(world, channel="sms")
        with http_receiver() as gateway:
            gateway.otherwise = Reply(200)
            url = gateway.url.replace("http:", "json:") + "?:to={recipient}&+Idempotency-Key={id}"
            courier_with(world, clock, notify_sms=url).step()
            [request] = gateway.requests
        said = json.loads(request.body)
        assert (said["to"], said["message"]) == ("+358501234567", "WO-0001 was completed at 09:08.")
        assert request.headers["idempotency-key"] == str(messages(world)[0].id)

    def test_leave_while_mail_has_no_sender_and_waits(self, world: World, clock: Clock):
        tell_customer(world, channel="sms")
        tell_customer(world, channel="email")
        with http_receiver() as gateway:
            gateway.otherwise = Reply(200)
            url = gateway.url.replace("http:", "json:") + "?:to={recipient}"
            courier = courier_with(world, clock, notify_sms=url)
            while courier.step():
                pass
        assert [(row.channel, row.state) for row in messages(world)] == [("sms", "sent"), ("email", "queued")]


class TestOldNews:
    @pytest.mark.parametrize(
        ("template", "hours", "state"),
        [
            ("completed", 24, "sent"),
            ("completed", 25, "dead"),
            ("on_the_way", 1, "sent"),
            ("on_the_way", 2, "dead"),
        ],
    )
    def test_is_not_told_by_itself(self, world: World, clock: Clock, template: str, hours: int, state: str):
        tell_customer(world, template=template)
        clock.at += timedelta(hours=hours)
        with smtp_receiver() as smtp:
            courier_with(world, clock, notify_email=mail_by(smtp.port)).step()
        assert (states(world), len(smtp.mails)) == ([state], 1 if state == "sent" else 0)

    def test_is_told_when_a_person_asks(self, world: World, clock: Clock):
        tell_customer(world)
        clock.at += timedelta(days=3)
        with smtp_receiver() as smtp:
            courier = courier_with(world, clock, notify_email=mail_by(smtp.port))
            courier.step()
            [row] = messages(world)
            assert row.last_error == "Too old to be told: it waited too long for a sender"
            assert world.row(NoticeRow).state == "unsent"
            with world.database.write() as session:
                listing.retry(session, row.id, by="Ada", at=clock.at)
            courier.step()
        assert (len(smtp.mails), world.row(NoticeRow).state) == (1, "sent")


class TestTheSetting:
    def test_puts_a_recipient_in_so_that_it_can_be_nothing_else(self):
        made = address("json://gateway/?:to={recipient}&key={id}", "+358 50&x=1/../@a.b", "7")
        assert made == "json://gateway/?:to=%2B358%2050%26x%3D1%2F..%2F@a.b&key=7"

    def test_without_a_place_for_the_recipient_is_an_error(self):
        with pytest.raises(ValueError, match=r"TRUCKROLL_NOTIFY_SMS has no \{recipient\}"):
            senders_of(Settings(notify_sms="json://gateway/"))

    def test_that_apprise_does_not_know_is_an_error(self):
        with pytest.raises(ValueError, match="TRUCKROLL_NOTIFY_EMAIL is no URL"):
            senders_of(Settings(notify_email="pigeon://loft/{recipient}"))

    def test_leaves_out_what_is_not_set(self):
        assert list(senders_of(Settings())) == ["webhook"]
