"""Photos of the finished work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

import flet as ft

from mobile import theme, words
from mobile.device.photos import PhotoError, pick_picture, shrink
from mobile.device.place import Spot, here
from mobile.parts.blocks import line
from mobile.parts.frame import frame
from mobile.parts.taken import Taken
from mobile.parts.touch import primary
from mobile.screens.guard import gone
from mobile.state import Desk
from shared.work_orders import EvidenceKind

PLACE_SECONDS = 3.0


async def _in_time(where: asyncio.Future[Spot | None] | None) -> Spot | None:
    """Nobody waits for satellites with a photo in hand."""
    if where is None:
        return None
    try:
        return await asyncio.wait_for(where, PLACE_SECONDS)
    except TimeoutError:
        return None


async def photo_and_spot(desk: Desk, set_busy: Callable[[bool], None]) -> Taken | None:
    """Have a photo taken, with its place where that was chosen; None: there is none, and it was said why."""
    # Asked for while the photo is taken: it is ready by then, or the photo does without.
    where = asyncio.ensure_future(here()) if desk.gateway.photos_say_where else None
    try:
        picture = await pick_picture()
        if picture is None:
            return None
        set_busy(True)
        photo = await shrink(picture)
        spot = await _in_time(where)
    except PhotoError as error:
        desk.tell(str(error), "bad")
        return None
    finally:
        set_busy(False)
        if where:
            where.cancel()
    said = f"{words.SAVED}. {words.NO_PLACE}" if where and spot is None else None
    return Taken(jpeg=photo.jpeg, spot=spot, said=said)


async def take_photo(
    desk: Desk, order_id: UUID, set_busy: Callable[[bool], None], *, check: str | None = None
) -> bool:
    """Have a photo taken and keep it, for the item `check` of the checklist or of the finished work."""
    taken = await photo_and_spot(desk, set_busy)
    if taken is None:
        return False
    return desk.keep(
        lambda: desk.gateway.add_photo(order_id, taken.jpeg, "image/jpeg", check=check, spot=taken.spot),
        said=taken.said,
    )


@ft.component
def Photo(desk: Desk, order_id: UUID) -> ft.Control:
    busy, set_busy = ft.use_state(False)
    order = desk.gateway.order(order_id)
    if order is None:
        return gone(desk, words.PHOTO)

    async def take() -> None:
        await take_photo(desk, order_id, set_busy)

    photos = [item for item in order.evidence if item.kind is EvidenceKind.PHOTO and item.check is None]
    pictures: list[ft.Control] = []
    for number, item in enumerate(photos, start=1):
        if (data := desk.gateway.evidence_bytes(item.digest)) is not None:
            pictures.append(
                ft.Container(
                    content=ft.Image(
                        src=data,
                        fit=ft.BoxFit.COVER,
                        height=220,
                        semantics_label=words.photo_number(number),
                        gapless_playback=True,
                    ),
                    border_radius=theme.RADIUS,
                    clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
                )
            )
    bottom = []
    if not order.state.is_over:
        text = words.WORKING_ON_PHOTO if busy else words.TAKE_ANOTHER if photos else words.TAKE_PHOTO
        bottom.append(primary(text, take, icon=ft.Icons.PHOTO_CAMERA, disabled=busy))
    return frame(
        desk,
        words.PHOTO,
        [line(words.photos(len(photos)) if photos else words.NO_PHOTO, bold=bool(photos)), *pictures],
        second=f"{order.place.street} {order.place.house_number}",
        back=True,
        bottom=bottom,
    )
