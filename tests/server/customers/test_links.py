"""The customer's link: signed, expiring, and nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from situations import an_order

from server.customers.links import link_to_show, read, visit_token
from server.settings import Settings
from shared.problems import ExpiredToken, NotFound

ORDER = UUID("01930000-0000-7000-8000-00000000a100")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class TestTheLinkThatATechnicianShows:
    @pytest.mark.parametrize(
        ("base_url", "starts"),
        [
            ("https://fibre.example", "https://fibre.example/visit/"),
            ("http://192.168.1.20:8800", "http://192.168.1.20:8800/visit/"),
            ("http://127.0.0.1:8800", ""),
            ("http://127.8.8.8", ""),
            ("http://localhost:8800", ""),
            ("http://[::1]:8800", ""),
            ("http://0.0.0.0:8800", ""),
        ],
    )
    def test_is_none_where_only_our_own_machine_would_reach_it(self, base_url: str, starts: str):
        settings = Settings(base_url=base_url, secret="secret")
        link = link_to_show(settings, an_order(planned_start=NOON))
        assert link.startswith(starts) and bool(link) is bool(starts)

    def test_is_none_without_a_planned_day(self):
        settings = Settings(base_url="https://fibre.example", secret="secret")
        assert link_to_show(settings, an_order(planned_start=None)) == ""


class TestALink:
    def test_leads_to_its_order_until_it_expires(self):
        token = visit_token("secret", ORDER, now=NOON, days=21)
        assert read("secret", token, NOON + timedelta(days=21, seconds=-1)) == ORDER
        with pytest.raises(ExpiredToken):
            read("secret", token, NOON + timedelta(days=21))

    def test_fits_a_text_message(self):
        assert len(visit_token("secret", ORDER, now=NOON)) == 71

    def test_of_another_secret_is_not_ours(self):
        with pytest.raises(NotFound):
            read("secret", visit_token("other", ORDER, now=NOON), NOON)

    def test_cannot_be_changed_in_any_letter(self):
        token = visit_token("secret", ORDER, now=NOON)
        for place in range(len(token) - 1):  # the last letter carries bits that base64 ignores
            forged = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
            with pytest.raises(NotFound):
                read("secret", forged, NOON)

    @pytest.mark.parametrize("token", ["", ".", "nonsense", "a.b.c", "é.ü", "A" * 5000])
    def test_of_nonsense_is_not_ours(self, token: str):
        with pytest.raises(NotFound):
            read("secret", token, NOON)
