"""What routes ask for: the database, the settings, the speaking device, and how a Problem is answered."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import iter_route_contexts
from pydantic import BeforeValidator
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from server.access.guard import reader_of
from server.db.engine import Database
from server.settings import Settings
from server.web import pages
from shared.problems import Malformed, NotFound, Problem, ServerFault, TooMany
from sync.server.ports import TryAgain


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


DatabaseDep = Annotated[Database, Depends(_database)]
SettingsDep = Annotated[Settings, Depends(_settings)]


def _written_out(value: object) -> object:
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)):
        return value
    raise ValueError("write the day as 2026-11-23")


Day = Annotated[date, BeforeValidator(_written_out)]
"""A day as ISO 8601 has it. Pydantic alone would also read 0 as a day of 1970."""


def problem_response(problem: Problem, status: int | None = None) -> Response:
    """`status` where the road to us says more than the problem's own; the body says the same."""
    body = problem.as_json() | {"status": status or problem.status}
    seconds = problem.retry_seconds if isinstance(problem, TooMany) else 0
    return JSONResponse(
        body,
        status_code=status or problem.status,
        media_type="application/problem+json",
        headers={"Retry-After": str(seconds)} if seconds else None,
    )


def _answer(request: Request, problem: Problem, status: int | None = None) -> Response:
    """As a page for who reads pages."""
    answer = problem_response(problem, status)
    if reader_of(request) is None:
        return answer
    shown = pages.refused(request, problem, answer.status_code)
    if seconds := answer.headers.get("Retry-After"):
        shown.headers["Retry-After"] = seconds
    return shown


def answer_problems(app: FastAPI) -> None:
    """Every refusal leaves as application/problem+json (RFC 9457), and of a page as a page."""

    @app.exception_handler(Problem)
    async def refused(request: Request, problem: Problem) -> Response:
        return _answer(request, problem)

    @app.exception_handler(RequestValidationError)
    async def unreadable(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:]) or None
        return _answer(request, Malformed(f"{field or 'The request'}: {first['msg']}", field=field))

    @app.exception_handler(HTTPException)
    async def by_the_framework(request: Request, error: HTTPException) -> Response:
        """An unknown path, a method that is not offered; a redirect to the sign-in stays one."""
        if error.status_code < 400:
            return await http_exception_handler(request, error)
        problem = _of_status(error, request)
        unreadable = isinstance(problem, Malformed)
        answer = _answer(request, problem, None if unreadable else error.status_code)
        answer.headers.update(error.headers or {})
        if error.status_code == 405:
            answer.headers["Allow"] = ", ".join(_methods_at(request))
        return answer

    @app.exception_handler(OperationalError)
    @app.exception_handler(PoolTimeout)
    @app.exception_handler(TryAgain)
    async def busy(request: Request, _error: Exception) -> Response:
        problem = ServerFault("The database is busy or away. Nothing was lost; try again in a moment")
        return _answer(request, problem, status=503)

    @app.exception_handler(Exception)
    async def our_mistake(request: Request, _error: Exception) -> Response:
        return _answer(request, ServerFault("Our server made a mistake, and it is noted. Try again"))


def _methods_at(request: Request) -> list[str]:
    """All that is offered at this address: the framework names the methods of the first route only."""
    path = request.scope["path"]
    routes = [route for route in iter_route_contexts(request.app.routes) if route.methods and route.path]
    here = [route for route in routes if compile_path(route.path or "")[0].match(path)]
    return sorted({method for route in here for method in route.methods or ()})


def _of_status(error: HTTPException, request: Request) -> Problem:
    if error.status_code == 404:
        return NotFound("There is nothing at this address")
    if error.status_code == 405:
        return Problem(f"{request.method} is not offered at this address")
    if error.status_code == 400:
        return Malformed("The request can't be read: is it JSON in UTF-8?")
    return Problem(str(error.detail))
