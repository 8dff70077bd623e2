"""Photos and signatures to the server, in parts: tus 1.0, one request a step. See docs/protocol.md.

POST opens a place, or says how much is there already; PATCH adds a part; HEAD asks after a failure, so that
no byte goes twice. A server that knows no uploads in parts gets the whole file by PUT.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

from sync.client.evidence import EvidenceShelf
from sync.client.messages import Advanced, BadBytes, Garbled, Message, Offered
from sync.client.records import UploadState
from sync.client.replies import NOT_OURS, problem_in, refusal
from sync.client.transport import Answer, NoNetwork

UPLOADS = "/api/uploads"
TUS = {"Tus-Resumable": "1.0.0"}


class Ask(Protocol):
    """Sends a request with the device's token. Raises NoNetwork."""

    def __call__(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Awaitable[Answer]: ...


class Uploader:
    """Carries files to the server; how far each has come is kept in the store."""

    def __init__(self, shelf: EvidenceShelf, chunk_bytes: Callable[[], int]) -> None:
        self._shelf = shelf
        self._chunk_bytes = chunk_bytes
        self._sure: set[str] = set()  # digests whose offset the server itself said, with nothing sent since
        self._whole = False  # this server takes whole files only

    async def step(self, digest: str, ask: Ask) -> Message:
        """One request. Advanced, Offered, BadBytes, or a refusal; Offered is no proof: a sync answer is."""
        at = self._shelf.upload_state(digest)
        assert at is not None, "only what is here is uploaded"
        try:
            if self._whole:
                return await self._put(at, ask)
            if at.path is None:
                return await self._open(at, ask)
            if digest not in self._sure:
                return await self._look(at, at.path, ask)
            return await self._send(at, at.path, ask)
        except NoNetwork:
            self._sure.discard(digest)
            raise

    async def _open(self, at: UploadState, ask: Ask) -> Message:
        metadata = ",".join(
            f"{name} {b64encode(value.encode()).decode()}"
            for name, value in (("sha256", at.digest), ("filetype", at.media_type))
        )
        headers = {**TUS, "Upload-Length": str(at.size), "Upload-Metadata": metadata}
        answer = await ask("POST", UPLOADS, headers)
        if answer.status in (404, 405, 501) and problem_in(answer):
            self._whole = True  # an older server
            return Advanced(at.digest, False)
        if answer.status in (200, 201):
            path = urlsplit(answer.headers.get("location", "")).path
            if not path.startswith(UPLOADS + "/"):
                path = f"{UPLOADS}/{at.digest}"
            return self._progress(at, path, answer)
        return self._trouble(at, answer)

    async def _look(self, at: UploadState, path: str, ask: Ask) -> Message:
        answer = await ask("HEAD", path, TUS)
        if answer.status in (200, 204):
            return self._progress(at, path, answer)
        if 400 <= answer.status < 500 and answer.status != 429:  # a HEAD can't say why; opening it anew will
            return self._forgotten(at)
        return self._trouble(at, answer)

    async def _send(self, at: UploadState, path: str, ask: Ask) -> Message:
        size = self._chunk_bytes()
        if at.size - at.offset <= size * 3 // 2:
            size = at.size - at.offset  # a small rest would cost a round trip of its own
        part = self._shelf.chunk(at.digest, at.offset, size)
        headers = {
            **TUS,
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(at.offset),
        }
        self._sure.discard(at.digest)
        answer = await ask("PATCH", path, headers, part)
        if answer.status in (200, 204) or (answer.status == 409 and _offset(at, answer) is not None):
            return self._progress(at, path, answer)
        if answer.status in (404, 409, 410):
            return self._forgotten(at)
        return self._trouble(at, answer)

    async def _put(self, at: UploadState, ask: Ask) -> Message:
        body = self._shelf.chunk(at.digest, 0, at.size)
        headers = {"Content-Type": at.media_type}
        answer = await ask("PUT", f"/api/attachments/{at.digest}", headers, body)
        if answer.status in (200, 201):
            # Ours has no body, or JSON; a captive portal says yes with a page.
            ours = not answer.body or "json" in answer.headers.get("content-type", "")
            return Offered(at.digest) if ours else Garbled(answer.status, NOT_OURS)
        return self._trouble(at, answer)

    def _progress(self, at: UploadState, path: str, answer: Answer) -> Message:
        offset = _offset(at, answer)
        if offset is None:
            return Garbled(answer.status, NOT_OURS)
        if offset == at.size:
            return Offered(at.digest)
        if (path, offset) != (at.path, at.offset):
            self._shelf.keep_progress(at.digest, path, offset)
        self._sure.add(at.digest)
        return Advanced(at.digest, offset > at.offset)

    def _forgotten(self, at: UploadState) -> Message:
        self._shelf.keep_progress(at.digest, None, 0)
        return Advanced(at.digest, False)

    def _trouble(self, at: UploadState, answer: Answer) -> Message:
        self._sure.discard(at.digest)
        if answer.status in (413, 422) and (problem := problem_in(answer)):
            return BadBytes(at.digest, problem.detail)
        return refusal(answer)


def _offset(at: UploadState, answer: Answer) -> int | None:
    """How much the server has, by its own word; None when that was not our server."""
    said = answer.headers.get("upload-offset", "")
    if "tus-resumable" not in answer.headers or not (said.isascii() and said.isdigit()):
        return None
    return int(said) if int(said) <= at.size else None
