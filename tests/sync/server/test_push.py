"""Push by itself, on a server of dictionaries: order, clocks, retries, and a queue that nothing blocks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from situations import NOON, a_situation

from shared.clocks import Contact
from shared.commands import AddNote, CloseWorkOrder, FieldCommand
from shared.decide import Decision
from shared.problems import Problem
from shared.situation import Situation
from sync.protocol import PushedCommand, Receipt, encode
from sync.server.ports import Asked, Clash, TryAgain
from sync.server.push import TRIES, push

JOB = a_situation().order.id
NOW = Contact(device_now=NOON, server_now=NOON)


def pushed(seq: int, command: FieldCommand | None = None, made_at: datetime = NOON) -> PushedCommand:
    said = command or AddNote(work_order_id=JOB, text=f"note {seq}")
    return PushedCommand(
        id=UUID(int=seq), seq=seq, type=said.type, schema=1, made_at=made_at, base_version=0,
        body=msgspec.Raw(encode(said)),
    )  # fmt: skip


class Units:
    """Keeps receipts and one situation; `fails` maps a command's seq to what its first tries raise."""

    quarantine: Problem | None = None

    def __init__(self, fails: dict[int, list[Exception]] | None = None) -> None:
        self.receipts: dict[UUID, Receipt] = {}
        self.now = a_situation()
        self.happened: list[datetime] = []
        self.opened: list[int] = []
        """How many commands each transaction was opened for."""
        self._fails = fails or {}

    @contextmanager
    def __call__(self, batch: Sequence[Asked]) -> Iterator[Units]:
        """A transaction: what was kept in it is gone when it fails."""
        self.opened.append(len(batch))
        before = dict(self.receipts), self.now, list(self.happened)
        try:
            yield self
        except Exception:
            self.receipts, self.now, self.happened = before
            raise

    def receipt_of(self, asked: Asked) -> Receipt | None:
        return self.receipts.get(asked.pushed.id)

    def situation(self, asked: Asked) -> tuple[FieldCommand, Situation]:
        if asked.command is None:
            assert asked.problem is not None
            raise asked.problem
        return asked.command, self.now

    def accept(self, asked: Asked, command: FieldCommand, before: Situation, decision: Decision) -> Receipt:
        if waiting := self._fails.get(asked.pushed.seq):
            raise waiting.pop(0)
        self.now = decision.after
        self.happened.append(asked.happened_at)
        return self._keep(asked.pushed, outcome="accepted", remarks=decision.remarks + asked.remarks)

    def hold(self, asked: Asked, problem: Problem) -> Receipt:
        return self._keep(asked.pushed, outcome="held", slug=problem.slug, detail=problem.detail)

    def _keep(self, pushed: PushedCommand, **values: Any) -> Receipt:
        receipt = Receipt(command_id=pushed.id, decided_at=NOON, **values)
        self.receipts[pushed.id] = receipt
        return receipt


def answers(units: Units, *commands: PushedCommand) -> list[tuple[int, str, str | None]]:
    receipts = push(commands, units, NOW)
    return [(receipt.command_id.int, receipt.outcome, receipt.slug) for receipt in receipts]


class TestPush:
    def test_answers_in_the_devices_order(self):
        units = Units()
        assert answers(units, pushed(3), pushed(1), pushed(2)) == [
            (1, "accepted", None),
            (2, "accepted", None),
            (3, "accepted", None),
        ]
        assert [note.text for note in units.now.order.notes] == ["note 1", "note 2", "note 3"]

    def test_opens_one_transaction_for_all(self):
        units = Units()
        answers(units, pushed(1), pushed(2), pushed(3))
        assert units.opened == [3]

    def test_of_nothing_opens_none(self):
        units = Units()
        assert (answers(units), units.opened) == ([], [])

    def test_answers_each_by_itself_when_one_spoils_the_batch(self):
        units = Units({2: [ZeroDivisionError("ours"), ZeroDivisionError("ours")]})
        assert answers(units, pushed(1), pushed(2), pushed(3)) == [
            (1, "accepted", None),
            (2, "held", "server-fault"),
            (3, "accepted", None),
        ]
        assert units.opened == [3, 1, 1, 1, 1], "together, then one by one; the bad one is held in its own"
        assert [note.text for note in units.now.order.notes] == ["note 1", "note 3"]

    def test_answers_what_came_before_by_its_receipt(self):
        units = Units()
        assert answers(units, pushed(1)) == answers(units, pushed(1))
        assert len(units.now.order.notes) == 1

    def test_holds_what_the_rules_forbid_and_goes_on(self):
        assert answers(Units(), pushed(1, CloseWorkOrder(work_order_id=JOB)), pushed(2)) == [
            (1, "held", "missing-equipment"),
            (2, "accepted", None),
        ]

    @pytest.mark.parametrize(
        ("change", "slug"),
        [
            ({"type": "teleport"}, "unknown-command"),
            ({"schema": 2}, "newer-schema"),
            ({"body": msgspec.Raw(b"{}")}, "malformed"),
        ],
    )
    def test_holds_what_it_cannot_read_and_goes_on(self, change: dict[str, Any], slug: str):
        assert answers(Units(), replace(pushed(1), **change), pushed(2)) == [
            (1, "held", slug),
            (2, "accepted", None),
        ]

    def test_tries_again_when_two_transactions_met(self):
        units = Units({1: [TryAgain(), TryAgain()]})
        assert answers(units, pushed(1)) == [(1, "accepted", None)]
        assert units.opened == [1, 1, 1]

    def test_holds_as_our_own_fault_what_never_goes_through(self, caplog: pytest.LogCaptureFixture):
        units = Units({1: [Clash() for _ in range(2 * TRIES)]})
        assert answers(units, pushed(1), pushed(2)) == [(1, "held", "server-fault"), (2, "accepted", None)]
        assert units.receipts[UUID(int=1)].detail == (
            "Our server could not book this. It is kept; dispatch has been told"
        )

    def test_holds_a_bug_of_ours_at_once_and_logs_it(self, caplog: pytest.LogCaptureFixture):
        units = Units({1: [ZeroDivisionError("ours"), ZeroDivisionError("ours")]})
        with caplog.at_level(logging.ERROR):
            assert answers(units, pushed(1), pushed(2)) == [
                (1, "held", "server-fault"),
                (2, "accepted", None),
            ]
        assert "could not digest 00000000-0000-0000-0000-000000000001" in caplog.text

    def test_lets_the_device_try_again_when_the_database_stays_overrun(self):
        units = Units({2: [TryAgain() for _ in range(TRIES)]})
        with pytest.raises(TryAgain):
            push([pushed(1), pushed(2)], units, NOW)
        assert units.receipts == {}, "all of them are still on the phone"

    def test_lets_the_device_keep_everything_when_the_database_is_gone(self):
        class Gone(Units):
            @contextmanager
            def __call__(self, batch: Sequence[Asked]) -> Iterator[Units]:
                raise TryAgain
                yield self

        with pytest.raises(TryAgain):
            push([pushed(1)], Gone(), NOW)


class TestWhenItHappened:
    """How a time is corrected, tests/shared/test_clocks.py says; here, that it is."""

    @pytest.mark.parametrize(
        ("clock", "slugs"),
        [(timedelta(0), []), (timedelta(minutes=4), []), (timedelta(days=1), ["clock-skew"])],
    )
    def test_is_by_the_servers_clock_and_a_wrong_one_is_remarked(self, clock: timedelta, slugs: list[str]):
        units, made = Units(), NOON - timedelta(hours=1)
        contact = Contact(device_now=NOON - clock, server_now=NOON)
        [receipt] = push([pushed(1, made_at=made - clock)], units, contact)
        assert units.happened == [made]
        assert [remark.slug for remark in receipt.remarks] == slugs

    def test_goes_by_the_clock_that_nobody_can_set_where_the_phone_has_one(self):
        units = Units()
        tapped = replace(pushed(1, made_at=NOON - timedelta(days=9)), made_mono_ms=1_000, boot="b")
        contact = Contact(device_now=NOON, server_now=NOON, mono_ms=3_601_000, boot="b")
        [receipt] = push([tapped], units, contact)
        assert units.happened == [NOON - timedelta(hours=1)]
        assert [remark.slug for remark in receipt.remarks] == ["clock-skew", "clock-changed"]

    def test_is_never_in_the_future(self):
        units = Units()
        push([pushed(1, made_at=NOON + timedelta(minutes=1))], units, NOW)
        assert units.happened == [NOON]

    @pytest.mark.parametrize("made_at", [datetime.min, datetime.max, datetime.min.replace(tzinfo=UTC)])
    def test_a_time_that_no_calendar_holds_blocks_nothing(self, made_at: datetime):
        units = Units()
        contact = Contact(device_now=NOON - timedelta(days=2), server_now=NOON)
        receipts = push([pushed(1, made_at=made_at)], units, contact)
        assert receipts[0].outcome == "accepted"
        assert units.happened[0] <= NOON
