"""The customer's link: signed, expiring, and holding nothing but the work order's id.

71 letters, so that it fits a text message: id and expiry in 20 bytes, then an HMAC.
"""

from __future__ import annotations

import ipaddress
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit
from uuid import UUID

from itsdangerous import BadSignature, Signer

from server.clock import utc_now
from server.settings import Settings
from shared.problems import ExpiredToken, NotFound
from shared.work_orders import WorkOrder

LINK_DAYS = 21


def visit_token(
    secret: str, work_order_id: UUID, *, now: datetime | None = None, days: int = LINK_DAYS
) -> str:
    """A token for `/visit/{token}` that is good for `days`."""
    expires = int(((now or utc_now()) + timedelta(days=days)).timestamp())
    packed = work_order_id.bytes + struct.pack(">I", expires)
    return _signer(secret).sign(urlsafe_b64encode(packed).rstrip(b"=")).decode()


def visit_link(settings: Settings, work_order_id: UUID) -> str:
    """The path of the customer's page; put `base_url` before it to send it."""
    return f"/visit/{visit_token(settings.secret, work_order_id, days=settings.link_days)}"


def link_to_show(settings: Settings, order: WorkOrder) -> str:
    """The address of the customer's page, for the technician to show; empty where no day is planned, and
    where our own address is one that nobody else reaches.

    It is good for so long from the planned day on, so that it is the same whenever a phone is sent the job.
    """
    if order.planned_start is None or _is_loopback(settings.base_url):
        return ""
    token = visit_token(settings.secret, order.id, now=order.planned_start, days=settings.link_days)
    return f"{settings.base_url}/visit/{token}"


def read(secret: str, token: str, now: datetime | None = None) -> UUID:
    """The work order of a link. Raises NotFound when we never made it, ExpiredToken when it is too old."""
    try:
        encoded = _signer(secret).unsign(token.encode())
        packed = urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
        (expires,) = struct.unpack(">I", packed[16:])
        work_order_id = UUID(bytes=packed[:16])
    except (BadSignature, NotBase64, struct.error, ValueError) as error:
        raise NotFound("This link is not one of ours") from error
    if (now or utc_now()).timestamp() >= expires:
        raise ExpiredToken("This link has expired")
    return work_order_id


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _signer(secret: str) -> Signer:
    return Signer(secret, salt="customer link", sep=".", digest_method=sha256)
