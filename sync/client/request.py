"""What goes over the wire for one contact: the request's bytes, as few as will do."""

from __future__ import annotations

import gzip
from dataclasses import MISSING, fields

from sync.protocol import SyncRequest, encode

PACKED_FROM_BYTES = 1_000


def wire(request: SyncRequest) -> tuple[bytes, dict[str, str]]:
    """Body and headers. What says nothing is left out: the server reads its default for it."""
    said = {
        field.name: value
        for field in fields(request)
        if (value := getattr(request, field.name)) != field.default or field.default is MISSING
    }
    body = encode(said)
    headers = {"Content-Type": "application/json"}
    if len(body) > PACKED_FROM_BYTES:
        body, headers["Content-Encoding"] = gzip.compress(body, 6, mtime=0), "gzip"
    return body, headers
