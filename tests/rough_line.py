"""What stands between phone and office: a proxy for one server that answers as badly as it is told to.

    with RoughLine(server.port) as line:
        line.trouble = Trouble.HALF       # until line.trouble = None
        …
        assert line.met[Trouble.HALF]

Only `/sync` meets trouble, so that the app itself still comes. A server that is stopped is no answer at all.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections import Counter
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

HOPS = {"connection", "keep-alive", "transfer-encoding", "content-length"}
ANSWER_SECONDS_MAX = 90  # a request for news is held for 55


class Trouble(Enum):
    """What becomes of a `/sync`. The first three never reach the server; the others it has decided."""

    ERROR = "a proxy's 500"
    GATE = "a proxy's 401"
    PORTAL = "somebody's page, with 200"
    HALF = "the line breaks in the midst of the answer"
    CUT = "half of the answer, as if it were whole"


SAYS: dict[Trouble, tuple[int, bytes]] = {
    Trouble.ERROR: (500, b"<html><body><h1>Internal Server Error</h1></body></html>"),
    Trouble.GATE: (401, b"<html><body><h1>Proxy authentication required</h1></body></html>"),
    Trouble.PORTAL: (200, b"<html><body><h1>Welcome to Hotel Wi-Fi</h1></body></html>"),
}


class RoughLine:
    """Listens on a port of its own, for as long as the block lasts; `met` counts the requests in trouble."""

    def __init__(self, target: int, *, port: int = 0) -> None:
        self.target = target
        self.trouble: Trouble | None = None
        self.met: Counter[Trouble] = Counter()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        line = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                with contextlib.suppress(OSError):  # the browser has gone
                    super().handle_one_request()

            def log_message(self, *_: Any) -> None:
                pass

            def _carry(self) -> None:
                line.carry(self)

            do_GET = do_POST = do_HEAD = do_PATCH = do_PUT = do_DELETE = do_OPTIONS = _carry

        return Handler

    def carry(self, request: BaseHTTPRequestHandler) -> None:
        """One request to the server and its answer back, or what `trouble` makes of it."""
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        trouble = self.trouble if request.path == "/sync" else None
        if trouble:
            self.met[trouble] += 1
        if trouble in SAYS:
            status, page = SAYS[trouble]
            _answer(request, status, [("Content-Type", "text/html")], page)
            return
        asked = dict(request.headers)
        if trouble is Trouble.CUT:
            asked["Accept-Encoding"] = "identity"  # what is packed and cut could not even be unpacked
        there = http.client.HTTPConnection("127.0.0.1", self.target, timeout=ANSWER_SECONDS_MAX)
        try:
            there.request(request.command, request.path, body, asked)
            answer = there.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            request.close_connection = True  # without a word
            return
        finally:
            there.close()
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOPS]
        if trouble is Trouble.HALF:
            _answer(request, answer.status, headers, content[: len(content) // 2], claimed=len(content))
            request.close_connection = True
        elif trouble is Trouble.CUT:
            _answer(request, answer.status, headers, content[: len(content) // 2])
        else:
            claimed = int(answer.headers.get("Content-Length") or 0) if request.command == "HEAD" else None
            _answer(request, answer.status, headers, content, claimed=claimed)


def _answer(
    request: BaseHTTPRequestHandler,
    status: int,
    headers: list[tuple[str, str]],
    content: bytes,
    *,
    claimed: int | None = None,
) -> None:
    """`claimed`: another length than the content's."""
    request.send_response_only(status)
    for name, value in headers:
        request.send_header(name, value)
    if status not in (204, 304):
        request.send_header("Content-Length", str(len(content) if claimed is None else claimed))
    request.end_headers()
    request.wfile.write(content)
