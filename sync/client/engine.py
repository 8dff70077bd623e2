"""When to talk, store, upload, wait: one pure function. No socket, no sleep, no clock.

Wake ─▶ Talk ─▶ Heard ─▶ Store ─▶ Stored ─┬─▶ Talk   (more rows, or more to send)
                                           ├─▶ Upload ─▶ Advanced ─▶ Upload, or Talk when somebody tapped
                                           │          ├▶ Offered ─▶ … ─▶ Talk (the answer confirms them)
                                           │          ├▶ Withheld for another network ─▶ Talk, or rest
                                           │          └▶ Lost after some progress ─▶ Upload, once at once
                                           └─▶ rest
Listen ─▶ Talk with nothing to say, which the server holds back until there is news; a Wake abandons it
Lost, Garbled, Refused, NotStored ─▶ Retry later, or wait for a person to register again
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from sync.client.messages import (
    Advanced,
    Answered,
    BadBytes,
    CountRefusal,
    Effect,
    Garbled,
    Heard,
    Hush,
    KeepRefusal,
    Listen,
    Lost,
    MarkOffered,
    Message,
    NotStored,
    Offered,
    Refused,
    Retry,
    Store,
    Stored,
    Talk,
    Upload,
    Wake,
    Wipe,
    Withheld,
)
from sync.protocol import COMMANDS_PER_PUSH_MAX

RETRY_SECONDS_MAX = 300.0
STUMBLED = (413, 422, 500)
"""Answers that speak of what was pushed; less of it may pass. Others only say that the server is busy."""
STALLS_MAX = 3
"""So many answers about an upload may bring no progress: where is it, open it, go on from here."""


class Doing(StrEnum):
    """What the engine waits for."""

    NOTHING = "nothing"
    TALKING = "talking"
    WAITING = "waiting"  # talking too, but with nothing to say: it may be abandoned
    STORING = "storing"
    UPLOADING = "uploading"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`online`: whether the server itself answered last time; None before the first try.

    `batch`: commands in the next push. It halves when the server stumbles over one, down to none, so that
    one entry that the server cannot take never keeps fresh rows from coming down.
    `again`: something was queued meanwhile. `offered`: uploads since the last wake. `turn` counts requests:
    an answer to an earlier one says nothing any more. `stalls`: answers without progress of an upload.
    `gained`: an upload came further since a request was lost; the network is there then, only bad.
    """

    doing: Doing = Doing.NOTHING
    online: bool | None = None
    trouble: str | None = None
    failures: int = 0
    batch: int = COMMANDS_PER_PUSH_MAX
    again: bool = False
    uploads: tuple[str, ...] = ()
    offered: frozenset[str] = frozenset()
    turn: int = 0
    stalls: int = 0
    gained: bool = False


Step = tuple[State, tuple[Effect, ...]]


def step(state: State, message: Message) -> Step:
    """What follows `message`. One that does not belong to what the engine waits for changes nothing."""
    if isinstance(message, Answered) and message.turn not in (None, state.turn):
        return state, ()  # the answer to a request that was abandoned
    match state.doing, message:
        case Doing.NOTHING | Doing.WAITING, Wake():
            return _talk(replace(state, offered=frozenset()))
        case _, Wake():
            return replace(state, again=True), ()
        case Doing.NOTHING, Listen(seconds):
            waiting = replace(state, doing=Doing.WAITING, turn=state.turn + 1, offered=frozenset())
            return waiting, (Talk(0, waiting.turn, seconds),)
        case Doing.WAITING, Hush():
            return replace(state, doing=Doing.NOTHING, turn=state.turn + 1), ()
        case Doing.TALKING | Doing.WAITING, Heard(response):
            return replace(state, doing=Doing.STORING), (Store(response),)
        case Doing.STORING, Stored():
            return _stored(state, message)
        case Doing.STORING | Doing.UPLOADING, NotStored(detail):
            return _fail(replace(state, online=True), detail)
        case Doing.UPLOADING, Advanced():
            return _advanced(state, message)
        case Doing.UPLOADING, Offered(digest):
            better = replace(state, offered=state.offered | {digest}, failures=0, gained=True)
            after, effects = _next_upload(better)
            return after, (MarkOffered(digest), *effects)
        case Doing.UPLOADING, BadBytes(digest, detail):
            after, effects = _next_upload(replace(state, offered=state.offered | {digest}))
            return replace(after, trouble=detail), (CountRefusal(digest, detail), *effects)
        case Doing.UPLOADING, Withheld():
            if state.again or state.offered:  # what was taken before is confirmed by an answer only
                return _talk(state)
            return replace(state, doing=Doing.NOTHING, uploads=(), stalls=0), ()
        case Doing.UPLOADING, Lost() if state.gained:
            again = replace(state, gained=False, stalls=0)
            return _talk(again) if state.again else (again, (Upload(state.uploads[0]),))
        case Doing.TALKING | Doing.WAITING | Doing.UPLOADING, Lost(detail):
            return _fail(replace(state, online=False), detail)
        case Doing.TALKING | Doing.WAITING | Doing.UPLOADING, Garbled(status, detail, seconds):
            return _fail(replace(_smaller(state, status), online=False), detail, seconds)
        case Doing.TALKING | Doing.WAITING | Doing.UPLOADING, Refused():
            return _refused(state, message)
    return state, ()


def retry_seconds(failures: int) -> float:
    """2, 4, 8 … seconds after the first, second, third failure in a row; at most five minutes."""
    return min(2.0 ** min(failures, 16), RETRY_SECONDS_MAX)


def _talk(state: State) -> Step:
    turn = state.turn + 1
    talking = replace(state, doing=Doing.TALKING, turn=turn, again=False, uploads=(), stalls=0, gained=False)
    return talking, (Talk(state.batch, turn),)


def _refused(state: State, message: Refused) -> Step:
    rest = replace(state, doing=Doing.NOTHING, online=True, trouble=message.detail, again=False, uploads=())
    if message.slug == "wipe-device":
        return rest, (Wipe(message.detail),)
    if message.status in (401, 403):
        return rest, (KeepRefusal(message.detail),)
    if message.slug == "app-too-old":  # it takes what is pushed; only rows need a newer app
        return _fail(replace(state, online=True), message.detail)
    return _fail(replace(_smaller(state, message.status), online=True), message.detail, message.wait_seconds)


def _advanced(state: State, message: Advanced) -> Step:
    if message.fresh or state.again:
        return _talk(state)  # commands before photos, also in the midst of one
    stalls = 0 if message.moved else state.stalls + 1
    if stalls > STALLS_MAX:
        return _fail(replace(state, online=True), "The server answered without getting any further.")
    if message.moved:
        state = replace(state, failures=0, gained=True)
    return replace(state, stalls=stalls), (Upload(message.digest),)


def _smaller(state: State, status: int) -> State:
    """Push less after the server stumbled over what was pushed."""
    stumbled = state.doing is Doing.TALKING and status in STUMBLED
    return replace(state, batch=state.batch // 2) if stumbled else state


def _fail(state: State, detail: str, at_least: float = 0.0) -> Step:
    failures = state.failures + 1
    rest = replace(
        state, doing=Doing.NOTHING, trouble=detail, failures=failures, again=False, uploads=(), stalls=0
    )
    return rest, (Retry(max(retry_seconds(failures), at_least), at_least),)


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
    if state.again and not first:
        return _talk(state)
    if rest:
        return replace(state, uploads=rest, stalls=0), (Upload(rest[0]),)
    return _talk(state)
