"""Take what is due out of the outbox, send it, note what became of it: at least once, in order of its key.

Claiming and noting are transactions of their own; sending happens between them, in none. A courier that dies
in between leaves a lease behind; when that has run out another one sends again, under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from server.clock import entropy, utc_now
from server.customers.models import NoticeRow
from server.db.engine import Database
from server.outbox import backoff
from server.outbox.models import MessageState, OutboxRow, WebhookRow

LEASE = timedelta(minutes=2)
"""Longer than a sender may take, so that nobody else sends what is being sent."""
SEND_SECONDS_MAX = 20
"""What is claimed and would be sent later than this before its lease ends is left alone."""
BATCH = 8
SENT_KEPT = timedelta(days=30)
ERROR_LENGTH_MAX = 400

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One claimed message with all that a sender needs, read as it is now and not as it was when queued."""

    seq: int
    id: UUID
    channel: str
    topic: str
    tries: int
    queued_at: datetime
    again: bool  # a person asked for it
    leased_until: datetime
    event: dict[str, Any]
    webhook_id: UUID | None = None
    url: str = ""
    secret: str = ""
    switched_off: bool = False
    recipient: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one try. `error` None: it arrived.

    `refused`: the other side says that trying again is no use. `final`: give up now. `gone`: so is the
    address. `away`: nothing is wrong with the message, the address does not work. `untried`: none was made.
    """

    error: str | None = None
    refused: bool = False
    final: bool = False
    gone: bool = False
    away: bool = False
    untried: bool = False
    retry_after: timedelta | None = None


ARRIVED = Outcome()


class Sender(Protocol):
    """The way out of one channel. Runs outside of any transaction and raises nothing that it foresees."""

    def send(self, message: Message, now: datetime) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Attempt:
    message: Message
    outcome: Outcome


class Run(Protocol):
    """Like map: one after another, or several at a time."""

    def __call__(self, call: Callable[[_Item], _Made], items: Iterable[_Item], /) -> Iterable[_Made]: ...


class Courier:
    """One of any number that work on the same outbox. Channels without a sender are left waiting."""

    def __init__(
        self,
        database: Database,
        senders: Mapping[str, Sender],
        *,
        name: str | None = None,
        now: Callable[[], datetime] = utc_now,
        chance: Callable[[int], bytes] = entropy,
        run: Run = map,
    ) -> None:
        self._database = database
        self._senders = dict(senders)
        self._name = name or entropy(8).hex()
        self._now = now
        self._chance = chance
        self._run = run

    def step(self) -> list[Attempt]:
        """Claim a few, send them, note it. Empty: nothing is due."""
        return [self._note(attempt) for attempt in self._run(self.deliver, self.claim())]

    def claim(self) -> list[Message]:
        """The next few that are due, leased to this courier; of each key the first that is unsent."""
        now = self._now()
        due = _due(now, self._senders)
        with self._database.read() as session:  # an idle courier never takes SQLite's one writer's place
            if session.scalar(due.limit(1)) is None:
                return []
        with self._database.write() as session:
            # On PostgreSQL couriers step round each other's rows; on SQLite there is one writer at a time.
            seqs = session.scalars(due.limit(BATCH).with_for_update(of=OutboxRow, skip_locked=True)).all()
            lease = (
                update(OutboxRow)
                .where(OutboxRow.seq.in_(seqs))
                .values(leased_until=now + LEASE, leased_by=self._name, tries=OutboxRow.tries + 1)
                .returning(OutboxRow)
            )
            claimed = session.scalars(lease, execution_options={"synchronize_session": False}).all()
            return _with_their_addresses(session, sorted(claimed, key=lambda row: row.seq))

    def deliver(self, message: Message) -> Attempt:
        """Send one. Whatever a sender raises counts as a failure of this message, and ends nothing else."""
        now = self._now()
        if now + timedelta(seconds=SEND_SECONDS_MAX) > message.leased_until:
            return Attempt(message, Outcome(error="Its turn came too late", untried=True))
        if message.switched_off:
            return Attempt(message, Outcome(error="The webhook is switched off", final=True))
        try:
            return Attempt(message, self._senders[message.channel].send(message, now))
        except Exception as error:  # a sender's mistake must not stop the others' messages
            return Attempt(message, Outcome(error=f"{type(error).__name__}: {error}"))

    def mark(self, attempt: Attempt) -> bool:
        """Note what came of a try. False when the lease had run out and somebody else has it now."""
        now = self._now()
        message, outcome = attempt.message, attempt.outcome
        values = _values_after(message, outcome, now, self._pick())
        with self._database.write() as session:
            mine = (
                update(OutboxRow)
                .where(OutboxRow.seq == message.seq, OutboxRow.leased_by == self._name)
                .values(leased_until=None, leased_by=None, **values)
                .returning(OutboxRow.notice_id)
            )
            found = session.execute(mine, execution_options={"synchronize_session": False}).one_or_none()
            if found is None:
                return False
            if found.notice_id and values["state"] != MessageState.QUEUED:
                told = "sent" if outcome.error is None else "unsent"
                session.execute(update(NoticeRow).where(NoticeRow.id == found.notice_id).values(state=told))
            if message.webhook_id and not message.switched_off:
                _note_address(session, message.webhook_id, outcome, now)
        return True

    def forget_sent(self) -> int:
        """Drop what was sent or dropped a month ago. Dead letters stay until somebody decides."""
        old = OutboxRow.done_at < self._now() - SENT_KEPT
        done = OutboxRow.state.in_([MessageState.SENT, MessageState.DROPPED])
        with self._database.write() as session:
            return len(session.scalars(delete(OutboxRow).where(done, old).returning(OutboxRow.seq)).all())

    def _note(self, attempt: Attempt) -> Attempt:
        self.mark(attempt)
        return attempt

    def _pick(self) -> float:
        return int.from_bytes(self._chance(4), "big") / 2**32


def _due(now: datetime, channels: Collection[str]) -> Any:
    """The numbers of what may be sent now, oldest due first."""
    earlier = aliased(OutboxRow)
    paused = exists().where(WebhookRow.id == OutboxRow.webhook_id, WebhookRow.paused_until > now)
    waits_for_another = exists().where(
        earlier.key == OutboxRow.key, earlier.state == MessageState.QUEUED, earlier.seq < OutboxRow.seq
    )
    return (
        select(OutboxRow.seq)
        .where(
            OutboxRow.state == MessageState.QUEUED,
            OutboxRow.not_before <= now,
            or_(OutboxRow.leased_until.is_(None), OutboxRow.leased_until <= now),
            OutboxRow.channel.in_(sorted(channels)),
            ~waits_for_another,
            ~paused,
        )
        .order_by(OutboxRow.not_before, OutboxRow.seq)
    )


def _with_their_addresses(session: Session, rows: Collection[OutboxRow]) -> list[Message]:
    webhooks = _by_id(session, WebhookRow, {row.webhook_id for row in rows if row.webhook_id})
    notices = _by_id(session, NoticeRow, {row.notice_id for row in rows if row.notice_id})
    messages = []
    for row in rows:
        to: dict[str, Any] = {}
        if webhook := webhooks.get(row.webhook_id):
            off = webhook.disabled_at is not None
            to = {"url": webhook.url, "secret": webhook.secret, "switched_off": off}
        elif notice := notices.get(row.notice_id):
            to = {"recipient": notice.recipient, "body": notice.body}
        assert row.leased_until is not None
        messages.append(
            Message(
                seq=row.seq,
                id=row.id,
                channel=row.channel,
                topic=row.topic,
                tries=row.tries,
                queued_at=row.queued_at,
                again=row.decided_by is not None,
                leased_until=row.leased_until,
                event=row.payload,
                webhook_id=row.webhook_id,
                **to,
            )
        )
    return messages


def _by_id(session: Session, entity: Any, ids: Collection[UUID]) -> dict[UUID | None, Any]:
    if not ids:
        return {}
    return {row.id: row for row in session.scalars(select(entity).where(entity.id.in_(sorted(ids))))}


def _values_after(message: Message, outcome: Outcome, now: datetime, chance: float) -> dict[str, Any]:
    if outcome.error is None:
        return {"state": MessageState.SENT, "done_at": now, "last_error": None}
    if outcome.untried:
        return {"state": MessageState.QUEUED, "tries": message.tries - 1}
    error = outcome.error[:ERROR_LENGTH_MAX]
    if outcome.final or outcome.gone or backoff.is_last(message.tries, refused=outcome.refused):
        return {"state": MessageState.DEAD, "done_at": now, "last_error": error}
    again = now + backoff.wait(message.tries, chance, outcome.retry_after)
    return {"state": MessageState.QUEUED, "not_before": again, "last_error": error}


def _note_address(session: Session, webhook_id: UUID, outcome: Outcome, now: datetime) -> None:
    """A success clears the address's record; one that is away is left alone for a while, gone is gone."""
    here = update(WebhookRow).where(WebhookRow.id == webhook_id)
    if outcome.gone:
        off = here.where(WebhookRow.disabled_at.is_(None)).values(disabled_at=now, paused_until=None)
        session.execute(off)
    elif outcome.away:
        failures = session.scalar(
            here.values(failures=WebhookRow.failures + 1).returning(WebhookRow.failures)
        )
        session.execute(here.values(paused_until=now + backoff.pause(failures or 1)))
    elif not outcome.untried:
        failing = or_(WebhookRow.failures > 0, WebhookRow.paused_until.is_not(None))
        session.execute(here.where(failing).values(failures=0, paused_until=None))


__all__ = ["ARRIVED", "Attempt", "Courier", "Message", "Outcome", "Sender"]
