"""Write an accepted decision about a van's stock: devices, moves, money and the feed, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.billing import journal
from server.billing.journal import Account, Posting
from server.billing.models import JournalLineRow
from server.books import Books, name_id
from server.db import feed
from server.purchasing import orders as purchasing
from server.stock import ledger, part_requests
from shared import stock_events as ev
from shared.decide import StockDecision
from shared.money import Money
from shared.stock import StockMove
from shared.van import COUNT_PLACE, Van


@dataclass(frozen=True, slots=True, kw_only=True)
class StockDeed:
    """One accepted command about a van on its way into the ledgers."""

    books: Books
    command_id: UUID
    actor: str
    before: Van
    after: Van
    decided_at: datetime

    def name(self, what: str) -> UUID:
        """The id of something that this command causes."""
        return name_id(self.command_id, self.decided_at, what)


def book_stock(deed: StockDeed, decision: StockDecision) -> list[tuple[str, str]]:
    """Write down all that `decision` causes, and return the (kind, key) of the rows that a phone may show."""
    deed.books.keep_assets(deed.before.assets, deed.after.assets, deed.command_id)
    for event in decision.events:
        for follow in STOCK_CONSEQUENCES[type(event)]:
            follow(deed, event)
    return _tell(deed, decision)


def book_moves(deed: StockDeed, event: ev.VanCounted | ev.TransferBooked | ev.PartsPickedUp) -> None:
    deed.books.move(ledger.Booking(moves=event.moves, cause=deed.command_id, at=event.at))


def post_difference(deed: StockDeed, event: ev.VanCounted) -> None:
    """Parts that are gone cost us what we paid for them; found ones are worth as much."""
    counted = [move for move in event.moves if COUNT_PLACE in (move.source_id, move.target_id)]
    products = deed.books.product_rows({move.sku for move in counted})
    values = [
        Money(products[move.sku].cost_minor, products[move.sku].currency).times(
            move.quantity if move.source_id == COUNT_PLACE else -move.quantity
        )
        for move in counted
    ]
    if not values:
        return
    gain = sum(values[1:], values[0])
    postings = [Posting(Account.STOCK, gain), Posting(Account.STOCK_DIFFERENCES, -gain)]
    for row in journal.lines(deed.name("stock difference"), postings, at=event.at):
        deed.books.add(JournalLineRow, **row)


def buy_again(deed: StockDeed, event: ev.VanCounted) -> None:
    gone = frozenset(move.sku for move in event.moves if move.target_id == COUNT_PLACE)
    deed.books.drain(purchasing.Drain(cause=None, skus=gone, moves=event.moves, name=deed.name))


def keep_transfer(deed: StockDeed, event: ev.TransferBooked | ev.TransferSigned) -> None:
    deed.books.keep_transfer(deed.after.transfers[event.transfer.id], deed.command_id)


def keep_request(deed: StockDeed, event: ev.RequestEvent) -> None:
    deed.books.keep_part_request(deed.after.requests[ev.request_of(event)])


STOCK_CONSEQUENCES: dict[type[ev.StockEvent], Sequence[Callable[[StockDeed, Any], None]]] = {
    ev.VanCounted: (book_moves, post_difference, buy_again),
    ev.TransferBooked: (keep_transfer, book_moves),
    ev.TransferSigned: (keep_transfer,),
    ev.PartsPickedUp: (book_moves,),
    ev.PartAskedFor: (keep_request,),
    ev.PartRequestAnswered: (keep_request,),
    ev.PartRequestWithdrawn: (keep_request,),
    ev.PartRequestSupplied: (keep_request,),
}
"""One row an event; a test holds it against the union."""


def _tell(deed: StockDeed, decision: StockDecision) -> list[tuple[str, str]]:
    """Whoever drives a van that something came to or left, and both sides of a transfer, each row once."""
    moved = [event for event in decision.events if isinstance(event, ev.StockMoved)]
    moves: list[StockMove] = [move for event in moved for move in event.moves]
    places = {place for move in moves for place in (move.source_id, move.target_id)}
    asked = [ev.request_of(event) for event in decision.events if isinstance(event, ev.RequestEvent)]
    requests = [deed.after.requests[id] for id in dict.fromkeys(asked)]
    places |= {request.holder_id for request in requests}
    drivers = {deed.before.actor_id, *filter(None, map(deed.books.driver_of, sorted(places)))}
    handed = [
        event.transfer
        for event in decision.events
        if isinstance(event, ev.TransferBooked | ev.TransferSigned)
    ]
    drivers |= {who for transfer in handed for who in (transfer.offer.giver_id, transfer.taker_id)}
    drivers |= {request.asker_id for request in requests}
    changed = [("transfer", str(transfer.id)) for transfer in handed]
    changed += [(part_requests.KIND, str(request.id)) for request in requests]
    changed += [("asset", serial) for serial in sorted({move.serial for move in moves if move.serial})]
    changed += [("stock_line", sku) for sku in sorted({move.sku for move in moves})]
    topic = type(decision.events[-1]).__name__
    for kind, key in changed:
        scopes = [feed.technician_scope(driver) for driver in sorted(drivers)]
        if kind == part_requests.KIND:
            scopes.append(feed.BOARD)
        deed.books.tell(scopes, kind, key, topic, actor=deed.actor, facts={})
    return changed
