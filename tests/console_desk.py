"""A dispatcher's desk: one page of the console in Chromium, signed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from console_day import PASSWORD, Console, served
from playwright.sync_api import BrowserContext, Page, expect


@contextmanager
def at_desk(context: BrowserContext, console: Console, path: str, email: str) -> Iterator[Page]:
    """The page at `path` until the block ends, with no error said but a form's refusal (422)."""
    context.clear_cookies()
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    with served(console.app) as address:
        page.goto(f"{address}{path}")
        page.get_by_label("Mail address").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(f"{address}{path}")
        yield page
        page.goto("about:blank")
    page.close()
    assert [one for one in errors if "422" not in one] == []
