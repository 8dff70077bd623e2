"""What the device says about the network, and about the page the app runs in.

"Online" here is only a hint to try now: a phone may be on a network that leads nowhere. Whether something
reached the server is known from the server's answer alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mobile.device.browser import IN_BROWSER, channel, is_null, listener


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """What only the page knows; None where it has not said yet or there is no page."""

    storage_is_persistent: bool | None = None  # the browser promised not to clear our data
    starts_offline: bool | None = None  # the service worker holds a complete version
    update_waiting: bool = False


def watch_network(tell: Callable[[bool], None]) -> Callable[[], None]:
    """Call `tell(online)` on every change; the returned function stops that."""
    if not IN_BROWSER:
        return lambda: None
    import js

    heard = listener(lambda event: tell(str(event.type) == "online"))
    for kind in ("online", "offline"):
        js.self.addEventListener(kind, heard)

    def stop() -> None:
        for kind in ("online", "offline"):
            js.self.removeEventListener(kind, heard)
        heard.destroy()

    return stop


def watch_page(tell: Callable[[PageFacts], None]) -> Callable[[], None]:
    """Call `tell(facts)` now and on every change; the returned function stops that."""
    if not IN_BROWSER:
        tell(PageFacts())
        return lambda: None
    page = channel("page")

    def hear(event: object) -> None:
        data = event.data  # type: ignore[attr-defined]
        if data.kind == "facts":
            persisted = None if is_null(data.persisted) else bool(data.persisted)
            offline, update = bool(data.offlineReady), bool(data.update)
            tell(PageFacts(storage_is_persistent=persisted, starts_offline=offline, update_waiting=update))

    heard = listener(hear)
    page.onmessage = heard
    _send(page, "ask")

    def stop() -> None:
        page.close()
        heard.destroy()

    return stop


def accept_update() -> None:
    """Change to the new version that is waiting; the page reloads by itself."""
    if IN_BROWSER:
        page = channel("page")
        _send(page, "update")


def _send(page: object, kind: str) -> None:
    import js
    from pyodide.ffi import to_js

    page.postMessage(to_js({"kind": kind}, dict_converter=js.Object.fromEntries))  # type: ignore[attr-defined]
