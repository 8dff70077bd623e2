"""The built app with a server in memory that has the made-up day, today.

    .venv/bin/python tests/serve_day.py FOLDER PORT        # FOLDER: what `python -m server.pwa` built

Sign in with AINO-0001 to AINO-0005. The server answers by the product's own rules, and forgets when it ends.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import day_of_work
import uvicorn
from fake_server import FakeServer, Town
from fastapi import FastAPI, Request, Response

from server.pwa.routes import mount_app
from shared.assets import Asset
from shared.catalogue import Product
from shared.stock import StockLine
from shared.work_orders import WorkOrder


def now() -> datetime:
    return datetime.now(UTC)


def the_town() -> Town:
    rows = day_of_work.moved_to(now())
    return Town(
        profiles={day_of_work.AINO: day_of_work.PROFILE},
        orders={row.id: row for row in rows if isinstance(row, WorkOrder)},
        assets={row.serial: row for row in rows if isinstance(row, Asset)},
        stock={(row.stock_place_id, row.sku): row.on_hand for row in rows if isinstance(row, StockLine)},
        products={row.sku: row for row in rows if isinstance(row, Product)},
    )


CODES = tuple(f"AINO-000{number}" for number in range(1, 6))
office = FakeServer(
    now=now, town=the_town(), codes=dict.fromkeys(CODES, day_of_work.AINO), actor=day_of_work.AINO
)
app = FastAPI()
mount_app(app, Path(sys.argv[1]))


@app.api_route("/{path:path}", methods=["POST", "PUT", "PATCH", "HEAD"])
async def anything(request: Request) -> Response:
    headers = {name.title(): value for name, value in request.headers.items()}
    body = await request.body()
    answer = await office.request(request.method, request.url.path, headers=headers, body=body)
    return Response(answer.body, answer.status, dict(answer.headers))


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
