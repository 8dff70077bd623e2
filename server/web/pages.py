"""Rendering pages: one template environment, and the headers that every page of ours carries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from server.access.guard import reader_of, settings_of
from shared.problems import Problem

HERE = Path(__file__).parent
VENDOR = HERE / "vendor"

# MapLibre starts its worker from our own file; `blob:` is for browsers where it wraps that in a blob.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # a customer's link is a secret that sits in the address
    "Cache-Control": "no-store",
}


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def fragment(template: str, values: Mapping[str, Any]) -> str:
    """One template as text."""
    return _templates().get_template(template).render(values)


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """One page. `company` is there for every template; `person` is None where nobody is signed in."""
    known = {"person": None, "company": settings_of(request).company, **values}
    return HTMLResponse(fragment(template, known), status_code=status, headers=HEADERS)


def refused(request: Request, problem: Problem, status: int) -> HTMLResponse:
    """What a page's reader is told where an API route answers problem+json."""
    return page(request, "refused.html", status=status, person=reader_of(request), here="", problem=problem)


def map_library_is_here() -> bool:
    return (VENDOR / "maplibre-gl" / "maplibre-gl.mjs").is_file()
