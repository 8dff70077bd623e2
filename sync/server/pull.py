"""Cursor → rows as they are now, ids that left the scope, next cursor. What a cursor says: cursors.py."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from sync.protocol import Gone, Image, Row, encode
from sync.server.cursors import parts
from sync.server.ports import Key, Look, Source

PAGE_BYTES = 4 * 1024 * 1024
PAGE_BYTES_MIN = 4 * 1024
"""A page of rows, unpacked, where the device doesn't say; and the least that it can ask for."""

KIND_ORDER = (
    "profile",
    "work_order",
    "stock_line",
    "asset",
    "transfer",
    "ruling",
    "part_request",
    "product",
    "tariff",
    "place_brief",
    "part_supply",
)
"""What a technician needs first comes first, for over a thin line a snapshot takes a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    cursor: str
    rows: tuple[Row, ...] = ()
    gone: tuple[Gone, ...] = ()
    reset: bool = False
    more: bool = False
    missing_evidence: tuple[str, ...] = ()


def pull(source: Source, cursor: str | None, touched: Iterable[Key] = (), page_bytes: int = 0) -> Page:
    """What changed for this device since `cursor`, with the rows that its own push `touched`.

    Own rows come with the receipts even where the feed must still hold them back, so that what a person
    just did never flickers. Rows are read now, so a hundred changes of one row cost one image. A cursor of
    another history, another day, or none, starts over with a snapshot.
    """
    budget = max(PAGE_BYTES_MIN, page_bytes) if page_bytes else PAGE_BYTES
    history, position, brought = parts(cursor)
    look = source.look(position)
    if look.changes is None or history != look.history:
        return _snapshot(source, look, source.head(), None, budget)
    if brought is not None:
        assert position is not None, "a snapshot under way has its position"
        return _snapshot(source, look, position, brought, budget, touched)
    return _increment(source, look, position or "", touched, budget)


def _snapshot(
    source: Source,
    look: Look,
    position: str,
    brought: Key | None,
    budget: int,
    touched: Iterable[Key] = (),
) -> Page:
    """The next rows of all there are. What changes behind our back comes again after `position`."""
    images = source.everything()
    rows = [_row(key, images[key]) for key in sorted(images, key=_order)]
    rest = [row for row in rows if brought is None or _order((row.kind, row.key)) > _order(brought)]
    page: list[Row] = []
    for row in rest:
        budget -= len(bytes(row.body))
        if page and budget < 0:
            break
        page.append(row)
    more = len(page) < len(rest)
    own = set(touched) - {(row.kind, row.key) for row in page}
    echoes = [_row(key, images[key]) for key in own if key in images]
    last = f"~{page[-1].kind}/{page[-1].key}" if more else ""
    return Page(
        cursor=f"{look.history}.{position}{last}",
        rows=(*page, *echoes),
        reset=brought is None,
        more=more,
        missing_evidence=tuple(source.missing_evidence()) if look.wanting else (),
    )


def _row(key: Key, image: Image) -> Row:
    return Row(kind=key[0], key=key[1], body=msgspec.Raw(encode(image)))


def _order(key: Key) -> tuple[int, str]:
    kind, name = key
    return (KIND_ORDER.index(kind) if kind in KIND_ORDER else len(KIND_ORDER), name)


def _increment(source: Source, look: Look, position: str, touched: Iterable[Key], budget: int) -> Page:
    assert look.changes is not None
    own = dict.fromkeys(touched)
    wanted = dict.fromkeys([*(change.key for change in look.changes), *own])
    found = source.images(wanted) if wanted else None
    images = found.images if found else {}
    bodies = {key: _row(key, image) for key, image in images.items()}
    sent: dict[Key, Row] = {key: row for key, row in bodies.items() if key in own or key not in wanted}
    more = look.more
    for number, change in enumerate(look.changes):
        row = bodies.get(change.key)
        if row is not None and change.key not in sent:
            budget -= len(bytes(row.body))
            if number and budget < 0:
                more = True
                break
            sent[change.key] = row
        position = change.position
    return Page(
        cursor=f"{look.history}.{position}",
        rows=tuple(sent.values()),
        gone=tuple(Gone(kind=kind, key=key) for kind, key in (found.gone if found else ())),
        more=more,
        missing_evidence=tuple(source.missing_evidence()) if look.wanting else (),
    )
