from __future__ import annotations

import flet as ft

from mobile.parts.pull import Pull

TYPES = ft.ScrollType


def event(kind: ft.ScrollType, pixels: float = 0, overscroll: float | None = None) -> ft.OnScrollEvent:
    return ft.OnScrollEvent(
        name="scroll",
        control=ft.Column(),
        event_type=kind,
        pixels=pixels,
        min_scroll_extent=0,
        max_scroll_extent=500,
        viewport_dimension=600,
        overscroll=overscroll,
    )


class TestPullingDown:
    def pulls(self, *events: ft.OnScrollEvent) -> int:
        told: list[int] = []
        pull = Pull(lambda: told.append(1))
        for one in events:
            pull.on_scroll(one)
        return len(told)

    def test_tells_once_a_drag_when_android_held_enough_back(self):
        held = [event(TYPES.OVERSCROLL, overscroll=-20) for _ in range(8)]

        assert self.pulls(*held[:3]) == 0
        assert self.pulls(*held) == 1
        assert self.pulls(*held, event(TYPES.END), event(TYPES.START), *held) == 2

    def test_tells_when_ios_went_far_enough_beyond_the_beginning(self):
        assert self.pulls(event(TYPES.UPDATE, -40), event(TYPES.UPDATE, -69)) == 0
        assert self.pulls(event(TYPES.UPDATE, -40), event(TYPES.UPDATE, -71), event(TYPES.UPDATE, -90)) == 1

    def test_is_not_meant_by_the_end_of_a_list_or_a_flick_that_ends_at_the_beginning(self):
        assert self.pulls(*[event(TYPES.OVERSCROLL, 500, overscroll=30) for _ in range(5)]) == 0
        assert self.pulls(event(TYPES.UPDATE, 10), event(TYPES.OVERSCROLL, overscroll=-12)) == 0
