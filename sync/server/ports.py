"""What push and pull need of a server: implemented in server/field, and by the simulator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.commands import FieldCommand, VisitCommand
from shared.decide import Decision, StockDecision
from shared.network_faults import Cabinet, NetworkCommand, NetworkDecision
from shared.problems import Problem
from shared.remarks import Remark
from shared.situation import Situation
from shared.stock_commands import StockCommand
from shared.van import Van
from sync.protocol import Image, PushedCommand, Receipt


class TryAgain(Exception):
    """Two transactions stood in each other's way; nothing was written, and a second try may go through."""


class Clash(TryAgain):
    """A row that was written meanwhile forbids ours. Where it keeps doing so, our rules have a gap."""


Key = tuple[str, str]
"""(kind, key) of a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One pushed command as it was read: either the `command`, or the `problem` why it can't be read.

    `happened_at`: when, by the server's clock; `remarks`: what had to be corrected for that.
    """

    pushed: PushedCommand
    command: FieldCommand | None
    problem: Problem | None
    happened_at: datetime
    remarks: tuple[Remark, ...] = ()


class Unit(Protocol):
    """The transaction of a batch: all that its commands cause is written, or nothing.

    Each command sees what those before it in the batch left behind.
    """

    @property
    def quarantine(self) -> Problem | None:
        """Why nothing new of this device may be decided, as far as one sees once it is locked."""
        ...

    def receipt_of(self, asked: Asked) -> Receipt | None:
        """The receipt given earlier. Raises IdReused when that id came with another body."""
        ...

    def situation(self, asked: Asked) -> tuple[VisitCommand, Situation]:
        """The command with its codes resolved, and what the rules may look at, locked. Raises Problem.

        For whatever is about neither a van's stock nor the network, what can't be read among it.
        """
        ...

    def van(self, asked: Asked, command: StockCommand) -> Van:
        """The same for a command about a van's stock."""
        ...

    def cabinet(self, asked: Asked, command: NetworkCommand) -> Cabinet:
        """The same for a command about the network."""
        ...

    def accept(
        self, asked: Asked, command: VisitCommand, before: Situation, decision: Decision
    ) -> Receipt: ...

    def accept_stock(self, asked: Asked, before: Van, decision: StockDecision) -> Receipt: ...

    def accept_network(self, asked: Asked, decision: NetworkDecision) -> Receipt: ...

    def hold(self, asked: Asked, problem: Problem) -> Receipt: ...


class Units(Protocol):
    """Opens a transaction for a batch; commits on a clean exit, rolls back on any exception."""

    def __call__(self, batch: Sequence[Asked]) -> AbstractContextManager[Unit]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of the feed: `key` changed, and a reader that has taken it in stands at `position`."""

    position: str
    key: Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The first look at a device's place in the feed.

    `history` names this database's past, the day, the van and the length of a required PIN: a cursor of
    another one starts over. `changes` is None where the device's position can't be used any more; `more`: the
    feed goes on behind them. `wanting`: some evidence that was named has not arrived.
    """

    history: str
    changes: Sequence[Change] | None
    more: bool
    wanting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rows as they are now, and keys that this device may not (or no longer) see."""

    images: Mapping[Key, Image]
    gone: Sequence[Key]


class Source(Protocol):
    """One consistent snapshot of what one device may see."""

    def look(self, position: str | None) -> Look:
        """What changed after `position`, which may be of another history or no position at all."""
        ...

    def head(self) -> str:
        """Where to go on after a snapshot."""
        ...

    def everything(self) -> Mapping[Key, Image]: ...

    def images(self, keys: Iterable[Key]) -> Found:
        """Those of `keys` that are in scope, with the rows that must come or go along with them."""
        ...

    def missing_evidence(self) -> Sequence[str]:
        """Digests of evidence that was named and whose bytes have not come."""
        ...
