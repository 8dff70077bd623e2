"""Messages leave at least once, in order of their key, and never from inside a transaction."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from databases import ROOT
from outbox_world import (
    SECRET,
    Clock,
    a_courier,
    add_webhook,
    messages,
    states,
    tell,
    tell_customer,
)
from receivers import LOCAL, HttpReceiver, Reply, http_receiver
from standardwebhooks import Webhook
from world import World, a_world

from server.outbox import listing, webhooks
from server.outbox.courier import ARRIVED, BATCH, LEASE, Message, Outcome
from server.outbox.models import OutboxRow, WebhookRow


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as found:
        yield found


@pytest.fixture
def clock(world: World) -> Clock:
    return Clock(world.now)


class TestAMessage:
    def test_arrives_signed_with_its_id_and_is_done(self, world: World, receiver: HttpReceiver):
        add_webhook(world, receiver.url)
        clock = Clock(datetime.now(UTC))  # the receiver's library looks at the real time
        [message_id] = tell(world, "job 1")
        [attempt] = a_courier(world, clock).step()
        assert attempt.outcome == ARRIVED
        [request] = receiver.requests
        event = Webhook(SECRET).verify(request.body, request.headers)
        assert request.headers["webhook-id"] == message_id == event["id"]
        assert request.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
        assert (event["type"], event["subject"]) == ("dev.truckroll.work_order.arrived", "job 1")
        row = world.row(OutboxRow)
        assert (row.state, row.tries, row.done_at, row.leased_by) == ("sent", 1, clock.at, None)

    def test_is_not_sent_when_what_caused_it_was_rolled_back(
        self, world: World, receiver: HttpReceiver, clock: Clock
    ):
        add_webhook(world, receiver.url)
        with pytest.raises(RuntimeError), world.database.write() as session:
            session.add(_copy_of(world))
            raise RuntimeError("the booking failed")
        assert a_courier(world, clock).step() == []
        assert receiver.requests == []

    def test_is_tried_again_with_the_same_id_and_body_after_a_pause(
        self, world: World, receiver: HttpReceiver, clock: Clock
    ):
        add_webhook(world, receiver.url)
        [message_id] = tell(world, "job 1")
        receiver.answers = [Reply(503, body=b"full"), Reply(500)]
        courier = a_courier(world, clock)
        assert [attempt.outcome.error for attempt in courier.step()] == ["Answered 503: full"]
        clock.at += timedelta(seconds=4.9)
        assert courier.step() == []
        clock.at += timedelta(seconds=0.1)
        assert len(courier.step()) == 1
        clock.at += timedelta(seconds=10)
        assert [attempt.outcome for attempt in courier.step()] == [ARRIVED]
        assert receiver.ids == [message_id] * 3
        assert len({request.body for request in receiver.requests}) == 1
        assert len({request.headers["webhook-signature"] for request in receiver.requests}) == 3


class TestAMessageThatFails:
    """By the tables of either database alike, so on one of them."""

    @pytest.fixture
    def world(self, sqlite_url: str) -> Iterator[World]:
        with a_world(sqlite_url) as made:
            yield made

    def test_waits_as_long_as_the_receiver_asks(self, world: World, receiver: HttpReceiver, clock: Clock):
        add_webhook(world, receiver.url)
        tell(world, "job 1")
        receiver.answers = [Reply(429, {"Retry-After": "120"})]
        a_courier(world, clock).step()
        assert world.row(OutboxRow).not_before == clock.at + timedelta(seconds=120)

    def test_is_given_up_after_twelve_tries(self, world: World, receiver: HttpReceiver, clock: Clock):
        add_webhook(world, receiver.url)
        tell(world, "job 1")
        receiver.otherwise = Reply(500, body=b"broken")
        courier = a_courier(world, clock)
        for _ in range(20):
            courier.step()
            clock.at += timedelta(hours=1)
        row = world.row(OutboxRow)
        assert (row.state, row.tries, row.last_error) == ("dead", 12, "Answered 500: broken")
        assert len(receiver.requests) == 12

    @pytest.mark.parametrize("status", [301, 400, 401, 404, 422])
    def test_is_given_up_after_three_refusals(
        self, world: World, receiver: HttpReceiver, clock: Clock, status: int
    ):
        add_webhook(world, receiver.url)
        tell(world, "job 1")
        receiver.otherwise = Reply(status, {"Location": receiver.url})
        courier = a_courier(world, clock)
        for _ in range(6):
            courier.step()
            clock.at += timedelta(hours=1)
        row = world.row(OutboxRow)
        assert (row.state, row.tries, row.last_error) == ("dead", 3, f"Answered {status}")
        assert len(receiver.requests) == 3


def _copy_of(world: World) -> OutboxRow:
    return OutboxRow(
        id=world.ana.device_id, channel="webhook", key="k", topic="t", webhook_id=None, notice_id=None,
        payload={}, queued_at=world.now, not_before=world.now, tries=0, state="queued",
    )  # fmt: skip


class TestOrder:
    def test_a_later_message_of_a_key_waits_for_the_earlier_and_others_do_not(
        self, world: World, receiver: HttpReceiver, clock: Clock
    ):
        add_webhook(world, receiver.url)
        first, second, other = tell(world, "job 1", "job 1", "job 2")
        receiver.answers = [Reply(500)]
        courier = a_courier(world, clock)
        courier.step()  # the first fails, and the address is left alone for five seconds
        clock.at += timedelta(seconds=5)
        courier.step()
        courier.step()
        assert receiver.ids.count(first) == 2
        assert receiver.ids.index(second) > len(receiver.ids) - 1 - receiver.ids[::-1].index(first)
        assert receiver.ids.count(other) == 1
        assert states(world) == ["sent", "sent", "sent"]

    def test_a_dead_letter_holds_up_nobody(self, world: World, receiver: HttpReceiver, clock: Clock):
        add_webhook(world, receiver.url)
        tell(world, "job 1", "job 1")
        receiver.answers = [Reply(404), Reply(404), Reply(404)]
        courier = a_courier(world, clock)
        for _ in range(4):
            courier.step()
            clock.at += timedelta(minutes=1)
        assert states(world) == ["dead", "sent"]

    def test_is_kept_over_many_messages_and_couriers(
        self, world: World, receiver: HttpReceiver, clock: Clock
    ):
        add_webhook(world, receiver.url)
        keys = [f"job {number % 5}" for number in range(60)]
        ids = tell(world, *keys)
        receiver.answers = [Reply(503) if number % 7 == 3 else Reply() for number in range(80)]
        failed = threading.Event()

        def work() -> None:
            courier = a_courier(world, clock)
            for _ in range(2_000):
                if failed.is_set() or "queued" not in states(world):
                    return
                if not courier.step():
                    with turn:
                        clock.at += timedelta(seconds=1)

        turn = threading.Lock()
        with ThreadPoolExecutor(2) as pool:
            for result in [pool.submit(work) for _ in range(2)]:
                result.result()
        assert Counter(states(world)) == {"sent": 60}
        last_of = {message_id: place for place, message_id in enumerate(receiver.ids)}
        for key in set(keys):
            places = [last_of[message_id] for message_id, its in zip(ids, keys, strict=True) if its == key]
            assert places == sorted(places)


class TestTwoCouriers:
    def test_never_send_one_message_twice(self, world: World, receiver: HttpReceiver, clock: Clock):
        add_webhook(world, receiver.url)
        ids = tell(world, *(f"job {number}" for number in range(80)))

        def work() -> int:
            courier, sent = a_courier(world, clock), 0
            while found := courier.step():
                sent += len(found)
            return sent

        with ThreadPoolExecutor(3) as pool:
            shares = [share.result() for share in [pool.submit(work) for _ in range(3)]]
        assert sum(shares) == 80
        assert sorted(receiver.ids) == sorted(ids)

    def test_claim_different_messages(self, world: World, receiver: HttpReceiver, clock: Clock):
        add_webhook(world, receiver.url)
        tell(world, *(f"job {number}" for number in range(BATCH + 3)))
        one, other = a_courier(world, clock), a_courier(world, clock)
        claimed = {message.id for message in one.claim()}, {message.id for message in other.claim()}
        assert [len(part) for part in claimed] == [BATCH, 3]
        assert claimed[0] & claimed[1] == set()


class TestACourierThatDies:
    def test_between_sending_and_noting_is_followed_by_a_repeat_under_the_same_id(
        self, world: World, receiver: HttpReceiver, clock: Clock
    ):
        add_webhook(world, receiver.url)
        [message_id] = tell(world, "job 1")
        dying, next_one = a_courier(world, clock), a_courier(world, clock)
        lost = [dying.deliver(message) for message in dying.claim()]
        assert next_one.step() == []  # it may still be at it
        clock.at += LEASE
        assert [attempt.outcome for attempt in next_one.step()] == [ARRIVED]
        assert receiver.ids == [message_id, message_id]
        assert [dying.mark(attempt) for attempt in lost] == [False]
        row = world.row(OutboxRow)
        assert (row.state, row.tries) == ("sent", 2)

    def test_by_a_kill_of_its_process_loses_nothing(self, world: World, receiver: HttpReceiver):
        add_webhook(world, receiver.url)
        [message_id] = tell(world, "job 1")
        receiver.silent.set()
        process = subprocess.Popen(
            [sys.executable, "-m", "server", "send"],
            cwd=ROOT,
            env={
                "TRUCKROLL_DATABASE_URL": world.settings.database_url,
                "TRUCKROLL_WEBHOOK_NETWORKS": LOCAL,
                "PATH": "",
            },
            stderr=subprocess.DEVNULL,
        )
        try:
            assert receiver.got_one.wait(60)
        finally:
            process.kill()
            process.wait(10)
        receiver.silent.clear()
        assert states(world) == ["queued"]
        later = Clock(datetime.now(UTC) + LEASE)
        assert [attempt.outcome for attempt in a_courier(world, later).step()] == [ARRIVED]
        assert receiver.ids == [message_id, message_id]

    def test_again_and_again_on_one_message_gives_it_up(self, world: World, clock: Clock):
        add_webhook(world, "https://example.com/")
        tell(world, "job 1")
        for _ in range(12):
            assert len(a_courier(world, clock).claim()) == 1
            clock.at += LEASE
        failing = a_courier(world, clock, senders={"webhook": Raising()})
        assert [attempt.outcome.error for attempt in failing.step()] == ["OverflowError: too much"]
        assert states(world) == ["dead"]


class Raising:
    def send(self, message: Message, now: datetime) -> Outcome:
        raise OverflowError("too much")


class TestSending:
    """By the tables of either database alike, so on one of them."""

    @pytest.fixture
    def world(self, sqlite_url: str) -> Iterator[World]:
        with a_world(sqlite_url) as made:
            yield made

    def test_happens_outside_of_any_transaction(self, world: World, clock: Clock):
        add_webhook(world, "https://example.com/")
        tell(world, "job 1")
        booked: list[str] = []

        class Booking:
            def send(self, message: Message, now: datetime) -> Outcome:
                booked.extend(tell(world, "meanwhile"))  # on SQLite this would wait for ever
                return ARRIVED

        a_courier(world, clock, senders={"webhook": Booking()}).step()
        assert len(booked) == 1

    def test_that_would_outlast_its_lease_is_left_to_the_next_round(self, world: World, clock: Clock):
        add_webhook(world, "https://example.com/")
        tell(world, "job 1", "job 2", "job 3")

        class Slow:
            def send(self, message: Message, now: datetime) -> Outcome:
                clock.at += timedelta(seconds=70)
                return ARRIVED

        courier = a_courier(world, clock, senders={"webhook": Slow()})
        attempts = courier.step()
        assert [attempt.outcome.untried for attempt in attempts] == [False, False, True]
        assert [(row.state, row.tries) for row in messages(world)] == [
            ("sent", 1),
            ("sent", 1),
            ("queued", 0),
        ]
        assert len(courier.step()) == 1

    def test_leaves_channels_without_a_sender_waiting(self, world: World, clock: Clock):
        tell_customer(world, channel="sms")
        clock.at += timedelta(days=3)
        assert a_courier(world, clock).step() == []
        [row] = messages(world)
        assert (row.state, row.tries) == ("queued", 0)

    def test_forgets_what_was_sent_a_month_ago_and_no_dead_letter(
        self, world: World, receiver: HttpReceiver, clock: Clock
    ):
        add_webhook(world, receiver.url)
        tell(world, "job 1", "job 2")
        receiver.answers = [Reply(204), Reply(410)]
        courier = a_courier(world, clock)
        courier.step()
        assert states(world) == ["sent", "dead"]
        clock.at += timedelta(days=30)
        assert courier.forget_sent() == 0
        clock.at += timedelta(seconds=1)
        assert courier.forget_sent() == 1
        assert states(world) == ["dead"]


class TestAnAddress:
    def test_that_is_down_is_asked_once_in_a_while_and_holds_up_no_other(
        self, world: World, receiver: HttpReceiver, clock: Clock
    ):
        with http_receiver() as gone:
            down = gone.url
        add_webhook(world, down)
        add_webhook(world, receiver.url)
        tell(world, *(f"job {number}" for number in range(20)))
        courier = a_courier(world, clock)
        while courier.step():
            pass
        assert len(receiver.requests) == 20
        hook = world.row(WebhookRow, WebhookRow.url == down)
        assert hook.paused_until > clock.at
        failed = [row for row in messages(world) if row.tries and row.state == "queued"]
        assert 1 <= len(failed) <= BATCH
        assert all(row.last_error.startswith("No connection: ") for row in failed)

    def test_that_works_again_is_back_at_once(self, world: World, receiver: HttpReceiver, clock: Clock):
        add_webhook(world, receiver.url)
        tell(world, "job 1", "job 2")
        receiver.answers = [Reply(503), Reply(503)]
        courier = a_courier(world, clock)
        courier.step()
        assert world.row(WebhookRow).failures == 2
        clock.at += timedelta(seconds=10)
        courier.step()
        hook = world.row(WebhookRow)
        assert (hook.failures, hook.paused_until) == (0, None)

    def test_that_answers_gone_is_switched_off_and_its_messages_are_dead_letters(
        self, world: World, receiver: HttpReceiver, clock: Clock
    ):
        add_webhook(world, receiver.url)
        tell(world, "job 1", "job 1")
        receiver.otherwise = Reply(410)
        courier = a_courier(world, clock)
        while courier.step():
            pass
        assert [(row.state, row.last_error) for row in messages(world)] == [
            ("dead", "Answered 410"),
            ("dead", "The webhook is switched off"),
        ]
        assert world.row(WebhookRow).disabled_at == clock.at
        assert len(receiver.requests) == 1
        assert tell(world, "job 3") == []

    def test_in_our_own_network_is_never_asked(self, world: World, receiver: HttpReceiver, clock: Clock):
        from server.outbox.addresses import Boundary
        from server.outbox.senders import WebhookSender

        add_webhook(world, receiver.url.replace("http:", "https:"))
        tell(world, "job 1")
        courier = a_courier(world, clock, senders={"webhook": WebhookSender(Boundary())})
        [attempt] = courier.step()
        assert "private network" in str(attempt.outcome.error)
        assert receiver.requests == []


class TestADeadLetter:
    def test_goes_out_again_by_a_click_and_under_the_same_id(
        self, world: World, receiver: HttpReceiver, clock: Clock
    ):
        add_webhook(world, receiver.url)
        [message_id] = tell(world, "job 1")
        receiver.answers = [Reply(404)] * 3
        courier = a_courier(world, clock)
        for _ in range(3):
            courier.step()
            clock.at += timedelta(minutes=1)
        [row] = messages(world)
        with world.database.write() as session:
            listing.retry(session, row.id, by="Ada", at=clock.at)
        assert [attempt.outcome for attempt in courier.step()] == [ARRIVED]
        assert receiver.ids == [message_id] * 4
        assert world.row(OutboxRow).decided_by == "Ada"

    def test_of_a_webhook_that_is_switched_on_again_goes_out(
        self, world: World, receiver: HttpReceiver, clock: Clock
    ):
        hook = add_webhook(world, receiver.url)
        tell(world, "job 1")
        with world.database.write() as session:
            webhooks.disable(session, hook, at=clock.at)
        courier = a_courier(world, clock)
        courier.step()
        [row] = messages(world)
        assert (row.state, receiver.requests) == ("dead", [])
        with world.database.write() as session:
            webhooks.enable(session, hook)
            listing.retry(session, row.id, by="Ada", at=clock.at)
        courier.step()
        assert json.loads(receiver.requests[0].body)["subject"] == "job 1"
