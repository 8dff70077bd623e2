"""When to talk, store, upload, wait: one pure function. No socket, no sleep, no clock.

Wake ─▶ Talk ─▶ Heard ─▶ Store ─▶ Stored ─┬─▶ Talk   (more rows, or more to send)
                                           ├─▶ Upload ─▶ Offered ─▶ … ─▶ Talk (the answer confirms them)
                                           └─▶ rest
Lost, Garbled, Refused, NotStored ─▶ Retry later, or wait for a person to register again
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sync.protocol import COMMANDS_PER_PUSH_MAX, SyncResponse

RETRY_SECONDS_MAX = 300.0


class Doing(StrEnum):
    """What the engine waits for."""

    NOTHING = "nothing"
    TALKING = "talking"
    STORING = "storing"
    UPLOADING = "uploading"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`online`: whether the server itself answered last time; None before the first try.

    `batch`: commands in the next push. It halves when the server stumbles over one, down to none, so that
    one entry that the server cannot take never keeps fresh rows from coming down.
    `again`: something was queued meanwhile. `offered`: uploads since the last wake.
    """

    doing: Doing = Doing.NOTHING
    online: bool | None = None
    trouble: str | None = None
    failures: int = 0
    batch: int = COMMANDS_PER_PUSH_MAX
    again: bool = False
    uploads: tuple[str, ...] = ()
    offered: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wake:
    """Somebody tapped, time has passed, or the network is back."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole answer of our server."""

    response: SyncResponse


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


@dataclass(frozen=True, slots=True)
class Garbled:
    """Something came back that our server did not say."""

    status: int
    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Our server refused the request as a whole."""

    status: int
    detail: str


@dataclass(frozen=True, slots=True)
class Offered:
    """The bytes were taken, as far as the answer tells."""

    digest: str


@dataclass(frozen=True, slots=True)
class BadBytes:
    """Our server says that these bytes are damaged or no picture."""

    digest: str
    detail: str


Message = Wake | Heard | Stored | NotStored | Lost | Garbled | Refused | Offered | BadBytes


@dataclass(frozen=True, slots=True)
class Talk:
    """Send up to `limit` unsent commands, and ask for what is new. Answered by Heard or a failure."""

    limit: int


@dataclass(frozen=True, slots=True)
class Store:
    """Answered by Stored or NotStored."""

    response: SyncResponse


@dataclass(frozen=True, slots=True)
class Upload:
    """Answered by Offered, BadBytes or a failure."""

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
class Retry:
    """Wake again after this long; the caller adds some jitter."""

    seconds: float


Effect = Talk | Store | Upload | MarkOffered | CountRefusal | KeepRefusal | Retry
Step = tuple[State, tuple[Effect, ...]]


def step(state: State, message: Message) -> Step:
    """What follows `message`. One that does not belong to what the engine waits for changes nothing."""
    match state.doing, message:
        case Doing.NOTHING, Wake():
            return _talk(replace(state, offered=frozenset()))
        case _, Wake():
            return replace(state, again=True), ()
        case Doing.TALKING, Heard(response):
            return replace(state, doing=Doing.STORING), (Store(response),)
        case Doing.STORING, Stored():
            return _stored(state, message)
        case Doing.STORING | Doing.UPLOADING, NotStored(detail):
            return _fail(replace(state, online=True), detail)
        case Doing.UPLOADING, Offered(digest):
            after, effects = _next_upload(replace(state, offered=state.offered | {digest}))
            return after, (MarkOffered(digest), *effects)
        case Doing.UPLOADING, BadBytes(digest, detail):
            after, effects = _next_upload(replace(state, offered=state.offered | {digest}))
            return replace(after, trouble=detail), (CountRefusal(digest, detail), *effects)
        case Doing.TALKING | Doing.UPLOADING, Lost(detail):
            return _fail(replace(state, online=False), detail)
        case Doing.TALKING | Doing.UPLOADING, Garbled(status, detail):
            return _fail(replace(_smaller(state, status), online=False), detail)
        case Doing.TALKING | Doing.UPLOADING, Refused(status, detail) if status in (401, 403):
            rest = replace(state, doing=Doing.NOTHING, online=True, trouble=detail, again=False, uploads=())
            return rest, (KeepRefusal(detail),)
        case Doing.TALKING | Doing.UPLOADING, Refused(status, detail):
            return _fail(replace(_smaller(state, status), online=True), detail)
    return state, ()


def retry_seconds(failures: int) -> float:
    """2, 4, 8 … seconds after the first, second, third failure in a row; at most five minutes."""
    return min(2.0 ** min(failures, 16), RETRY_SECONDS_MAX)


def _talk(state: State) -> Step:
    return replace(state, doing=Doing.TALKING, again=False, uploads=()), (Talk(state.batch),)


def _smaller(state: State, status: int) -> State:
    """Push less after the server stumbled over what was pushed (413, 422, 500), not when it was only busy."""
    stumbled = state.doing is Doing.TALKING and status in (413, 422, 500)
    return replace(state, batch=state.batch // 2) if stumbled else state


def _fail(state: State, detail: str) -> Step:
    failures = state.failures + 1
    rest = replace(state, doing=Doing.NOTHING, trouble=detail, failures=failures, again=False, uploads=())
    return rest, (Retry(retry_seconds(failures)),)


def _stored(state: State, message: Stored) -> Step:
    if (message.pushed and not message.answered) or (message.more and not message.moved):
        # Asking again at once would go round in a circle.
        return _fail(replace(state, online=True), "The server answered without getting any further.")
    if message.more:
        return _talk(replace(state, online=True))
    if message.unsent and not state.batch:
        # Rows came down without the queue. Now its first entry alone, but not at once.
        failures = max(state.failures, 1)
        rest = replace(state, doing=Doing.NOTHING, online=True, batch=1, failures=failures, again=False)
        return rest, (Retry(retry_seconds(failures)),)
    well = replace(
        state,
        online=True,
        trouble=None,
        failures=0,
        batch=min(COMMANDS_PER_PUSH_MAX, max(1, state.batch * 2)),
    )
    if message.unsent or state.again:
        return _talk(well)
    if fresh := tuple(digest for digest in message.uploads if digest not in state.offered):
        return _next_upload(replace(well, doing=Doing.UPLOADING, uploads=fresh), first=True)
    if message.uploads:
        return _fail(well, "The server still asks for photos that were sent.")
    return replace(well, doing=Doing.NOTHING), ()


def _next_upload(state: State, *, first: bool = False) -> Step:
    """The next file; after the last one talk again, since only a sync answer confirms that they arrived."""
    rest = state.uploads if first else state.uploads[1:]
    if rest:
        return replace(state, uploads=rest), (Upload(rest[0]),)
    return _talk(state)
