"""What the app needs to know about running inside a browser (Pyodide in a module worker)."""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable
from typing import Any

IN_BROWSER = sys.platform == "emscripten"


def app_url(path: str = "") -> str:
    """Absolute address of a file of the app itself; the worker's script lies at the app's root."""
    import js

    return str(js.self.location.href).rsplit("/", 1)[0] + "/" + path


def page_id() -> str:
    """The name that boot.js gave this page's worker, so that two open tabs never answer each other."""
    import js

    return str(js.self.name or "page")


async def load_module(path: str) -> Any:
    """Import one of our ES modules into the worker and return its namespace.

    The builder adds `flet_js.import_module` to the worker, because Pyodide's `run_js` is an eval
    and the page's content security policy forbids that.
    """
    import flet_js

    return await flet_js.import_module(app_url(path))


def channel(name: str) -> Any:
    """A BroadcastChannel between this worker and its own page."""
    import js

    return js.BroadcastChannel.new(f"{name}-{page_id()}")


def listener(call: Callable[[Any], None]) -> Any:
    """A callback for JavaScript that runs in the caller's context, which Flet needs to know its page.

    Call `destroy()` on it once nothing will call it any more.
    """
    from pyodide.ffi import create_proxy

    context = contextvars.copy_context()
    return create_proxy(lambda event: context.copy().run(call, event))


def is_null(value: Any) -> bool:
    """True for None and for JavaScript's null and undefined, which reach Python as objects of their own."""
    return value is None or type(value).__name__ in ("JsNull", "JsUndefined")


def js_error_name(error: BaseException) -> str:
    """The DOMException name behind a JsException ('NoModificationAllowedError'), or an empty string."""
    return str(getattr(error, "name", "") or "")
