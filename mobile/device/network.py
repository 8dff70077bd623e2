"""What the device says about the network, and about the page the app runs in.

"Online" here is only a hint to try now: a phone may be on a network that leads nowhere. Whether something
reached the server is known from the server's answer alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from mobile.device.browser import IN_BROWSER, channel, is_null, listener


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """What only the page knows; None where it has not said yet or there is no page."""

    storage_is_persistent: bool | None = None  # the browser promised not to clear our data
    starts_offline: bool | None = None  # the service worker holds a complete version
    update_waiting: bool = False
    dictation: bool = False  # the browser turns speech into text
    passkey: bool = False  # the device can check by finger, face or screen lock who holds it


def watch_network(tell: Callable[[bool], None]) -> Callable[[], None]:
    """Call `tell(online)` on every change, also of the kind of network; the returned function stops that."""
    if not IN_BROWSER:
        return lambda: None
    import js

    heard = listener(lambda event: tell(str(event.type) == "online"))
    for kind in ("online", "offline"):
        js.self.addEventListener(kind, heard)
    # From mobile data to Wi-Fi: what waits for that may go now.
    changed = listener(lambda event: tell(bool(js.navigator.onLine)))
    connection = getattr(js.navigator, "connection", None)
    if connection and hasattr(connection, "addEventListener"):
        connection.addEventListener("change", changed)

    def stop() -> None:
        if connection and hasattr(connection, "removeEventListener"):
            connection.removeEventListener("change", changed)
        changed.destroy()
        for kind in ("online", "offline"):
            js.self.removeEventListener(kind, heard)
        heard.destroy()

    return stop


def metered() -> bool | None:
    """Whether the present network is one that is paid by the byte; None where the browser does not tell.

    Chromium tells on phones only, Firefox and Safari nowhere.
    """
    if not IN_BROWSER:
        return None
    import js

    kind = str(getattr(getattr(js.navigator, "connection", None), "type", "") or "")
    return {"wifi": False, "ethernet": False, "cellular": True, "wimax": True}.get(kind)


def watch_page(
    tell: Callable[[PageFacts], None],
    touched: Callable[[], None] = lambda: None,
    seen: Callable[[float], None] = lambda seconds: None,
    scanned: Callable[[str], None] = lambda text: None,
) -> Callable[[], None]:
    """Call `tell(facts)` now and on every change, `touched()` as long as somebody touches the page or types.

    `seen(seconds)` when the page is in sight again after so long; it is covered until `unveil` is called.
    `scanned(text)` when a wedge scanner typed, and not all of it into a field (see `keep_ear`).
    The returned function stops all that.
    """
    if not IN_BROWSER:
        tell(PageFacts())
        return lambda: None
    page = channel("page")

    def hear(event: object) -> None:
        data = event.data  # type: ignore[attr-defined]
        if data.kind == "touched":
            touched()
        if data.kind == "seen":
            seen(float(data.seconds))
        if data.kind == "scanned":
            scanned(str(data.text))
        if data.kind == "facts":
            persisted = None if is_null(data.persisted) else bool(data.persisted)
            offline, update = bool(data.offlineReady), bool(data.update)
            tell(
                PageFacts(
                    storage_is_persistent=persisted,
                    starts_offline=offline,
                    update_waiting=update,
                    dictation=bool(data.dictation),
                    passkey=bool(data.passkey),
                )
            )

    heard = listener(hear)
    page.onmessage = heard
    _post(page, "ask")

    def stop() -> None:
        page.close()
        heard.destroy()

    return stop


def say_opened() -> None:
    """Tell the page that the first screen is there; until then it shows its own."""
    if IN_BROWSER:
        _send("opened")


def keep_first_screen(text: str | None) -> None:
    """Have the page keep what it shows at the next start (mobile/first_screen.py); None: nothing."""
    if IN_BROWSER:
        _send("today", text or "")


def keep_veil(wanted: bool) -> None:
    """Whether the page covers itself while it is out of sight."""
    if IN_BROWSER:
        _send("veil", "1" if wanted else "")


def keep_ear(wanted: bool) -> None:
    """Whether the page listens for a wedge scanner, wherever the focus is."""
    if IN_BROWSER:
        _send("ear", "1" if wanted else "")


def unveil() -> None:
    """What the page shows now may be seen."""
    if IN_BROWSER:
        _send("unveil")


def keep_unsent(count: int) -> None:
    """Tell the service worker, which takes no newer version by itself while something is unsent."""
    if IN_BROWSER:
        _send("unsent", str(count))


def accept_update() -> None:
    """Change to the new version that is waiting; the page reloads by itself."""
    if IN_BROWSER:
        _send("update")


def _send(kind: str, text: str = "") -> None:
    _post(_page(), kind, text)


@cache
def _page() -> Any:
    return channel("page")


def _post(page: Any, kind: str, text: str = "") -> None:
    import js
    from pyodide.ffi import to_js

    page.postMessage(to_js({"kind": kind, "text": text}, dict_converter=js.Object.fromEntries))
