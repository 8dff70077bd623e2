"""What a dispatcher does about a question that booked work raised: once, by name, on record in the feed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server import office
from server.books import Books
from server.clock import mint, utc_now
from server.db import feed
from server.db.engine import Database
from server.db.feed_models import CommandRow
from server.inbox.acts import REASON_LENGTH_MAX, one_line, writing
from server.inbox.asks import QUESTION, other_order
from server.inbox.models import FollowUpRow
from server.inbox.proposals import Proposal
from server.inbox.reading import command_of
from server.settings import Settings
from server.work_orders import repository
from shared.commands import CancelWorkOrder, ChargeInFull, CorrectContact, EditContact, OfficeCommand
from shared.conflicts import conflict_of
from shared.problems import AlreadyClosed, BadValue, NotFound
from shared.work_orders import ContactField, WorkOrder

TOPIC = "FollowUpDone"
IN_WORDS: dict[str | None, str] = {
    Proposal.TAKE_VALUE: "took the technician's value",
    Proposal.CANCEL_OTHER: "cancelled the other order",
    Proposal.CHARGE_IN_FULL: "charged it in full",
    Proposal.COUNT_STOCK: "had the stock counted",
    Proposal.BOOK_IN: "had the device booked in",
    Proposal.DISMISS: "left it as it is",
    "edited": "wrote the contact on the job",
}
"""What somebody did, to go after their name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """`ids`: the remarks that asked this. `did`: the office's command that was booked for it, by kind."""

    ids: tuple[UUID, ...]
    outcome: str
    note: str
    by: str
    at: datetime
    did: str | None


def settle(
    database: Database,
    settings: Settings,
    ask_id: UUID,
    by: str,
    outcome: Proposal,
    *,
    note: str = "",
    base: str | None = None,
) -> Settled:
    """Do what the table of conflicts offers and close the question, in one transaction.

    `base`: the contact's value that the dispatcher saw; with another one by now nothing is taken. Raises
    NotFound, BadValue, AlreadyClosed when somebody was quicker, or what the rules forbid.
    """
    said = one_line(note)
    if len(said) > REASON_LENGTH_MAX:
        raise BadValue(f"A note holds {REASON_LENGTH_MAX} letters", field="note")
    with writing(database) as session:
        ask = _ask(session, ask_id)
        row = conflict_of(ask.slug, held=False)
        if row is None or outcome not in row.proposals:
            raise BadValue("That is not offered for this", field="outcome")
        books = Books(session, settings, utc_now())
        # The order first, then the question: as every command that may answer it does.
        books.open_orders(_concerned(session, ask, outcome))
        ids = _claim(session, ask, by, outcome, said, books.now)
        command = _command(session, books, ask, outcome, base)
        if command is not None:
            office.decide_all(books, [(mint(), command)], by)
        books.write()
        facts = {
            "outcome": outcome.value,
            "note": said,
            "slug": ask.slug,
            "detail": ask.detail,
            "work_order_id": str(ask.work_order_id) if ask.work_order_id else None,
            "command_id": str(ask.command_id),
        }
        feed.append(session, [feed.BOARD], "follow_up", ask.id, TOPIC, at=books.now, actor=by, facts=facts)
        return Settled(
            ids=ids,
            outcome=outcome.value,
            note=said,
            by=by,
            at=books.now,
            did=command.type if command else None,
        )


def _ask(session: Session, ask_id: UUID) -> FollowUpRow:
    found = session.get(FollowUpRow, ask_id, populate_existing=True)
    if found is None:
        raise NotFound("Nothing is asked under that number", subject=str(ask_id))
    return found


def _order(session: Session, ask: FollowUpRow) -> WorkOrder:
    found = repository.load(session, [ask.work_order_id]) if ask.work_order_id else []
    if not found:
        raise NotFound("There is no such job", subject=str(ask.work_order_id))
    return found[0]


def _concerned(session: Session, ask: FollowUpRow, outcome: Proposal) -> list[UUID]:
    """The order that the choice changes."""
    if outcome is Proposal.CANCEL_OTHER:
        other = other_order(ask.detail, _order(session, ask))
        if other is None:
            raise NotFound("The other order is not known", subject=str(ask.id))
        return [other]
    changes = ask.slug == "contact-changed-twice" or outcome is Proposal.CHARGE_IN_FULL
    return [ask.work_order_id] if ask.work_order_id and changes else []


def _claim(
    session: Session, ask: FollowUpRow, by: str, outcome: Proposal, note: str, at: datetime
) -> tuple[UUID, ...]:
    """All that ask the same. The condition in the statement lets one of two dispatchers win."""
    row = FollowUpRow
    alike = [column == getattr(ask, column.key) for column in QUESTION]
    taken = session.scalars(
        update(row)
        .where(*alike, row.done_at.is_(None))
        .values(done_at=at, done_by=by, outcome=outcome.value, note=note)
        .returning(row.id)
        .execution_options(synchronize_session=False)
    ).all()
    if ask.id not in taken:
        session.refresh(ask)
        did = IN_WORDS.get(ask.outcome, "settled it")
        raise AlreadyClosed(
            f"{ask.done_by} has settled this already: {ask.done_by} {did}", subject=str(ask.id)
        )
    return tuple(sorted(taken))


def _command(
    session: Session, books: Books, ask: FollowUpRow, outcome: Proposal, base: str | None
) -> OfficeCommand | None:
    """What the office has to book for it; None where the work is done outside of this program."""
    if outcome is Proposal.CANCEL_OTHER:
        [other] = _concerned(session, ask, outcome)
        return CancelWorkOrder(work_order_id=other, reason=f"Done with {_order(session, ask).number} already")
    if outcome is Proposal.CHARGE_IN_FULL:
        assert ask.work_order_id is not None, "a bill is a job's"
        return ChargeInFull(work_order_id=ask.work_order_id)
    if ask.slug != "contact-changed-twice":
        return None
    row = session.scalars(select(CommandRow).where(CommandRow.id == ask.command_id)).one()
    suggested = command_of(row)
    assert isinstance(suggested, CorrectContact), "nothing else is remarked on so"
    assert ask.work_order_id is not None, "a contact is a job's"
    order, field = books.order(ask.work_order_id), suggested.field
    stands = order.contact_value(field)
    if outcome is Proposal.TAKE_VALUE:
        return EditContact(work_order_id=order.id, field=field, value=suggested.value, base=base)
    # To write what stands settles the suggestion on the job; an empty name or number can't be written.
    kept = bool(stands) or field is ContactField.ACCESS_NOTES
    return EditContact(work_order_id=order.id, field=field, value=stands) if kept else None
