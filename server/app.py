"""Put the rooms together: one application, one database."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy import select, text
from starlette.concurrency import run_in_threadpool

from server.access import routes as access
from server.attachments import routes as attachments
from server.attachments.filing import Attachments
from server.customers import new_time
from server.customers import routes as customers
from server.db.engine import Database
from server.db.feed_models import HistoryRow
from server.db.upkeep import upkeep
from server.dependencies import answer_problems
from server.dispatch import (
    board_feed,
    board_routes,
    crew_page,
    link_routes,
    mend_routes,
    override_routes,
    plan_record_routes,
    plan_records,
    plan_routes,
    policy_page,
    policy_routes,
    preference_routes,
    slot_routes,
    timesheet_routes,
    what_if_page,
    what_if_routes,
    working_day,
)
from server.faults import page as faults_page
from server.field import routes as field
from server.field.doorbell import Doorbell
from server.inbox import pages as inbox_pages
from server.inbox import routes as inbox
from server.live import Live
from server.metrics import metrics
from server.openapi import DescribedApi
from server.outbox import page as outbox_page
from server.outbox import routes as outbox
from server.outbox.running import sending
from server.purchasing import page as returns_page
from server.purchasing import routes as returns
from server.pwa.routes import mount_app
from server.settings import Settings
from server.web.assets import mount_static
from server.web.headers import SafeHeaders
from server.web.request_log import RequestLog
from server.work_orders import routes as work_orders

log = structlog.get_logger("truckroll.http")

PWA_FOLDER = Path(__file__).resolve().parents[1] / "build" / "pwa"
"""Where ./dev demo builds the technician app, and `serve` looks for it."""


def build_app(settings: Settings, *, pwa_folder: Path = PWA_FOLDER) -> FastAPI:
    """The whole server on `settings`. Its database must have been migrated."""
    database = Database(settings.database_url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            upkeep(database, plan_records.forget),
            app.state.live.running(),
            app.state.doorbell.running(),
            app.state.attachments.partials.sweeping(),
            sending(database, settings),
        ):
            yield
        database.close()

    # No /docs and /redoc: they would run scripts of another site on ours.
    app = DescribedApi(title="Truckroll", version="0.1.0", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.database = database
    app.state.settings = settings
    app.state.attachments = Attachments.of(database, settings)
    app.state.live = Live(database, board_feed.render)
    app.state.doorbell = Doorbell(database)
    app.state.live.also.append(app.state.doorbell.wake)
    answer_problems(app)
    app.add_middleware(RequestLog)
    app.add_middleware(SafeHeaders, https=settings.base_url.startswith("https:"))
    for router in (
        field.router,  # routes are tried in turn, and nobody comes as often as the phones
        access.router,
        work_orders.router,
        attachments.router,
        board_routes.router,
        crew_page.router,
        plan_routes.router,
        policy_routes.router,
        policy_page.router,
        mend_routes.router,
        link_routes.router,
        preference_routes.router,
        slot_routes.router,
        plan_record_routes.router,
        what_if_routes.router,
        what_if_page.router,
        working_day.router,
        override_routes.router,
        timesheet_routes.router,
        inbox.router,
        inbox_pages.router,
        faults_page.router,
        customers.router,
        new_time.router,
        outbox.router,
        outbox_page.router,
        returns.router,
        returns_page.router,
    ):
        app.include_router(router)
    app.add_api_route("/healthz", healthz, methods=["GET"], include_in_schema=False)
    app.add_api_route("/metrics", metrics, methods=["GET"], include_in_schema=False)
    app.add_api_route("/", lambda: RedirectResponse("/board"), methods=["GET"], include_in_schema=False)
    mount_static(app, settings)
    mount_app(app, pwa_folder)
    return app


async def healthz(request: Request) -> Response:
    """200 while the database answers, else 503."""

    def ask() -> str:
        database: Database = request.app.state.database
        with database.read() as session:
            session.execute(text("SELECT 1"))
            return str(session.scalars(select(HistoryRow.epoch)).one())

    try:
        epoch = await run_in_threadpool(ask)
    except Exception as error:  # whatever is wrong with the database, the answer is "not healthy"
        log.error("unhealthy", error=str(error))
        return JSONResponse({"status": "database away"}, status_code=503)
    return JSONResponse({"status": "ok", "history": epoch})


def configure_logging(level: str) -> None:
    """JSON lines on standard error."""
    logging.basicConfig(level=level, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(file=__import__("sys").stderr),
    )
