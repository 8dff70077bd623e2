"""Whoever asks for a page is answered with a page, whatever is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from callers import Doors, csrf_token, standing
from world import uid

NOWHERE = uid("nowhere")


@pytest.fixture
def doors(sqlite_url: str, tmp_path: Path) -> Iterator[Doors]:
    with standing(sqlite_url, tmp_path) as made:
        yield made


class TestAPageThatCannotBeShown:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", f"/inbox/{NOWHERE}", 404),
            ("GET", "/inbox/nonsense", 422),
            ("GET", "/board?day=tomorrow", 422),
            ("POST", f"/inbox/{NOWHERE}/accept", 404),
            ("POST", f"/inbox/{NOWHERE}/correct", 404),
            ("POST", f"/inbox/{NOWHERE}/dismiss", 404),
            ("POST", f"/outbox/messages/{NOWHERE}/retry", 404),
            ("POST", f"/outbox/webhooks/{NOWHERE}/disable", 404),
            ("POST", f"/devices/{NOWHERE}/revoke", 404),
            ("POST", f"/devices/{NOWHERE}/wipe", 404),
        ],
    )
    def test_says_so_in_a_page(self, doors: Doors, method: str, path: str, status: int):
        form = {"csrf_token": csrf_token("admin"), "reason": "it is not there"}
        answer = doors.ask("admin", method, path, **({"data": form} if method == "POST" else {}))
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert "Person admin" in answer.text and "<h1>" in answer.text
        assert answer.headers["content-security-policy"].startswith("default-src 'self'")

    def test_is_a_page_also_for_who_may_not_see_it(self, doors: Doors):
        answer = doors.ask("viewer", "GET", "/outbox")
        assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
        assert "Ask an administrator for another role" in answer.text

    def test_stays_a_problem_for_programs(self, doors: Doors):
        answer = doors.ask("admin", "GET", f"/api/inbox/{NOWHERE}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
