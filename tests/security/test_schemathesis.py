"""The API against its own description: schemathesis asks everything, rightly and wrongly, as four callers.

`SCHEMATHESIS_EXAMPLES=200 ./dev test tests/security/test_schemathesis.py` asks for longer; the seed is fixed.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import databases
import pytest
import schemathesis
import structlog
from callers import STAFF, Doors, csrf_token, standing
from schemathesis.engine import events, from_schema

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "2"))
SEED = 20_261_122

# A stream that is granted never ends: tests/server/dispatch/test_board_live.py reads it.
STREAMS = r"/events$"

CHECKS = {
    # 422 is also our answer where every value can be read and a rule forbids it ("say why the job is
    # cancelled"): JSON Schema can't say these. So this check is weak here. 413 is a
    # picture above 10 MB.
    "positive_data_acceptance": {
        "expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", "413", "422", "429"]
    },
    # tus 1.0.0 prescribes 412 where its version is missing.
    "missing_required_header": {"expected-statuses": ["401", "403", "412", "422"]},
    "negative_data_rejection": {
        "expected-statuses": ["401", "403", "404", "405", "409", "412", "413", "415", "422", "429"]
    },
}
ALL_CHECKS = {
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
    "object_level_authorization",
}


@schemathesis.serializer("application/offset+octet-stream")
def piece_of_an_upload(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("schemathesis")
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with databases.migrated_database("sqlite", folder) as url, standing(url, folder, started=False) as made:
        for _ in range(3):
            made.world.order()
        yield made
        # schemathesis started the application, on an event loop of its own.
        schemathesis.python.asgi.shutdown_lifespans()
    structlog.configure(**before)


def authorised(caller: str) -> dict[str, Any]:
    if caller == "nobody":
        return {}
    if caller in STAFF:
        session = {"api_key": f"session of {caller}"}
        return {"openapi": {"session": session, "csrf": {"api_key": csrf_token(caller)}}}
    return {"openapi": {"device": {"bearer": f"token of {caller}"}}}


def asked(doors: Doors, caller: str) -> tuple[Counter[str], list[str]]:
    """How often each check was made, and what it found."""
    config = schemathesis.Config.from_dict(
        {
            "seed": SEED,
            "auth": authorised(caller),
            "checks": CHECKS,
            "continue-on-failure": True,
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
        }
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", doors.client.app, config=config)
    made: Counter[str] = Counter()
    wrong: list[str] = []
    for event in from_schema(schema.exclude(path_regex=STREAMS)).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            wrong.append(str(event))
        if not isinstance(event, events.ScenarioFinished):
            continue
        for checks in event.recorder.checks.values():
            for check in checks:
                made[check.name] += 1
                if found := check.failure_info:
                    failure = found.failure
                    wrong.append(f"{failure.operation}: {check.name}: {failure.message}\n{found.code_sample}")
    return made, wrong


@pytest.mark.parametrize("caller", ["admin", "dispatcher", "ana", "nobody"])
class TestTheApiIsAsItSays:
    def test_to(self, doors: Doors, caller: str):
        made, wrong = asked(doors, caller)
        assert not wrong, f"{len(wrong)} findings:\n" + "\n\n".join(wrong[:5])
        assert set(made) == ALL_CHECKS, "a check was not made, or there is a new one"
        assert made["not_a_server_error"] > 200


class TestWhatIsSaid:
    def test_every_operation_says_how_it_refuses(self, doors: Doors):
        document = doors.client.get("/openapi.json").json()
        problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                refusals = {
                    status: answer for status, answer in operation["responses"].items() if status >= "4"
                }
                assert all(answer["content"] == problem for answer in refusals.values()), (method, path)
                assert "500" not in refusals
                if operation.get("security"):
                    assert {"401", "403"} <= set(refusals), (method, path)

    def test_every_change_of_the_office_asks_for_session_and_token(self, doors: Doors):
        document = doors.client.get("/openapi.json").json()
        open_to_all = {"/api/session", "/api/devices/register"}
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if method in ("get", "head", "options") or path in open_to_all:
                    continue
                assert operation["security"] in ([{"session": [], "csrf": []}], [{"device": []}]), path
