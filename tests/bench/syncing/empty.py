"""A contact at which nobody has anything to say: SQL statements in the server, bytes of the answer."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from bench.syncing import crew
from bench.syncing.figure import figure
from bench.syncing.site import Site
from sqlalchemy import event
from world import Phone, World, settle

from server.field.exchange import exchange
from sync.protocol import PROTOCOL, SyncRequest, decode_response, encode

TRANSACTION_WORDS = ("BEGIN", "COMMIT", "ROLLBACK", "SET TRANSACTION", "SHOW")


def figures(site: Site) -> Iterator[dict[str, Any]]:
    site.say("an empty round trip")
    with site.world() as world:
        phone = crew.hire(world, ["Quiet Test"], onts=3)[0]
        crew.give_installations(world, [phone], 5)
        settle(world.database)
        statements = _statements(world, phone)
        with site.server(world) as server:
            head, body = _bytes(server.url, phone)
    for statement in statements:
        site.say(f"  {' '.join(statement.split())[:150]}")
    yield figure(
        f"{site.engine}: SQL statements of an empty round trip, BEGIN and COMMIT not counted",
        len(statements), "statements", floor="<= 2", aim="<= 2",
    )  # fmt: skip
    yield figure(
        f"{site.engine}: bytes of an empty answer, {head} of headers and {body} of body",
        head + body, "bytes", floor="< 400", aim="< 400",
    )  # fmt: skip


def _request(cursor: str | None) -> bytes:
    return encode(
        SyncRequest(
            protocol=PROTOCOL,
            app_version="bench",
            device_now=datetime.now(UTC),
            queue_length=0,
            cursor=cursor,
        )
    )


def _statements(world: World, phone: Phone) -> list[str]:
    """What the second contact of two says to the database."""
    now, heard = world.now, []

    def contact(cursor: str | None, at: datetime) -> Any:
        return exchange(world.database, world.settings, phone.token, _request(cursor), at).response

    cursor = None
    for _ in range(3):  # the first brings all rows, and the heartbeat is written
        cursor = contact(cursor, now).cursor

    @event.listens_for(world.database.engine, "before_cursor_execute")
    def listen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.upper().startswith(TRANSACTION_WORDS):
            heard.append(statement)

    answer = contact(cursor, now + timedelta(seconds=1))
    event.remove(world.database.engine, "before_cursor_execute", listen)
    assert not (answer.rows or answer.gone or answer.receipts), answer
    return heard


def _bytes(url: str, phone: Phone) -> tuple[int, int]:
    """Of the whole HTTP answer as it comes out of the socket."""
    cursor = None
    for _ in range(3):
        head, body = _post(url, phone, _request(cursor))
        cursor = decode_response(body).cursor
    response = decode_response(body)
    assert not (response.rows or response.gone), response
    return len(head), len(body)


def _post(url: str, phone: Phone, body: bytes) -> tuple[bytes, bytes]:
    parts = urlsplit(url)
    lines = [
        "POST /sync HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Authorization: {phone.headers['authorization']}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "",
        "",
    ]
    with socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536)
        head, _, rest = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        while len(rest) < length:
            rest += connection.recv(65536)
    json.loads(rest)
    return head + b"\r\n\r\n", rest
