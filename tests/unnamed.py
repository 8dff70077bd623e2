"""Controls of a page that a screen reader could not name."""

from __future__ import annotations

from playwright.sync_api import Page

_FIND = """() => [...document.querySelectorAll("a, button, input, select, textarea, summary")]
  .filter((one) => one.type !== "hidden")
  .filter((one) => {
    const said = (one.labels && [...one.labels].some((label) => label.textContent.trim()))
      || one.getAttribute("aria-label") || one.textContent.trim();
    return one.matches("input, select, textarea")
      ? !(one.getAttribute("aria-label") || (one.labels && one.labels.length && said)) : !said;
  })
  .map((one) => one.outerHTML)"""


def unnamed(page: Page) -> list[str]:
    """The HTML of every link, button and field without a label or words of its own."""
    found: list[str] = page.evaluate(_FIND)
    return found
