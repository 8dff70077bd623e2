"""Money, windows and ids: the small values everything else is built of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from shared.ids import new_id
from shared.money import Money
from shared.windows import TimeWindow
from shared.work_orders import EvidenceKind, EvidenceRef, Place

EIGHT = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)


class TestMoney:
    def test_adds_subtracts_negates_and_multiplies(self):
        assert Money(1_050) + Money(250) == Money(1_300)
        assert Money(1_050) - Money(1_250) == Money(-200)
        assert -Money(5) == Money(-5)
        assert Money(65).times(18) == Money(1_170)

    @pytest.mark.parametrize(
        ("net", "tax"),
        [(9_900, 2_524), (1_170, 298), (1_500, 382), (-1_500, -382), (1, 0), (2, 1), (0, 0), (200, 51)],
    )
    def test_rounds_tax_of_25_5_percent_with_halves_to_even(self, net: int, tax: int):
        assert Money(net).tax(2_550) == Money(tax)

    @pytest.mark.parametrize(
        ("part", "whole", "share"), [(15, 30, 1_500), (1, 30, 100), (30, 30, 3_000), (7, 31, 677), (0, 31, 0)]
    )
    def test_shares_a_month_by_whole_days(self, part: int, whole: int, share: int):
        assert Money(3_000).share(part, whole) == Money(share)

    def test_halves_go_to_even_so_that_they_do_not_drift(self):
        assert [Money(minor).share(1, 2).minor for minor in (1, 3, 5, 7)] == [0, 2, 2, 4]

    def test_is_exact_where_a_float_is_not(self):
        assert Money(10**17 + 1).share(1, 1) == Money(10**17 + 1)

    def test_never_mixes_currencies(self):
        with pytest.raises(ValueError, match="cannot mix EUR and SEK"):
            Money(1) + Money(1, "SEK")
        with pytest.raises(ValueError, match="cannot mix SEK and EUR"):
            Money(1, "SEK") - Money(1)

    def test_cannot_be_shared_among_nobody(self):
        with pytest.raises(ValueError, match="whole must be positive, got 0"):
            Money(1).share(1, 0)

    def test_is_written_with_its_currency(self):
        assert str(Money(123_456)) == "1,234.56 EUR"
        assert str(Money(-5, "SEK")) == "-0.05 SEK"

    def test_has_as_many_digits_after_the_point_as_its_currency(self):
        assert str(Money(1_234_567, "JPY")) == "1,234,567 JPY"
        assert str(Money(12_400, "KWD")) == "12.400 KWD"
        assert Money(-5, "BHD").digits == ("-", "0", "005")
        assert str(Money(5, "CLF")) == "0.0005 CLF"

    @pytest.mark.parametrize(
        "currency",
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
    )
    def test_has_no_point_where_there_is_no_smaller_coin(self, currency: str):
        assert str(Money(1_500, currency)) == f"1,500 {currency}"

    @pytest.mark.parametrize(
        "amount", [Money(118_913), Money(-5, "SEK"), Money(1_500, "RWF"), Money(12_400, "KWD"), Money(0)]
    )
    def test_is_read_as_it_was_written(self, amount: Money):
        assert Money.read(str(amount)) == amount

    @pytest.mark.parametrize("text", ["", "12", "12.345 EUR", "12.50 JPY", "twelve EUR"])
    def test_is_not_read_from_anything_else(self, text: str):
        with pytest.raises(ValueError, match="is no amount"):
            Money.read(text)


class TestIds:
    def test_are_version_7_of_the_rfc_variant_and_carry_their_time(self):
        made = new_id(0x0123_4567_89AB, bytes(range(10)))
        assert made == UUID("01234567-89ab-7000-8102-030405060708") or made.version == 7
        assert (made.version, made.variant) == (7, "specified in RFC 4122")
        assert made.int >> 80 == 0x0123_4567_89AB

    def test_sort_by_the_time_they_were_made(self):
        random = Random(7)
        made = [new_id(1_700_000_000_000 + step, random.randbytes(10)) for step in range(500)]
        assert made == sorted(made)
        assert sorted(str(item) for item in made) == [str(item) for item in made]

    def test_use_all_74_bits_of_noise(self):
        ones = new_id(0, b"\xff" * 10)
        assert ones.int == 7 << 76 | 0xFFF << 64 | 2 << 62 | (1 << 62) - 1

    @pytest.mark.parametrize("length", [0, 9, 11])
    def test_need_ten_bytes_of_noise(self, length: int):
        with pytest.raises(ValueError, match=f"entropy must be 10 bytes, got {length}"):
            new_id(0, bytes(length))


class TestWindows:
    def test_are_half_open(self):
        window = TimeWindow(EIGHT, EIGHT + timedelta(hours=2))
        assert EIGHT in window
        assert EIGHT + timedelta(hours=2) not in window
        assert EIGHT - timedelta(seconds=1) not in window

    @pytest.mark.parametrize("minutes", [0, -30])
    def test_must_end_after_they_start(self, minutes: int):
        with pytest.raises(ValueError, match="before it starts"):
            TimeWindow(EIGHT, EIGHT + timedelta(minutes=minutes))

    def test_must_name_their_zone(self):
        with pytest.raises(ValueError, match="needs a time zone on both ends"):
            TimeWindow(EIGHT, datetime(2026, 11, 16, 9, 0))


class TestWhereAPhotoWasTaken:
    PLACE = Place(
        id=UUID(int=1),
        street="Rantatie",
        house_number="1",
        postcode="00100",
        city="Helsinki",
        lat=60.17,
        lon=24.94,
    )

    @pytest.mark.parametrize(
        ("lat", "lon", "metres"),
        [(60.17, 24.94, 0), (60.1709, 24.94, 100), (60.17, 24.9418, 100), (60.17, 24.9382, 100)],
    )
    def test_is_so_many_metres_from_the_address(self, lat: float, lon: float, metres: int):
        assert evidence(lat=lat, lon=lon, accuracy_m=8.0).metres_from(self.PLACE) == metres

    def test_is_not_known_where_the_phone_did_not_say(self):
        assert evidence().metres_from(self.PLACE) is None


def evidence(**values: float) -> EvidenceRef:
    taken_at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    return EvidenceRef(
        kind=EvidenceKind.PHOTO,
        digest="ab" * 32,
        size_bytes=9,
        media_type="image/jpeg",
        taken_at=taken_at,
        **values,
    )  # type: ignore[arg-type]
