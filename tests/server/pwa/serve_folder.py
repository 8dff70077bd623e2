"""A server process for the tests: python serve_folder.py FOLDER PORT. It can be stopped for real."""

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response

from server.pwa.routes import mount_app

app = FastAPI()
mount_app(app, Path(sys.argv[1]))


@app.post("/api/echo")
async def echo(request: Request) -> Response:
    return Response(await request.body(), media_type="application/octet-stream")


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
