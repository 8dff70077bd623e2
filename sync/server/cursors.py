"""The text form of a cursor, and the seal by which one is known that was given out here.

A cursor is `HISTORY.POSITION`, and while a snapshot is under way `HISTORY.POSITION~KIND/KEY`: where the feed
goes on once the snapshot is complete, and the last row that was brought of it. A device gets it as
`CURSOR!SEAL`. The seal is no secret of one device: it keeps anybody from inventing a place of the future, by
which the server would take its database for a backup and have every device start over.
"""

from __future__ import annotations

import base64
import hmac

from sync.server.ports import Key

SEAL_BYTES = 8


def parts(cursor: str | None) -> tuple[str, str | None, Key | None]:
    """(history, position, last row of a snapshot under way)."""
    place, _, row = (cursor or "").partition("~")
    history, dot, position = place.partition(".")
    if not row:
        return history, position if dot else None, None
    kind, _, key = row.partition("/")
    return history, position, (kind, key)


def sealed(cursor: str, key: str) -> str:
    """`cursor` as a device gets it. `key` is this database's own."""
    made = hmac.digest(key.encode(), cursor.encode(), "sha256")[:SEAL_BYTES]
    return f"{cursor}!{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


def unsealed(text: str | None) -> str | None:
    """The cursor in what a device sent, whoever may have sealed it; None where nobody has."""
    return (text or "").rpartition("!")[0] or None


def is_genuine(text: str | None, key: str) -> bool:
    """Whether what a device sent was sealed with `key`."""
    cursor = unsealed(text)
    return cursor is not None and hmac.compare_digest((text or "").encode(), sealed(cursor, key).encode())
