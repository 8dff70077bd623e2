"""HTTP from inside the browser: `fetch`, with a time limit and plain errors."""

from __future__ import annotations

from collections.abc import Mapping

from mobile.device.browser import IN_BROWSER

Answer = tuple[int, dict[str, str], bytes]


class BrowserTransport:
    """Requests to one server. Any status is an answer; no answer at all is a ConnectionError.

    `base_url` is put before every path; empty means the server the app was loaded from.
    """

    def __init__(self, base_url: str = "", *, timeout_seconds: float = 20) -> None:
        if not IN_BROWSER:
            raise RuntimeError("BrowserTransport needs a browser; use the httpx transport here.")
        import js

        self._base = base_url.rstrip("/") or str(js.self.location.origin)
        self._timeout_ms = round(timeout_seconds * 1000)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return await self._send("POST", url, body, headers)

    async def put(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return await self._send("PUT", url, body, headers)

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        return await self._send("GET", url, None, headers)

    async def _send(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        import js
        from pyodide.ffi import JsException, to_js

        options: dict[str, object] = {
            "method": method,
            "headers": dict(headers),
            "cache": "no-store",
            "credentials": "omit",  # the device's token travels in a header, never a cookie
            "signal": js.AbortSignal.timeout(self._timeout_ms),
        }
        if body is not None:
            options["body"] = to_js(body)
        address = url if "://" in url else f"{self._base}/{url.lstrip('/')}"
        try:
            response = await js.fetch(address, to_js(options, dict_converter=js.Object.fromEntries))
            content = (await response.arrayBuffer()).to_bytes()
        except JsException as error:
            if getattr(error, "name", "") == "TimeoutError":
                raise TimeoutError(f"No answer from the server within {self._timeout_ms // 1000} s.") from error
            raise ConnectionError("The server could not be reached.") from error
        names = js.Array.from_(response.headers.entries()).to_py()
        return int(response.status), {name: value for name, value in names}, content
