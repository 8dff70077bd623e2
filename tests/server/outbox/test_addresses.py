"""A webhook leads to the open internet by https, and not into our own network."""

from __future__ import annotations

import pytest

from server.outbox.addresses import Boundary, Forbidden, Target
from shared.problems import BadValue


def boundary(*addresses: str, allowed: str = "") -> Boundary:
    return Boundary(allowed, lookup=lambda _host, _port: addresses)


class TestAddingAnAddress:
    @pytest.mark.parametrize(
        "url",
        [
            "http://example.com/hook",
            "ftp://example.com/",
            "javascript:alert(1)",
            "https://",
            "https://user:password@example.com/",
            "https://example.com/a b",
            "https://exämple.com/",
            "https://example.com:99999/",
            "https://example.com/" + "x" * 500,
            "",
        ],
    )
    def test_refuses_what_can_never_be_right(self, url: str):
        with pytest.raises(BadValue) as refused:
            Boundary().check_url(url)
        assert refused.value.field == "url"

    def test_takes_https_and_http_only_where_a_network_of_ours_is_allowed(self):
        Boundary().check_url("https://example.com/hook?x=1")
        Boundary("127.0.0.0/8").check_url("http://127.0.0.1:8080/hook")

    def test_that_is_a_number_inside_is_refused_as_it_is_added(self):
        with pytest.raises(BadValue, match="TRUCKROLL_WEBHOOK_NETWORKS") as refused:
            Boundary().check_url("https://10.0.0.1/hook")
        assert refused.value.field == "url"

    def test_a_setting_that_names_no_network_is_an_error(self):
        with pytest.raises(ValueError, match="banana"):
            Boundary("10.0.0.0/8, banana")


class TestConnecting:
    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",  # where clouds keep their secrets
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "fe80::1%eth0",
            "fc00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "::",
        ],
    )
    def test_is_refused_to_addresses_that_are_not_public(self, address: str):
        with pytest.raises(Forbidden):
            boundary(address).target("https://innocent.example/")

    def test_is_refused_when_one_of_several_addresses_is_not_public(self):
        with pytest.raises(Forbidden):
            boundary("93.184.216.34", "10.0.0.1").target("https://innocent.example/")

    def test_goes_to_the_addresses_that_were_judged(self):
        found = boundary("93.184.216.34", "2606:2800:220:1::1").target("https://example.com/hook?a=b")
        assert found == Target(
            "https", "example.com", 443, "/hook?a=b", ("93.184.216.34", "2606:2800:220:1::1")
        )

    def test_is_allowed_by_http_only_into_the_networks_that_the_setting_names(self):
        local = boundary("10.1.0.7", allowed="127.0.0.0/8, 10.1.0.0/16")
        assert local.target("http://gateway.local:8080").port == 8080
        with pytest.raises(Forbidden):
            boundary("10.2.0.7", allowed="10.1.0.0/16").target("https://gateway.local/")
        with pytest.raises(Forbidden, match="https"):
            boundary("93.184.216.34", allowed="10.1.0.0/16").target("http://example.com/")

    def test_says_when_a_name_has_no_address(self):
        with pytest.raises(OSError, match="no address"):
            boundary().target("https://example.com/")
