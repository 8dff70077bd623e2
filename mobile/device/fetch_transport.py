"""The client's transport inside the browser: `fetch`, with a time limit."""

from __future__ import annotations

from collections.abc import Mapping

from mobile.device.browser import IN_BROWSER, js_error_name
from sync.client.transport import Answer, NoNetwork


class BrowserTransport:
    """Requests to one server, as `sync.client.transport.Transport` asks for them.

    `base_url` is put before every path; empty means the server the app was loaded from.
    """

    def __init__(self, base_url: str = "", *, timeout_seconds: float = 20) -> None:
        if not IN_BROWSER:
            raise RuntimeError("BrowserTransport needs a browser; use HttpxTransport here.")
        import js

        self._base = base_url.rstrip("/") or str(js.self.location.origin)
        self._timeout_ms = round(timeout_seconds * 1000)

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """Any status is an answer. Raises NoNetwork when none came, or not all of it."""
        import js
        from pyodide.ffi import JsException, to_js

        options: dict[str, object] = {
            "method": method,
            "headers": dict(headers),
            "cache": "no-store",
            "credentials": "omit",  # the device's token travels in a header, never a cookie
            "signal": js.AbortSignal.timeout(self._timeout_ms),
        }
        if body:
            options["body"] = to_js(body)
        try:
            response = await js.fetch(self._base + path, to_js(options, dict_converter=js.Object.fromEntries))
            content = (await response.arrayBuffer()).to_bytes()
        except JsException as error:
            if js_error_name(error) == "TimeoutError":
                raise NoNetwork("The server did not answer in time.") from error
            raise NoNetwork from error
        names = js.Array.from_(response.headers.entries()).to_py()
        return Answer(
            status=int(response.status), headers={name.lower(): value for name, value in names}, body=content
        )
