"""Speech into text, where the browser has it: it sends what it hears to its maker, so it needs a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from mobile.device.browser import IN_BROWSER, channel, listener

SECONDS_MAX = 60.0


class Dictation:
    """One sitting: `sentences` until `stop`, the browser's own end, or a minute of silence."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._page: Any = None

    async def sentences(self) -> AsyncIterator[str]:
        """What was said, piece by piece as the browser is sure of it. Raises DictationFailed."""
        if not IN_BROWSER:
            raise DictationFailed
        heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._page = page = channel("speech")
        hear = listener(lambda event: heard.put_nowait(event.data.to_py()))
        page.onmessage = hear
        _post(page, kind="listen", language=self._language)
        try:
            while True:
                async with asyncio.timeout(SECONDS_MAX):
                    message = await heard.get()
                if message["kind"] == "said":
                    yield str(message["text"])
                if message["kind"] == "ended":
                    if message.get("why") not in (None, "", "no-speech", "aborted"):
                        raise DictationFailed(str(message["why"]))
                    return
        except TimeoutError:
            return
        finally:
            _post(page, kind="stop")
            page.close()
            hear.destroy()
            self._page = None

    def stop(self) -> None:
        """What was said until now still comes."""
        if self._page is not None:
            _post(self._page, kind="stop")


class DictationFailed(Exception):
    """No microphone, no leave to use it, no network, or a language that the browser does not know."""


def _post(page: Any, **message: object) -> None:
    import js
    from pyodide.ffi import to_js

    page.postMessage(to_js(message, dict_converter=js.Object.fromEntries))
