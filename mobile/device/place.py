"""Where this device is, as far as it may and can say. The page asks: the worker has no way to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from mobile.device.browser import IN_BROWSER, channel, listener

SECONDS_MAX = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """WGS 84. `accuracy_m`: within so many metres, as the device believes."""

    lat: float
    lon: float
    accuracy_m: float


async def here(seconds: float = SECONDS_MAX) -> Spot | None:
    """None where nobody allowed it, nothing was received in time, or this platform can't say."""
    if not IN_BROWSER:
        return None
    import js
    from pyodide.ffi import to_js

    page, found = channel("place"), asyncio.get_running_loop().create_future()

    def hear(event: object) -> None:
        data = event.data.to_py()  # type: ignore[attr-defined]
        if data["kind"] == "here" and not found.done():
            found.set_result(data)

    heard = listener(hear)
    page.onmessage = heard
    page.postMessage(to_js({"kind": "where"}, dict_converter=js.Object.fromEntries))
    try:
        async with asyncio.timeout(seconds):
            data = await found
    except TimeoutError:
        return None
    finally:
        page.close()
        heard.destroy()
    if data.get("lat") is None:
        return None
    return Spot(
        lat=round(float(data["lat"]), 6),
        lon=round(float(data["lon"]), 6),
        accuracy_m=round(float(data["accuracy"]), 1),
    )
