"""What browsers are told to be careful about: on pages, on answers to programs, on files, on refusals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from callers import Doors, standing

from server.web.headers import ALWAYS, NO_DOCUMENT, STATIC
from server.web.pages import CONTENT_SECURITY_POLICY


@pytest.fixture
def doors(sqlite_url: str, tmp_path: Path) -> Iterator[Doors]:
    with standing(sqlite_url, tmp_path) as made:
        yield made


class TestEveryAnswer:
    def test_carries_the_careful_headers_and_a_policy(self, doors: Doors):
        for caller, path, policy in (
            ("admin", "/board", CONTENT_SECURITY_POLICY),
            ("viewer", "/outbox", CONTENT_SECURITY_POLICY),  # refused, as a page
            ("nobody", "/login", CONTENT_SECURITY_POLICY),
            ("nobody", "/visit/never-made", CONTENT_SECURITY_POLICY),
            ("admin", "/api/board", NO_DOCUMENT),
            ("nobody", "/api/board", NO_DOCUMENT),
            ("nobody", "/nowhere", NO_DOCUMENT),
            ("nobody", "/static/console.css", STATIC),
        ):
            answer = doors.ask(caller, "GET", path)
            assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS, path
            assert answer.headers["content-security-policy"] == policy, path
            assert "frame-ancestors 'none'" in policy
            assert "strict-transport-security" not in answer.headers

    def test_asks_browsers_to_stay_with_https_where_they_come_by_it(self, sqlite_url: str, tmp_path: Path):
        with standing(sqlite_url, tmp_path, base_url="https://field.example") as doors:
            answer = doors.ask("nobody", "GET", "/login")
        assert answer.headers["strict-transport-security"] == "max-age=31536000"

    def test_comes_from_no_page_that_runs_scripts_of_another_site(self, doors: Doors):
        for path in ("/docs", "/redoc"):
            assert doors.ask("admin", "GET", path).status_code == 404
