"""Standard Webhooks: who receives a message can prove that it came from us, and which one it is."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from standardwebhooks import Webhook

SECRET_BYTES = 32


def new_secret(entropy: Callable[[int], bytes]) -> str:
    """ "whsec_" and 32 random bytes in base64."""
    return "whsec_" + base64.b64encode(entropy(SECRET_BYTES)).decode()


def headers(secret: str, message_id: UUID, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers. `at` (UTC) is the time of this try; the id is the same at every try."""
    return {
        "webhook-id": str(message_id),
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(str(message_id), at, body.decode()),
    }
