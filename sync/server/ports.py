"""What push and pull need of a server: implemented in server/field, and by the simulator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.commands import FieldCommand
from shared.decide import Decision
from shared.problems import Problem
from shared.remarks import Remark
from shared.situation import Situation
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

    def receipt_of(self, asked: Asked) -> Receipt | None:
        """The receipt given earlier. Raises IdReused when that id came with another body."""
        ...

    def situation(self, asked: Asked) -> tuple[FieldCommand, Situation]:
        """The command with its codes resolved, and what the rules may look at, locked. Raises Problem."""
        ...

    def accept(
        self, asked: Asked, command: FieldCommand, before: Situation, decision: Decision
    ) -> Receipt: ...

    def hold(self, asked: Asked, problem: Problem) -> Receipt: ...


class Units(Protocol):
    """Opens a transaction for a batch; commits on a clean exit, rolls back on any exception."""

    def __call__(self, batch: Sequence[Asked]) -> AbstractContextManager[Unit]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Keys that changed after a cursor, and where the reader stands now."""

    keys: Sequence[Key]
    position: str
    more: bool


class Source(Protocol):
    """One consistent snapshot of what one device may see."""

    history: str
    """Names this database's history and the day: a cursor of another one starts over."""

    def head(self) -> str: ...

    def changes(self, after: str) -> Changes:
        """Raises ValueError when `after` cannot be read."""
        ...

    def everything(self) -> Mapping[Key, Image]: ...

    def images(self, keys: Iterable[Key]) -> Mapping[Key, Image]:
        """Those of `keys` that are in scope, and rows that must come along with them."""
        ...

    def missing_evidence(self) -> Sequence[str]:
        """Digests of evidence that was named and whose bytes have not come."""
        ...
