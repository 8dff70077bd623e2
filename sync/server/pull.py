"""Cursor → rows as they are now, ids that left the scope, next cursor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sync.protocol import Gone, Row, row_of
from sync.server.ports import Key, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    cursor: str
    rows: tuple[Row, ...] = ()
    gone: tuple[Gone, ...] = ()
    reset: bool = False
    more: bool = False
    missing_evidence: tuple[str, ...] = ()


def pull(source: Source, cursor: str | None, touched: Iterable[Key] = ()) -> Page:
    """What changed for this device since `cursor`, with the rows that its own push `touched`.

    Own rows come with the receipts even where the feed must still hold them back, so that what a person
    just did never flickers. Rows are read now, so a hundred changes of one row cost one image. A cursor of
    another history, another day, or none, starts over with a snapshot.
    """
    position = _position(cursor, source.history)
    if position is not None:
        try:
            changes = source.changes(position)
        except ValueError:
            position = None
    if position is None:
        start = source.head()
        rows = tuple(row_of(kind, image) for (kind, _), image in source.everything().items())
        return Page(
            cursor=f"{source.history}.{start}",
            rows=rows,
            reset=True,
            missing_evidence=tuple(source.missing_evidence()),
        )
    wanted = dict.fromkeys([*changes.keys, *touched])
    images = source.images(wanted)
    return Page(
        cursor=f"{source.history}.{changes.position}",
        rows=tuple(row_of(kind, image) for (kind, _), image in images.items()),
        gone=tuple(Gone(kind=kind, key=key) for kind, key in wanted if (kind, key) not in images),
        more=changes.more,
        missing_evidence=tuple(source.missing_evidence()),
    )


def _position(cursor: str | None, history: str) -> str | None:
    if cursor is None or not cursor.startswith(f"{history}."):
        return None
    return cursor.removeprefix(f"{history}.")
