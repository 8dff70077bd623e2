"""The device's own check of its owner, by finger, face or screen lock: WebAuthn, all of it on the device.

It works without a network. It is a gate as the PIN is one: the page says that the device has checked, and
whoever can change the page can say so too (docs/adr/0026).
"""

from __future__ import annotations

import asyncio
from typing import Any

from mobile.device.browser import IN_BROWSER, channel, listener

SECONDS_MAX = 90.0


async def enrol(name: str) -> str | None:
    """A new key of this device for the app, by its id; None where its owner did not agree."""
    return await _ask({"kind": "create", "name": name}, "made")


async def check_owner(key: str) -> bool:
    """Whether the device has just checked who holds it. False when that failed, or was cancelled."""
    return await _ask({"kind": "check", "key": key}, "checked") == key


async def _ask(question: dict[str, str], answer: str) -> str | None:
    if not IN_BROWSER:
        return None
    import js
    from pyodide.ffi import to_js

    page, found = channel("passkey"), asyncio.get_running_loop().create_future()

    def hear(event: Any) -> None:
        data = event.data.to_py()
        if data["kind"] == answer and not found.done():
            found.set_result(str(data["key"] or ""))

    heard = listener(hear)
    page.onmessage = heard
    page.postMessage(to_js(question, dict_converter=js.Object.fromEntries))
    try:
        async with asyncio.timeout(SECONDS_MAX):
            return await found or None
    except TimeoutError:
        return None
    finally:
        page.close()
        heard.destroy()
