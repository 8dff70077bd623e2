"""Bugs that others have shipped, planted on purpose: the simulator must find each of them.

A mutation replaces one function of the product while a run lasts; nothing of it is ever written to a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from simulation.schedule import Schedule
from sqlalchemy import true

import server.books as server_books
import sync.client.rows as client_rows
import sync.server.push as server_push
from server.access import callers
from server.access.callers import Caller, Standing
from server.db.feed_models import CommandRow
from server.field import exchange, images
from server.stock import ledger
from server.work_orders import repository, split
from shared import stock_rules
from sync.client.contact import Contact
from sync.client.holder import Holder
from sync.client.messages import Garbled, Offered, Refused
from sync.client.outbox import Outbox
from sync.client.rows import Rows
from sync.client.uploads import Uploader

HOURS = 10.0
"""A working day from seven to five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """`make` gives the function with the bug. The run of `seed` finds it: it breaks `invariant`.

    `needs`: the faults without which nobody would notice; a hunt has these, and a short day.
    """

    says: str
    where: Any
    name: str
    make: Callable[[Any], Any]
    needs: dict[str, float] = field(default_factory=dict)
    seed: int = 1
    invariant: str
    hours: float = HOURS
    dispatchers: int = 1

    def day(self, seed: int) -> Schedule:
        """The run in which it is hunted; without the bug it must pass."""
        return Schedule(
            seed=seed, crew=2, hours=self.hours, orders=3, dispatchers=self.dispatchers, rates=self.needs
        )


@contextmanager
def planted(name: str) -> Iterator[None]:
    mutation = MUTATIONS[name]
    before = mutation.where.__dict__[mutation.name]
    setattr(mutation.where, mutation.name, mutation.make(before))
    try:
        yield
    finally:
        setattr(mutation.where, mutation.name, before)


def _skip_receipt(answer: Any) -> Any:
    """A retry is taken for something new."""
    from server.clock import mint

    def bad(asked: Any, unit: Any, quarantine: Any = None) -> Any:
        known = unit.receipt_of(asked)
        if known is not None and known.outcome == "accepted":
            pushed = replace(asked.pushed, id=mint(), seq=asked.pushed.seq + 1_000_000)
            answer(replace(asked, pushed=pushed), unit)
        return known or answer(asked, unit, quarantine)

    return bad


def _receipt_not_written(write: Any) -> Any:
    """The effects are committed, the receipt was to follow."""

    def bad(self: Any) -> None:
        self._rows.pop(CommandRow, None)
        write(self)

    return bad


def _answer_before_commit(push: Any) -> Any:
    """One answer in ten leaves before its transaction, which then fails."""
    count = [0]

    def bad(commands: Any, units: Any, *rest: Any, **options: Any) -> Any:
        count[0] += 1
        if count[0] % 10 or not commands:
            return push(commands, units, *rest, **options)
        receipts: list[Any] = []
        try:
            with _failing(units) as failing:
                receipts = push(commands, failing, *rest, **options)
        except _Undone as undone:
            receipts = undone.receipts
        return receipts

    return bad


class _Undone(Exception):
    def __init__(self, receipts: list[Any]) -> None:
        super().__init__("not committed")
        self.receipts = receipts


@contextmanager
def _failing(units: Any) -> Iterator[Any]:
    """Units whose first transaction is rolled back after it was answered."""
    answered: list[Any] = []

    @contextmanager
    def one(batch: Any) -> Iterator[Any]:
        with units(batch) as unit:
            unit_receipts = answered

            class Noting:
                def __getattr__(self, name: str) -> Any:
                    found = getattr(unit, name)
                    if name not in ("accept", "hold", "receipt_of"):
                        return found

                    def noting(*given: Any) -> Any:
                        receipt = found(*given)
                        if receipt is not None:
                            unit_receipts.append(receipt)
                        return receipt

                    return noting

            yield Noting()
            raise _Roll
        raise AssertionError("not reached")

    class Once:
        touched = units.touched

        def __call__(self, batch: Any) -> Any:
            return one(batch)

    try:
        yield Once()
    except _Roll:
        raise _Undone(answered) from None


class _Roll(BaseException):
    """Ends a transaction without committing it."""


def _cursor_too_far(pull: Any) -> Any:
    """The cursor names what comes next as if it had been sent."""

    def bad(source: Any, cursor: Any, touched: Any = (), page_bytes: int = 0) -> Any:
        page = pull(source, cursor, touched, page_bytes)
        if page.more or page.reset:
            return page
        head, dot, seq = page.cursor.rpartition(".")
        return replace(page, cursor=f"{head}{dot}{int(seq) + 2}") if seq.isdigit() else page

    return bad


def _cursor_past_the_page(pull: Any) -> Any:
    """The page is cut to its size, and the cursor names where it would have ended."""

    def bad(source: Any, cursor: Any, touched: Any = (), page_bytes: int = 0) -> Any:
        page = pull(source, cursor, touched, page_bytes)
        return page if page.reset or len(page.rows) < 4 else replace(page, rows=page.rows[:-2])

    return bad


def _rows_lost(take_in: Any) -> Any:
    """The last row of a page that is not a snapshot is left behind."""

    def bad(self: Any, response: Any, *, moved: bool) -> None:
        if not response.reset and len(response.rows) > 2:
            response = replace(response, rows=response.rows[:-1])
        take_in(self, response, moved=moved)

    return bad


def _tombstone_lost(take_in: Any) -> Any:
    return lambda self, response, *, moved: take_in(self, replace(response, gone=()), moved=moved)


def _reset_clears_outbox(take_in: Any) -> Any:
    def bad(self: Any, response: Any, *, moved: bool) -> None:
        if response.reset:
            self._disk.execute("DELETE FROM command")
        take_in(self, response, moved=moved)

    return bad


def _drop_on_4xx(sync: Any) -> Any:
    """A refusal is final: what was sent is thrown away."""

    async def bad(self: Any, token: str, entries: Any, **options: Any) -> Any:
        answer = await sync(self, token, entries, **options)
        if isinstance(answer, Refused) and 400 <= answer.status < 500:
            with self._store._disk.transaction():
                for entry in entries:
                    self._store._disk.execute("DELETE FROM command WHERE id = ?", (str(entry.id),))
        return answer

    return bad


def _ack_on_any_200(sync: Any) -> Any:
    """Somebody said 200, so it must have arrived."""

    async def bad(self: Any, token: str, entries: Any, **options: Any) -> Any:
        answer = await sync(self, token, entries, **options)
        if isinstance(answer, Garbled) and answer.status == 200:
            with self._store._disk.transaction():
                for entry in entries:
                    self._store._disk.execute(
                        "UPDATE command SET outcome = 'accepted', decided_at = made_at WHERE id = ?",
                        (str(entry.id),),
                    )
        return answer

    return bad


def _receipt_by_order(_settle: Any) -> Any:
    """The next receipt belongs to the next command that waits."""

    def bad(self: Any, receipt: Any) -> Any:
        self._disk.execute(
            "UPDATE command SET outcome = ?, decided_at = ?, echo_due = 1, confirm = 0 WHERE seq ="
            " (SELECT min(seq) FROM command WHERE outcome IS NULL)",
            (receipt.outcome, receipt.decided_at.isoformat()),
        )
        return str(receipt.outcome)

    return bad


def _feed_outside(append_all: Any) -> Any:
    """Feed rows are written after the transaction, and now and then somebody dies in between."""
    count = [0]

    def bad(session: Any, entries: Any) -> None:
        count[0] += 1
        if count[0] % 8:
            append_all(session, entries)

    return bad


def _last_write_wins(to_json: Any) -> Any:
    """There is one note, and who writes last has it."""

    def bad(value: Any) -> Any:
        if getattr(value, "notes", ()):
            value = replace(value, notes=value.notes[-1:])
        return to_json(value)

    return bad


def _booked_again(write: Any) -> Any:
    """The effects come before the look for a receipt; a retry's go under a cause of their own."""
    from server.clock import mint

    def bad(session: Any, bookings: Any) -> None:
        write(session, bookings)
        write(session, [replace(booking, cause=mint()) for booking in bookings if booking.work_order_id])

    return bad


def _believed_photo(step: Any) -> Any:
    """Any 2xx is proof that a photo arrived, whoever said it, and then the phone needs the space."""

    async def bad(self: Any, digest: str, ask: Any) -> Any:
        said: list[int] = []

        async def listening(*asked: Any) -> Any:
            answer = await ask(*asked)
            said.append(answer.status)
            return answer

        message = await step(self, digest, listening)
        if said and 200 <= said[-1] < 300 and isinstance(message, Garbled):
            with self._shelf._disk.transaction():
                self._shelf._disk.execute("DELETE FROM evidence WHERE digest = ?", (digest,))
            return Offered(digest)
        return message

    return bad


def _sent_as_another(register: Any) -> Any:
    """What waits goes with whoever is signed in."""

    def bad(self: Any, registration: Any) -> None:
        register(self, registration)
        with self._disk.transaction():
            name = str(registration.technician_id)
            self._disk.execute("UPDATE command SET technician_id = ? WHERE outcome IS NULL", (name,))

    return bad


def _wiped_unheard(admitted: Any) -> Any:
    """Who is to be erased is told so at once, whatever it brings."""

    @contextmanager
    def bad(database: Any, token: Any, now: Any) -> Iterator[Any]:
        with admitted(database, token, now) as (session, caller):
            if caller.standing is Standing.WIPING:
                raise caller.refusal
            yield session, caller

    return bad


def _half_erased(wipe: Any) -> Any:
    """Erased means signed out, and an empty list on the screen."""

    def bad(self: Any, detail: str) -> None:
        with self._disk.transaction():
            token = self._disk.setting("token")
            for table in ("command", "setting"):
                self._disk.execute(f"DELETE FROM {table}")
            self._disk.set("refusal", detail)
            self._disk.set("wiped_token", token)

    return bad


def _nothing(_function: Any) -> Any:
    return lambda *given, **named: None


def _uncorrected(correct: Any) -> Any:
    def bad(tap: Any, contact: Any, *, latest: Any = None) -> Any:
        return replace(correct(tap, contact, latest=latest), at=min(tap.made_at, latest or tap.made_at))

    return bad


def _booked_by_each_half(transfer: Any) -> Any:
    """Whoever tells of it books it, whether the other has told or not."""

    def bad(command: Any, now: Any, at: Any, *, by_giver: bool) -> Any:
        return transfer(command, replace(now, transfers={}), at, by_giver=by_giver)

    return bad


def _counted_to_the_ledger(difference: Any) -> Any:
    """What was counted is what there is: the ledger is brought to it, whatever else is under way."""

    def bad(line: Any, now: Any) -> Any:
        return difference(replace(line, listed=(now.on_hand or {}).get(line.sku, line.listed)), now)

    return bad


def _under_a_new_name(asked_values: Any) -> Any:
    """The order that a technician asked for gets an id of the server's."""
    from server.clock import mint

    return lambda *given: {**asked_values(*given), "id": mint()}


MUTATIONS: dict[str, Mutation] = {
    "skip-receipt": Mutation(
        says="a retry is decided again",
        where=server_push,
        name="answer",
        make=_skip_receipt,
        needs={"answer_lost": 0.3},
        hours=4.0,
        seed=1,
        invariant="ONE_EFFECT",
    ),
    "receipt-not-written": Mutation(
        says="effects are committed without their receipt",
        where=server_books.Books,
        name="write",
        make=_receipt_not_written,
        seed=1,
        invariant="NO_FALSE_ACK",
    ),
    "answer-before-commit": Mutation(
        says="the answer leaves before the commit",
        where=exchange,
        name="push",
        make=_answer_before_commit,
        seed=1,
        invariant="NO_FALSE_ACK",
    ),
    "cursor-too-far": Mutation(
        says="the cursor skips what commits next",
        where=exchange,
        name="pull",
        make=_cursor_too_far,
        seed=1,
        invariant="EPOCH",
    ),
    "cursor-past-the-page": Mutation(
        says="the cursor counts rows that were cut off",
        where=exchange,
        name="pull",
        make=_cursor_past_the_page,
        invariant="CONVERGED",
    ),
    "rows-lost": Mutation(
        says="a page is stored without its end",
        where=Rows,
        name="take_in",
        make=_rows_lost,
        seed=2,
        invariant="CONVERGED",
    ),
    "tombstone-lost": Mutation(
        says="what left the scope stays",
        where=Rows,
        name="take_in",
        make=_tombstone_lost,
        seed=1,
        invariant="NO_GHOST",
    ),
    "reset-clears-outbox": Mutation(
        says="a snapshot begins with an empty file",
        where=Rows,
        name="take_in",
        make=_reset_clears_outbox,
        needs={"restored": 1.0},
        seed=1,
        invariant="DURABLE_TAP",
    ),
    "forget-referred": Mutation(
        says="rows that unsent work speaks of are forgotten",
        where=client_rows,
        name="_REFERRED",
        make=lambda _sql: "0",
        needs={"request_damaged": 0.85, "hurried": 0.3},
        dispatchers=3,
        invariant="READ_YOUR_WRITES",
    ),
    "drop-on-4xx": Mutation(
        says="a refused request throws its commands away",
        where=Contact,
        name="sync",
        make=_drop_on_4xx,
        needs={"too_many": 0.2, "request_damaged": 0.1},
        hours=4.0,
        invariant="DURABLE_TAP",
    ),
    "ack-on-any-200": Mutation(
        says="a captive portal acknowledges",
        where=Contact,
        name="sync",
        make=_ack_on_any_200,
        needs={"captive_portal": 0.2},
        invariant="NO_FALSE_ACK",
    ),
    "receipt-by-order": Mutation(
        says="receipts are matched by order, not by id",
        where=Outbox,
        name="settle",
        make=_receipt_by_order,
        needs={"restored": 1.0, "offline": 0.7},
        invariant="EVERY_INTENT_DECIDED",
    ),
    "restore-noticed-late": Mutation(
        says="the work of the first phone hides that a backup was put back",
        where=exchange,
        name="_epoch_with_a_gap",
        make=_nothing,
        needs={"restored": 1.0, "rolled_back": 1.0, "offline": 0.7},
        seed=3,
        invariant="EPOCH",
    ),
    "epoch-ignored": Mutation(
        says="after a restore nothing is offered again",
        where=Outbox,
        name="doubt_all",
        make=_nothing,
        needs={"restored": 1.0},
        seed=1,
        invariant="READ_YOUR_WRITES",
    ),
    "feed-outside-transaction": Mutation(
        says="feed rows are lost between two transactions",
        where=server_books.feed,
        name="append_all",
        make=_feed_outside,
        invariant="TOLD",
    ),
    "last-write-wins": Mutation(
        says="the last note takes the place of those before",
        where=repository,
        name="to_json",
        make=_last_write_wins,
        seed=1,
        invariant="READ_YOUR_WRITES",
    ),
    "booked-again": Mutation(
        says="stock moves are booked before the look for a receipt",
        where=ledger,
        name="write",
        make=_booked_again,
        seed=1,
        invariant="SERIAL_ONE_PLACE",
    ),
    "stock-not-released": Mutation(
        says="promised stock stays promised when the job is over",
        where=server_books.Books,
        name="release",
        make=_nothing,
        invariant="STOCK_RELEASED",
    ),
    "believed-photo": Mutation(
        says="any 2xx counts as an arrived photo",
        where=Uploader,
        name="step",
        make=_believed_photo,
        needs={"captive_portal": 0.2},
        invariant="DURABLE_TAP",
    ),
    "sent-as-another": Mutation(
        says="what waits on a phone goes under the name of whoever has it now",
        where=Holder,
        name="register",
        make=_sent_as_another,
        needs={"handed_over": 1.0, "offline": 0.7},
        invariant="OWN_NAME",
    ),
    "wiped-unheard": Mutation(
        says="a device that is to be erased is turned away with its queue",
        where=callers,
        name="admitted",
        make=_wiped_unheard,
        needs={"wiped": 1.0, "offline": 0.7},
        invariant="NO_INTENT_LOST",
    ),
    "half-erased": Mutation(
        says="an erased device keeps its rows and pictures",
        where=Holder,
        name="wipe",
        make=_half_erased,
        needs={"wiped": 1.0},
        invariant="WIPED",
    ),
    "no-scope": Mutation(
        says="every technician sees every job",
        where=images,
        name="_ORDERS",
        make=lambda _mine: repository.finding(true()),
        seed=1,
        invariant="SCOPE",
    ),
    "revoked-reads": Mutation(
        says="a revoked device goes on reading",
        where=Caller,
        name="refusal",
        make=lambda _refusal: property(lambda self: None),
        needs={"revoked": 1.0},
        seed=2,
        invariant="REVOKED_READS_NOTHING",
    ),
    "booked-by-each-half": Mutation(
        says="both halves of a transfer book it",
        where=stock_rules,
        name="_transfer",
        make=_booked_by_each_half,
        needs={"van_work": 0.3},
        hours=4.0,
        invariant="ONE_EFFECT",
    ),
    "counted-to-the-ledger": Mutation(
        says="a count takes back what is used on open jobs",
        where=stock_rules,
        name="_difference",
        make=_counted_to_the_ledger,
        needs={"van_work": 0.3},
        invariant="ONE_EFFECT",
    ),
    "asked-under-another-name": Mutation(
        says="the visit that was asked for is another order than the one that the phone names",
        where=split,
        name="asked_values",
        make=_under_a_new_name,
        needs={"more_work": 0.3},
        hours=4.0,
        invariant="ONE_EFFECT",
    ),
    "clock-believed": Mutation(
        says="the phone's clock is taken as it is",
        where=server_push,
        name="correct",
        make=_uncorrected,
        needs={"clock_skewed": 1.0},
        seed=1,
        invariant="CLOCK_BOUNDED",
    ),
}
