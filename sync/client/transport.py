"""The way to the server, as the client needs it. In the browser it is `fetch`, elsewhere httpx."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import httpx

IDLE_SECONDS = 30.0


class NoNetwork(Exception):
    """Nothing came back. Whether the request reached the server is unknown. `str(error)` is a sentence."""

    def __init__(self, detail: str = "The server could not be reached.") -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole HTTP answer of any status, from whoever gave it. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Requests to one server. `path` starts with a slash."""

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """Any status is an answer. Raises NoNetwork when none came, or not all of it."""
        ...


class HttpxTransport:
    """For CPython: tests, demo, packaged apps. Redirects are not followed: they are not our server's.

    Who asks knows how long an answer may take, and cancels; `timeout_seconds` is only for those who forget.
    """

    def __init__(self, base_url: str, *, timeout_seconds: float = 400) -> None:
        import httpx

        patience = httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, 20))
        # A new connection costs round trips, of seconds on a bad line. The server keeps it for longer.
        kept = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=IDLE_SECONDS)
        self._client: httpx.AsyncClient = httpx.AsyncClient(base_url=base_url, timeout=patience, limits=kept)

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        import httpx

        try:
            response = await self._client.request(method, path, headers=dict(headers), content=body or None)
        except httpx.TimeoutException as error:
            raise NoNetwork("The server did not answer in time.") from error
        except httpx.HTTPError as error:
            raise NoNetwork from error
        return Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=response.content,
        )

    async def close(self) -> None:
        await self._client.aclose()
