"""A tiny app for the tests of the builder: notes in a database, a scanner, and a photo to decode."""

import contextlib

import flet as ft

from mobile.device import fetch_transport, network, photos, scanner, storage
from mobile.device.config import load_config
from sync.client.transport import NoNetwork


async def main(page: ft.Page) -> None:
    page.title = "Placeholder"
    version = ft.Text("Version 1")
    status = ft.Text("Opening")
    rows = ft.Text("")
    note = ft.TextField(label="Note")
    scanned = ft.Text("Nothing scanned")
    reached = ft.Text("Server not asked")
    facts = ft.Text("Page not heard")

    async def open_it() -> None:
        nonlocal database
        try:
            database = await storage.open_database("placeholder")
        except storage.StorageError as error:
            status.value = f"{type(error).__name__}: {error}"
        else:
            database.connection.execute("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT)")
            database.commit()
            status.value = f"Open in {database.where}"
            show()
        page.update()

    def show() -> None:
        texts = [row[0] for row in database.connection.execute("SELECT text FROM note ORDER BY id")]
        rows.value = f"Notes: {', '.join(texts) or 'none'}"

    async def retry(_: ft.Event) -> None:
        await open_it()

    async def save(_: ft.Event) -> None:
        database.connection.execute("INSERT INTO note (text) VALUES (?)", (note.value,))
        database.commit()
        show()
        page.update()

    def judge(reading: scanner.Reading) -> str | None:
        return None if reading.text.startswith("HWTC") else f"Not that one: {reading.text}"

    async def scan(_: ft.Event) -> None:
        try:
            reading, *rest = await scanner.scanner().scan(
                title="Scan the ONT", hint="Hold still", judge=judge
            )
            scanned.value = f"Scanned {reading.text} {reading.symbology} {reading.source}, {len(rest)} more"
        except scanner.ScanClosed as closed:
            scanned.value = f"Closed: {closed.why}"
        except scanner.ScannerError as error:
            scanned.value = f"{type(error).__name__}: {error}"
        page.update()

    async def picture(_: ft.Event) -> None:
        data = await photos.pick_picture()
        if data is None:
            scanned.value = "No picture"
        else:
            try:
                readings = await scanner.scanner().read_picture(data)
                small = await photos.shrink(data)
                codes = " ".join(sorted(reading.text for reading in readings))
                scanned.value = f"Picture: {codes} ({small.width} x {small.height}, {small.jpeg[:2].hex()})"
            except (scanner.ScannerError, photos.PhotoError) as error:
                scanned.value = f"{type(error).__name__}: {error}"
        page.update()

    async def ask(_: ft.Event) -> None:
        transport = fetch_transport.BrowserTransport(load_config().api_base.rstrip("/"))
        try:
            answer = await transport.request(
                "POST", "/api/echo", headers={"x-test": "1"}, body=b"\x00\xffhello"
            )
            reached.value = f"Server: {answer.status} {answer.headers['content-type']} {answer.body!r}"
        except NoNetwork as error:
            reached.value = f"{type(error).__name__}: {error}"
        page.update()

    def hear(told: network.PageFacts) -> None:
        facts.value = f"Offline ready: {told.starts_offline}, update: {told.update_waiting}"
        with contextlib.suppress(Exception):
            page.update()

    database: storage.Database
    page.add(
        version,
        status,
        rows,
        note,
        ft.Row(
            [
                ft.Button("Save", on_click=save),
                ft.Button("Try again", on_click=retry),
                ft.Button("Scan", on_click=scan),
                ft.Button("Picture", on_click=picture),
                ft.Button("Ask", on_click=ask),
                ft.Button("Update", on_click=lambda _: network.accept_update()),
            ],
            wrap=True,
        ),
        scanned,
        reached,
        facts,
    )
    await open_it()
    network.say_opened()
    network.watch_page(hear)


ft.run(main)
