"""Render a component without a device and without Flutter, and use it as a person would: by names.

    with Screen(App, desk) as screen:
        screen.tap("Start travel")
        screen.type_into("Registration code", "ABCD-1234")
        assert screen.sees("Saved on this device")

Flet's own session computes every patch; only the wire ends here. A name is a button's text, a label for
screen readers, or a field's label.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, cast

import flet as ft
import msgpack
from flet.components.component import Component
from flet.controls.base_control import BaseControl
from flet.controls.context import _context_page
from flet.messaging.connection import Connection
from flet.messaging.protocol import Message, MessageAction, configure_encode_object_for_msgpack
from flet.messaging.session import Session
from flet.pubsub.pubsub_hub import PubSubHub

TURNS = 40  # of the event loop until everything that a tap caused is drawn


class _Wire(Connection):
    """The client's end: packs what is sent, for later patches build on it, and notes a crash."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.loop = loop
        self.pubsubhub = PubSubHub(loop)
        self.crashes: list[str] = []

    def send_message(self, message: Message) -> None:
        self.pack(message.body)
        if message.action is MessageAction.SESSION_CRASHED:
            self.crashes.append(message.body.message)

    def pack(self, body: object) -> bytes:
        return bytes(msgpack.packb(body, default=configure_encode_object_for_msgpack(BaseControl)))


class Screen:
    """One session with `component` on its page. Also runs `page.run_task` and async handlers."""

    def __init__(self, component: Callable[..., Any], *args: Any) -> None:
        self._component, self._args = component, args
        self._runner = asyncio.Runner()
        self.loop = self._runner.get_loop()
        self._wire = _Wire(self.loop)

    def __enter__(self) -> Screen:
        self._runner.__enter__()
        self._runner.run(self._open())
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.__exit__(None, None, None)

    async def _open(self) -> None:
        self.session = Session(self._wire)
        self.page = self.session.page
        _context_page.set(self.page)
        self._wire.pack(self.session.get_page_patch())  # the client has the empty page
        self.page.render(self._component, *self._args)
        await self._settle()

    async def _settle(self) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        assert not self._wire.crashes, self._wire.crashes[0]

    # seeing

    def controls(self) -> Iterator[BaseControl]:
        """Everything on the page, in reading order."""
        root = self.page.views[0].controls
        for control in root if isinstance(root, list) else [root]:
            yield from _walk(control)

    def names(self) -> list[str]:
        """The names of all buttons and fields."""
        return [name for control in self.controls() if (name := _name(control))]

    def texts(self) -> list[str]:
        """Every text on the screen, and what is only said to screen readers."""
        found = [control.value for control in self.controls() if isinstance(control, ft.Text)]
        found += [
            control.label
            for control in self.controls()
            if isinstance(control, ft.Semantics) and control.label
        ]
        return [text for text in found if text]

    def sees(self, text: str) -> bool:
        return any(text in shown for shown in self.texts())

    def field(self, name: str) -> ft.TextField:
        return cast(ft.TextField, self._find(name, ft.TextField))

    def is_enabled(self, name: str) -> bool:
        return not getattr(self._find(name), "disabled", False)

    # doing

    def tap(self, name: str) -> None:
        control = self._find(name)
        assert not getattr(control, "disabled", False), f"{name!r} is disabled"
        self.event(control, "click")

    def tap_twice(self, name: str) -> None:
        """The second tap comes before the screen has followed the first."""
        control = self._find(name)

        async def both() -> None:
            for _ in range(2):
                await self.session.dispatch_event(control._i, "click", None)

        self.run(both())

    def type_into(self, name: str, text: str, *, enter: bool = False) -> None:
        field = self.field(name)
        self.session.apply_patch(field._i, {"value": text})
        self.event(field, "change", text)
        if enter:
            self.event(self.field(name), "submit", text)

    def event(self, control: BaseControl, name: str, data: object = None) -> None:
        """What the client reports: an event of a control."""
        self.run(self.session.dispatch_event(control._i, name, data))

    def run(self, work: Any) -> Any:
        """Run a coroutine on the app's loop and let the screen follow."""

        async def both() -> Any:
            _context_page.set(self.page)
            result = await work
            await self._settle()
            return result

        return self._runner.run(both())

    def do(self, deed: Callable[[], Any]) -> Any:
        """Something happens behind the screen, on the app's loop; the screen follows."""

        async def deed_done() -> Any:
            return deed()

        return self.run(deed_done())

    def settle(self) -> None:
        self._runner.run(self._settle())

    def _find(self, name: str, kind: type[BaseControl] = BaseControl) -> BaseControl:
        """The control of exactly that name, else the only one whose name begins with it."""
        named = [
            (called, control)
            for control in self.controls()
            if isinstance(control, kind) and (called := _name(control))
        ]
        exact = [control for called, control in named if called == name]
        near = exact or [control for called, control in named if called.startswith(name)]
        assert len(near) == 1, f"{len(near)} controls are called {name!r}; there are: {self.names()}"
        return near[0]


def _walk(control: object) -> Iterator[BaseControl]:
    if isinstance(control, Component):
        body = control._b
        for part in body if isinstance(body, list) else [body]:
            yield from _walk(part)
    elif isinstance(control, BaseControl):
        if getattr(control, "visible", True):
            yield control
            for field in dataclasses.fields(control):
                if not field.metadata.get("skip") and not field.name.startswith("_"):
                    yield from _walk(getattr(control, field.name, None))
    elif isinstance(control, list):
        for item in control:
            yield from _walk(item)


def _name(control: BaseControl) -> str:
    match control:
        case ft.TextField():
            return str(control.label or "")
        case ft.IconButton():
            return str(getattr(control.icon, "label", None) or control.tooltip or "")
        case ft.FilledButton() | ft.OutlinedButton():
            return control.content.value if isinstance(control.content, ft.Text) else str(control.content)
        case ft.Container() if control.on_click and isinstance(control.content, ft.Semantics):
            return control.content.label or ""
    return ""
