"""The upload routes without a web framework: one request, one answer, in the caller's thread.

For simulations, which have no event loop of a server's to run on. The rules are the product's
(server/attachments); only what routes do, to read headers and to name statuses, is said again here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from server.access import callers
from server.attachments import pictures, tus
from server.attachments.filing import NOT_BEGUN, Attachments, Standing
from server.attachments.partial import WrongOffset
from server.attachments.records import Sender
from server.attachments.store import StoreAway
from shared.problems import Conflict, NotFound, Problem, ServerFault
from shared.visit_rules import EVIDENCE_BYTES_MAX

Answered = tuple[int, dict[str, str], bytes]
"""Status, headers in lower case, body."""


def upload_request(
    attachments: Attachments,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    *,
    token: str | None,
) -> Answered:
    """What the server answers to `method path`, for /api/uploads… and HEAD and PUT /api/attachments/…

    A body that the network cut is simply shorter than the phone meant it: what is given is kept.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        caller = callers.admit(attachments.database, token, now)
        sender = Sender(
            device_id=caller.device.id, technician_id=caller.technician.id, refusal=caller.refusal
        )
        if path.startswith("/api/attachments/"):
            status, told = _whole(attachments, sender, method, path.rpartition("/")[2], body, now)
        else:
            status, told = _in_pieces(attachments, sender, method, path, given, body, now)
    except tus.Refused as refused:
        return _problem(refused.problem, refused.status)
    except WrongOffset as wrong:
        problem = Conflict(f"The upload goes on at byte {wrong.offset}", field="upload-offset")
        return _problem(problem, 409, {"upload-offset": str(wrong.offset)})
    except StoreAway:
        return _problem(ServerFault("The store of photos is away or full. Nothing was lost"), 503)
    except Problem as problem:
        return _problem(problem, problem.status)
    return status, {"tus-resumable": tus.VERSION} | {name.lower(): value for name, value in told.items()}, b""


def _in_pieces(
    attachments: Attachments, sender: Sender, method: str, path: str, given: Mapping[str, str], body: bytes,
    now: datetime,
) -> tuple[int, dict[str, str]]:  # fmt: skip
    tus.check_version(given.get("tus-resumable"))
    if method == "POST":
        digest = tus.digest(given.get("upload-metadata"))
        made = attachments.offer(sender, digest, tus.length(given.get("upload-length")), now)
        return 201, {"Location": f"/api/uploads/{digest}"} | tus.headers(made)
    digest = path.rpartition("/")[2]
    if method == "PATCH":
        tus.check_content_type(given.get("content-type"))
        offset = tus.number(given.get("upload-offset"), "upload-offset")
        growing = attachments.grow(sender, digest, offset, now)
        if isinstance(growing, Standing):
            return 204, tus.headers(growing)
        with growing:
            growing.add(body)
    seen = attachments.look(sender, digest, now)
    if seen is None:
        raise NotFound(NOT_BEGUN)
    length = {"Upload-Length": str(seen.length)} if method == "HEAD" else {}
    return (204 if method == "PATCH" else 200), tus.headers(seen) | length


def _whole(
    attachments: Attachments, sender: Sender, method: str, digest: str, body: bytes, now: datetime
) -> tuple[int, dict[str, str]]:
    if method == "HEAD":
        if not attachments.has(sender, digest):
            raise NotFound("These bytes have not come from your devices")
        return 200, {}
    pictures.check_digest_name(digest)
    attachments.admit(sender, digest)
    with attachments.partials.whole(EVIDENCE_BYTES_MAX, now) as growing:
        pictures.check_size(len(body))
        growing.add(body)
        return (201 if attachments.file(sender, digest, growing.partial.path, now) else 200), {}


def _problem(problem: Problem, status: int, headers: Mapping[str, str] | None = None) -> Answered:
    own = {"content-type": "application/problem+json", "tus-resumable": tus.VERSION}
    body = json.dumps(problem.as_json() | {"status": status}).encode()
    return status, own | dict(headers or {}), body
