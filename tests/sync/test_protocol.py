"""The wire: pinned, exact, and plain about what it cannot read."""

from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

import msgspec
import pytest

from shared.commands import FIELD_COMMANDS, RecordCheck
from shared.problems import Malformed, NewerSchema, UnknownCommand
from sync.protocol import (
    PROTOCOL,
    PushedCommand,
    SyncRequest,
    decode_command,
    decode_image,
    decode_request,
    decode_response,
    encode,
    wire_schema,
)

ORDER = UUID("01930000-0000-7000-8000-000000000001")
COMMAND = UUID("01930000-0000-7000-8000-000000000002")
NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)

PINNED = {5: "2932dc02c4699c231b42e5b7bcd5d4bfc23770de2ba2c43e98be36ec59314e18"}
"""Protocol version → SHA-256 of the wire schema. A change of shape needs a new version."""


def pushed(type: str = "record_check", schema: int = 1, body: bytes | None = None) -> PushedCommand:
    content = body or encode(RecordCheck(work_order_id=ORDER, code="optical_power", value=Decimal("-19.50")))
    return PushedCommand(
        id=COMMAND, seq=1, type=type, schema=schema, made_at=NOON, base_version=3, body=msgspec.Raw(content)
    )


class TestTheWireSchema:
    def test_changes_only_together_with_the_protocol_version(self) -> None:
        canonical = msgspec.json.encode(wire_schema(), order="sorted")
        assert PINNED[PROTOCOL] == sha256(canonical).hexdigest()

    def test_covers_every_command_a_phone_may_send(self) -> None:
        assert {shape.__name__ for shape in FIELD_COMMANDS.values()} <= set(wire_schema())


class TestARequest:
    def test_comes_back_as_it_went_with_decimals_to_the_last_digit(self) -> None:
        request = SyncRequest(
            protocol=PROTOCOL, app_version="1", device_now=NOON, queue_length=1, commands=(pushed(),)
        )
        again = decode_request(encode(request))
        assert again == request
        assert decode_command(again.commands[0]) == RecordCheck(
            work_order_id=ORDER, code="optical_power", value=Decimal("-19.50")
        )
        assert str(decode_command(again.commands[0]).value) == "-19.50"  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        ("body", "field"), [(b'{"protocol":1}', None), (b'{"protocol":"one"}', "protocol")]
    )
    def test_that_does_not_fit_names_the_field(self, body: bytes, field: str | None) -> None:
        with pytest.raises(Malformed) as refused:
            decode_request(body)
        assert refused.value.field == field


class TestACommand:
    def test_of_an_unknown_type_says_what_to_update(self) -> None:
        with pytest.raises(UnknownCommand, match="does not know 'teleport': update the server or the app"):
            decode_command(pushed(type="teleport"))

    def test_of_a_newer_shape_says_which_versions_there_are(self) -> None:
        with pytest.raises(NewerSchema, match="sends version 9, the server reads up to 1"):
            decode_command(pushed(schema=9))

    def test_with_a_wrong_value_names_the_field(self) -> None:
        with pytest.raises(Malformed) as refused:
            decode_command(pushed(body=b'{"work_order_id":"not an id","code":"x","value":"1"}'))
        assert refused.value.field == "work_order_id"


class TestAnAnswer:
    @pytest.mark.parametrize("body", [b"", b"<html>Welcome to the hotel</html>", b'{"protocol":1,"rec'])
    def test_that_is_not_the_servers_is_malformed(self, body: bytes) -> None:
        with pytest.raises(Malformed):
            decode_response(body)

    def test_row_of_an_unknown_kind_is_malformed(self) -> None:
        with pytest.raises(Malformed, match="unknown kind of row: spaceship"):
            decode_image("spaceship", b"{}")
