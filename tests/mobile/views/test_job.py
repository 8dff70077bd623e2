from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from day_of_work import PRODUCTS, the_orders

from mobile import words
from mobile.gateway import StockView
from mobile.views.job import NextStep, next_step, parts_unbooked, place_of, steps
from mobile.views.quantities import change_sign, read_number
from mobile.views.stock import stock_groups
from shared.visit_rules import missing_for_close
from shared.work_orders import (
    CheckResult,
    EvidenceKind,
    EvidenceRef,
    FittedAsset,
    PartLine,
    RemovedAsset,
    WorkOrderState,
)

LOOKUP = {product.sku: product for product in PRODUCTS}.get
AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
ORDERS = the_orders()
REPAIR, INSTALL, SWAP = ORDERS[:3]


def a_picture(kind: EvidenceKind) -> EvidenceRef:
    return EvidenceRef(
        kind=kind, digest="0" * 64, size_bytes=9, media_type="image/png", taken_at=AT, signer="M"
    )


def finished(order):
    """The same order with everything recorded that its close asks for."""
    checks = tuple(
        CheckResult(code=spec.code, value=spec.low or Decimal(1), unit=spec.unit, passed=True, at=AT)
        for spec in order.required_checks
    )
    fitted = tuple(
        FittedAsset(serial="ALCLB1A2C001", sku=need.skus[0], source_id=order.id)
        for need in order.required_equipment
    )
    removed = (RemovedAsset(serial="ALCLF00D0002", sku="ONT-G2425", reason="old"),)
    return replace(
        order,
        state=WorkOrderState.ON_SITE,
        checks=checks,
        fitted=fitted,
        removed=removed if order.removal_required else (),
        evidence=(a_picture(EvidenceKind.PHOTO), a_picture(EvidenceKind.SIGNATURE)),
    )


class TestPlannedParts:
    def test_are_named_until_some_are_booked(self):
        named = parts_unbooked(INSTALL, LOOKUP)
        booked = replace(INSTALL, parts=(PartLine(sku=INSTALL.required_parts[0].sku, quantity=1),))

        assert len(named) == len(INSTALL.required_parts)
        assert parts_unbooked(booked, LOOKUP) == named[1:]


class TestWords:
    @pytest.mark.parametrize(
        ("role", "said"), [("ont", "Scan the ONT"), ("ONT", "Scan the ONT"), ("router", "Scan the router")]
    )
    def test_write_an_abbreviation_in_capitals(self, role: str, said: str):
        assert words.fit(role) == said

    def test_say_a_limit_on_one_side_as_a_sentence(self):
        sentence = "-5 Mbit/s is not at least 90 Mbit/s. Mend the line, then measure again."
        assert words.outside("-5", "Mbit/s", "at least 90 Mbit/s") == sentence


class TestTheChecklist:
    @pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.kind.value)
    def test_asks_for_exactly_what_the_rules_miss(self, order):
        for visit in (order, finished(order)):
            waiting = [step for step in steps(visit, LOOKUP) if step.needed and not step.done]
            places = [place_of(problem, visit) for problem in missing_for_close(visit)]
            if order.checklist is not None:  # is one step, however much of it is left
                first = places.index("checks")
                places = [p for n, p in enumerate(places) if p != "checks" or n == first]
            assert [step.screen for step in waiting] == places

    def test_follows_the_hands_of_a_technician(self):
        assert [step.screen for step in steps(SWAP, LOOKUP)] == [
            "swap", "swap", "checks", "checks", "parts", "sign",
        ]  # fmt: skip

    def test_shows_a_failed_measurement_as_failed(self):
        result = CheckResult(code="optical_power", value=Decimal("-31.2"), unit="dBm", passed=False, at=AT)
        power = steps(replace(REPAIR, checks=(result,)), LOOKUP)[0]

        assert (power.failed, power.done) == (True, False)
        assert power.detail == "-31.2 dBm is outside -27 to -8 dBm. Mend the line, then measure again."


class TestTheNextStep:
    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            (WorkOrderState.ASSIGNED, NextStep(text="Start travel", action="start_travel")),
            (WorkOrderState.TRAVELLING, NextStep(text="Arrived", action="arrive")),
            (WorkOrderState.ON_SITE, NextStep(text="Scan the ONT", action="open", screen="scan")),
            (WorkOrderState.COMPLETED, NextStep(text="Back to today", action="back")),
        ],
    )
    def test_follows_the_state(self, state, expected):
        order = replace(INSTALL, state=state)
        assert next_step(order, steps(order, LOOKUP)) == expected

    def test_is_the_close_when_nothing_is_missing(self):
        order = finished(INSTALL)
        assert next_step(order, steps(order, LOOKUP)) == NextStep(
            text="Check and close", action="open", screen="close"
        )


class TestTypedNumbers:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("-18.4", Decimal("-18.4")),
            ("-18,4", Decimal("-18.4")),
            ("\N{MINUS SIGN}18,4 ", Decimal("-18.4")),
            ("1 000", Decimal("1000")),
            ("\u200e-١٨٫٤", Decimal("-18.4")),
            ("", None),
            ("fast", None),
            ("NaN", None),
            ("Infinity", None),
        ],
    )
    def test_reads_what_people_type(self, text, value):
        assert read_number(text) == value

    def test_changes_the_sign_back_and_forth(self):
        assert change_sign("18.4") == "-18.4"
        assert change_sign(change_sign("18.4")) == "18.4"


class TestTheVan:
    def test_lists_what_is_low_once_and_first(self):
        ont, _, _, drop, *_ = PRODUCTS
        views = [
            StockView(product=drop, on_hand=240, reserved=80, used_unbooked=35, par=300, low=False),
            StockView(product=ont, on_hand=2, reserved=2, used_unbooked=1, par=6, low=True, serials=("A",)),
        ]
        (refill, low), (parts, counted) = stock_groups(views)

        assert (refill, [row.name for row in low]) == ("Refill", ["ONT, 4 ports, Wi-Fi 5"])
        assert low[0].facts == (
            "2 promised to jobs",
            "1 used, booked when the job closes",
            "should be 6",
            "take 5 along",
        )
        assert (parts, [(row.count, row.facts) for row in counted]) == (
            "Parts",
            [("205 m", ("80 m promised to jobs", "35 m used, booked when the job closes"))],
        )
