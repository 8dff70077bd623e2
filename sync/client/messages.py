"""What the engine hears, and what it wants done. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from sync.protocol import SyncResponse


@dataclass(frozen=True, slots=True)
class Wake:
    """Somebody tapped, time has passed, or the network is back."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Nothing is to be said: let the server hold its answer back until there is news."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Hush:
    """Nobody looks at the screen any more: stop waiting for news."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole answer of our server."""

    response: SyncResponse
    turn: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """It is in the database.

    `more`: the server has more rows; `moved`: the cursor is a new one. Of `pushed` commands, `answered` got
    their receipt; `unsent` still wait. `uploads` are the digests to send now.
    """

    more: bool
    moved: bool
    pushed: int = 0
    answered: int = 0
    unsent: int = 0
    uploads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotStored:
    """The device could not write it: nothing changed."""

    detail: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Nothing came back."""

    detail: str
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Garbled:
    """Something came back that our server did not say. `wait_seconds`: what it asked for, if it did."""

    status: int
    detail: str
    wait_seconds: float = 0.0
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Our server refused the request as a whole; `slug` is the problem's, `wait_seconds` its Retry-After."""

    status: int
    detail: str
    slug: str = ""
    wait_seconds: float = 0.0
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Advanced:
    """A part of a file was dealt with. `moved`: more of it is there now; `fresh`: new commands wait here."""

    digest: str
    moved: bool
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Offered:
    """The bytes were taken, as far as the answer tells."""

    digest: str


@dataclass(frozen=True, slots=True)
class BadBytes:
    """Our server says that these bytes are damaged or no picture."""

    digest: str
    detail: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """What was to be uploaded waits for another network."""


Answered = Heard | Lost | Garbled | Refused
Message = Wake | Listen | Hush | Answered | Stored | NotStored | Advanced | Offered | BadBytes | Withheld


@dataclass(frozen=True, slots=True)
class Talk:
    """Send up to `limit` unsent commands, and ask for what is new. Answered by Heard or a failure.

    `wait_seconds`: the server may hold its answer back so long.
    """

    limit: int
    turn: int
    wait_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Store:
    """Answered by Stored or NotStored."""

    response: SyncResponse


@dataclass(frozen=True, slots=True)
class Upload:
    """One request that brings a file nearer. Answered by Advanced, Offered, BadBytes or a failure."""

    digest: str


@dataclass(frozen=True, slots=True)
class MarkOffered:
    digest: str


@dataclass(frozen=True, slots=True)
class CountRefusal:
    digest: str
    detail: str


@dataclass(frozen=True, slots=True)
class KeepRefusal:
    """Remember that a person must register this device again."""

    detail: str


@dataclass(frozen=True, slots=True)
class Wipe:
    """The office ordered this device to erase itself."""

    detail: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Wake again after this long; the caller adds some jitter. Not before `at_least`: the server asked."""

    seconds: float
    at_least: float = 0.0


Effect = Talk | Store | Upload | MarkOffered | CountRefusal | KeepRefusal | Wipe | Retry
