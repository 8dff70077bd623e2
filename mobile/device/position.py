"""The phone's position, while somebody travels and has asked for it. It goes from page to screen only."""

from __future__ import annotations

from collections.abc import Callable

from mobile.device.browser import IN_BROWSER, channel, listener
from mobile.views.nearby import Position

Heard = Position | None
"""None: the phone does not give it, or not any more."""


class Compass:
    """Asks the page for positions while it is `wanted`; the page asks the person, the first time."""

    def __init__(self, tell: Callable[[Heard], None]) -> None:
        self._tell = tell
        self._channel: object | None = None
        self._heard: object | None = None

    @property
    def can_ask(self) -> bool:
        """Only a browser's page knows how; the installed app has no part for it yet."""
        return IN_BROWSER

    def wanted(self, is_wanted: bool) -> None:
        """Begin or stop; doing so again changes nothing."""
        if not self.can_ask or is_wanted == (self._channel is not None):
            return
        if is_wanted:
            self._channel = channel("position")
            self._heard = listener(self._hear)
            self._channel.onmessage = self._heard  # type: ignore[attr-defined]
            self._post("watch")
        else:
            self._post("stop")
            self._channel.close()  # type: ignore[union-attr]
            self._heard.destroy()  # type: ignore[union-attr]
            self._channel = self._heard = None

    def _hear(self, event: object) -> None:
        data = event.data  # type: ignore[attr-defined]
        if data.kind == "at":
            self._tell(Position(lat=data.lat, lon=data.lon, accuracy_metres=data.accuracy))
        elif data.kind == "none":
            self._tell(None)

    def _post(self, kind: str) -> None:
        import js
        from pyodide.ffi import to_js

        message = to_js({"kind": kind}, dict_converter=js.Object.fromEntries)
        self._channel.postMessage(message)  # type: ignore[union-attr]
