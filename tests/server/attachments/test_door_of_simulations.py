"""What simulations use in place of the routes answers as the routes do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tus_door import upload_request
from uploads import TUS, a_picture, digest, metadata
from world import World

from server.attachments.models import AttachmentSenderRow
from server.work_orders.models import AttachmentRow

PICTURE = a_picture(size_bytes=3_000)
PLACE = f"/api/uploads/{digest(PICTURE)}"
WHOLE = f"/api/attachments/{digest(PICTURE)}"
MADE = {**TUS, "Upload-Length": "3000", "Upload-Metadata": metadata(digest(PICTURE))}
TOLD = ("tus-resumable", "upload-offset", "upload-length", "location", "content-type")


def adding(offset: int) -> dict[str, str]:
    return {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}


SCRIPT: list[tuple[str, str, dict[str, str], bytes]] = [
    ("HEAD", PLACE, TUS, b""),
    ("HEAD", PLACE, {}, b""),
    ("PATCH", PLACE, adding(0), PICTURE),
    ("POST", "/api/uploads", MADE, b""),
    ("POST", "/api/uploads", {**MADE, "Upload-Length": "99999999"}, b""),
    ("PATCH", PLACE, adding(0), PICTURE[:1_000]),
    ("PATCH", PLACE, adding(0), PICTURE[:1_000]),
    ("HEAD", PLACE, TUS, b""),
    ("HEAD", WHOLE, {}, b""),
    ("PATCH", PLACE, adding(1_000), PICTURE[1_000:]),
    ("PATCH", PLACE, adding(3_000), b""),
    ("HEAD", PLACE, TUS, b""),
    ("POST", "/api/uploads", MADE, b""),
    ("PUT", WHOLE, {}, PICTURE),
    ("HEAD", WHOLE, {}, b""),
    ("PUT", WHOLE, {}, b"no picture"),
]


@pytest.mark.parametrize("whose", ["ana", "ben", "nobody"])
def test_it_is_the_same_door(client: TestClient, today: World, whose: str):
    """The whole script by each road, and everything forgotten in between."""
    token = getattr(today, whose).token if whose != "nobody" else "made up"
    by_routes, by_function = [], []
    for method, path, headers, body in SCRIPT:
        answer = client.request(
            method, path, headers={**headers, "authorization": f"Bearer {token}"}, content=body
        )
        by_routes.append((method, answer.status_code, _told(answer.headers)))
    _forget(today)
    for method, path, headers, body in SCRIPT:
        status, told, _ = upload_request(
            client.app.state.attachments, method, path, headers, body, datetime.now(UTC), token=token
        )  # type: ignore[attr-defined]
        by_function.append((method, status, _told(told)))
    for one, other in zip(by_routes, by_function, strict=True):
        assert one == other


def _told(headers: Any) -> dict[str, str]:
    return {name: headers[name] for name in TOLD if name in headers}


def _forget(today: World) -> None:
    with today.database.write() as session:
        session.query(AttachmentSenderRow).delete()
        session.query(AttachmentRow).delete()
