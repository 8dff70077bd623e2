"""The client's transport inside the browser: `fetch`, which a cancelled task aborts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from mobile.device.browser import IN_BROWSER
from sync.client.transport import Answer, NoNetwork


class BrowserTransport:
    """Requests to one server, as `sync.client.transport.Transport` asks for them.

    `base_url` is put before every path; empty means the server the app was loaded from. Who asks knows how
    long an answer may take, and cancels; `timeout_seconds` is only for those who forget.
    """

    def __init__(self, base_url: str = "", *, timeout_seconds: float = 400) -> None:
        if not IN_BROWSER:
            raise RuntimeError("BrowserTransport needs a browser; use HttpxTransport here.")
        import js

        self._base = base_url.rstrip("/") or str(js.self.location.origin)
        self._timeout_seconds = timeout_seconds

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """Any status is an answer. Raises NoNetwork when none came, or not all of it."""
        import js
        from pyodide.ffi import JsException, to_js

        controller = js.AbortController.new()
        options: dict[str, object] = {
            "method": method,
            "headers": dict(headers),
            "cache": "no-store",
            "credentials": "omit",  # the device's token travels in a header, never a cookie
            "signal": controller.signal,
        }
        if body:
            options["body"] = to_js(body)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                given = to_js(options, dict_converter=js.Object.fromEntries)
                response = await js.fetch(self._base + path, given)
                content = (await response.arrayBuffer()).to_bytes()
        except (asyncio.CancelledError, TimeoutError) as error:
            controller.abort()  # nobody waits for the answer: the server need not hold it back
            if isinstance(error, TimeoutError):
                raise NoNetwork("The server did not answer in time.") from error
            raise
        except JsException as error:
            raise NoNetwork from error
        names = js.Array.from_(response.headers.entries()).to_py()
        return Answer(
            status=int(response.status), headers={name.lower(): value for name, value in names}, body=content
        )
