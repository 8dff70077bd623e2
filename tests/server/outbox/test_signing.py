"""Signatures that any receiver of Standard Webhooks accepts."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from server.outbox.signing import headers, new_secret

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the one in the published examples
ID = UUID("019a0000-0000-7000-8000-000000000001")
AT = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)


class TestTheHeaders:
    def test_carry_id_time_and_an_hmac_over_id_time_and_body(self):
        key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        signed = b'019a0000-0000-7000-8000-000000000001.1794812400.{"test":1}'
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers(SECRET, ID, AT, b'{"test":1}') == {
            "webhook-id": "019a0000-0000-7000-8000-000000000001",
            "webhook-timestamp": "1794812400",
            "webhook-signature": f"v1,{expected}",
        }

    def test_agree_with_the_published_example(self):
        at = datetime.fromtimestamp(1614265330, UTC)
        signature = Webhook(SECRET).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')
        assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    def test_are_refused_by_the_receiver_when_a_byte_was_changed(self):
        now = datetime.now(UTC)
        head = headers(SECRET, ID, now, b'{"paid":10}')
        assert Webhook(SECRET).verify(b'{"paid":10}', head) == {"paid": 10}
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(b'{"paid":11}', head)

    def test_differ_at_each_try_only_in_time_and_signature(self):
        first, second = (headers(SECRET, ID, AT + timedelta(minutes=n), b"{}") for n in (0, 1))
        assert {name for name in first if first[name] != second[name]} == {
            "webhook-timestamp",
            "webhook-signature",
        }


class TestASecret:
    def test_is_thirty_two_random_bytes_as_the_format_writes_them(self):
        assert new_secret(bytes) == "whsec_" + base64.b64encode(bytes(32)).decode()
