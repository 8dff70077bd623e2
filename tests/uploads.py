"""A phone's side of an upload, request by request, for tests of the server; and pictures to send."""

from __future__ import annotations

import hashlib
import io
from base64 import b64encode
from typing import Any

from PIL import Image

TUS = {"Tus-Resumable": "1.0.0"}


def a_picture(kind: str = "JPEG", colour: int = 0, size_bytes: int = 0) -> bytes:
    """A picture of 64 × 48; with `size_bytes` so large by what hangs behind it, `colour` first."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (colour % 256, colour // 256, 200)).save(buffer, kind)
    if not size_bytes:
        return buffer.getvalue()
    return (buffer.getvalue() + colour.to_bytes(4, "big")).ljust(size_bytes, b"\xa5")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def metadata(name: str) -> str:
    return f"sha256 {b64encode(name.encode()).decode()},filetype {b64encode(b'image/jpeg').decode()}"


class Upload:
    """One picture on its way. `client` is any httpx client; every method is one request."""

    def __init__(self, client: Any, phone: Any, data: bytes, name: str | None = None) -> None:
        self._client = client
        self._headers = {**phone.headers, **TUS}
        self.data = data
        self.name = name or digest(data)
        self.place = f"/api/uploads/{self.name}"

    def create(self, length: int | None = None, **headers: str) -> Any:
        own = {"Upload-Length": str(len(self.data) if length is None else length)}
        own["Upload-Metadata"] = metadata(self.name)
        return self._client.post("/api/uploads", headers=self._headers | own | headers)

    def head(self) -> Any:
        return self._client.head(self.place, headers=self._headers)

    def patch(self, start: int = 0, end: int | None = None, **headers: str) -> Any:
        """Bytes from `start` to before `end`, said to be at offset `start`."""
        own = {"Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream"}
        body = self.data[start:end]
        return self._client.patch(self.place, headers=self._headers | own | headers, content=body)

    def delete(self) -> Any:
        return self._client.delete(self.place, headers=self._headers)

    def send(self) -> Any:
        """All of it in two pieces. The answer to the last."""
        assert self.create().status_code == 201
        middle = len(self.data) // 2
        assert self.patch(0, middle).status_code == 204
        return self.patch(middle)
