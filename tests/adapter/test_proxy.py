from __future__ import annotations

import pytest

from ticks.adapter.errors import ProxyError, TicksError, UsageError
from ticks.adapter.proxy import Proxy, proxy_for, read_proxy

BROKER = "https://apiconnect.angelone.in/rest"
FEED = "wss://smartapisocket.angelone.in/smart-stream"
SECRET = "hunter2"


@pytest.mark.parametrize("url", [BROKER, FEED, "https://broker.example:8443"])
@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    "value", ["proxy.example:3128", "http://proxy.example:3128", "HTTP://proxy.example:3128/"]
)
def test_each_variable_names_the_proxy_of_rest_and_feed_with_or_without_scheme(
    url: str, variable: str, value: str
) -> None:
    assert proxy_for(url, {variable: value}) == Proxy("proxy.example", 3128, variable)


def test_without_a_variable_there_is_no_proxy_and_http_proxy_is_none() -> None:
    assert proxy_for(BROKER, {"HTTP_PROXY": "proxy:1", "http_proxy": "proxy:1"}) is None


def test_the_first_variable_that_is_set_decides_and_an_empty_one_means_none() -> None:
    assert proxy_for(BROKER, {"https_proxy": "", "HTTPS_PROXY": "a:1", "ALL_PROXY": "b:1"}) is None
    found = proxy_for(BROKER, {"HTTPS_PROXY": "a:1", "all_proxy": "b:1"})
    assert found is not None
    assert found.host == "a"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "127.8.8.8"])
def test_this_machine_is_reached_directly_by_any_of_its_names(host: str) -> None:
    assert proxy_for(f"https://{host}:8443", {"HTTPS_PROXY": "proxy:3128"}) is None


@pytest.mark.parametrize(
    "exceptions",
    [
        "*",
        "angelone.in",
        ".angelone.in",
        "*.angelone.in",
        "APICONNECT.ANGELONE.IN.",
        "example.com, angelone.in",
        "example.com angelone.in",
        "angelone.in:443",
        "example.com;angelone.in",
        "https://apiconnect.angelone.in/",
    ],
)
@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
def test_a_name_in_no_proxy_is_reached_directly_with_its_subdomains(
    variable: str, exceptions: str
) -> None:
    assert proxy_for(BROKER, {"HTTPS_PROXY": "proxy:3128", variable: exceptions}) is None


@pytest.mark.parametrize(
    "exceptions",
    [
        "",
        ",",
        ".",
        "gelone.in",
        "connect.angelone.in",
        "angelone.in:8443",
        "angelone.in.example",
        "10.0.0.0/8",
        "in:x",
    ],
)
def test_what_only_ends_or_begins_alike_is_not_meant(exceptions: str) -> None:
    assert proxy_for(BROKER, {"HTTPS_PROXY": "proxy:3128", "NO_PROXY": exceptions}) is not None


@pytest.mark.parametrize(
    ("host", "exceptions", "is_direct"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3:443", True),
        ("10.1.2.3", "10.1.2.3:80", False),
        ("10.1.2.3", "192.168.0.0/16,::/0", False),
        ("10.1.2.3", "2.3", False),
        ("[fd00::1]", "fd00::/8", True),
        ("[fd00::1]", "[fd00::1]", True),
        ("[fd00::1]", "[fd00::1]:443", True),
        ("[fd00::1]", "fd00::2", False),
    ],
)
def test_addresses_and_networks_in_no_proxy_mean_addresses(
    host: str, exceptions: str, is_direct: bool
) -> None:
    environ = {"HTTPS_PROXY": "proxy:3128", "NO_PROXY": exceptions}
    assert (proxy_for(f"https://{host}/", environ) is None) is is_direct


@pytest.mark.parametrize(
    ("value", "pair"),
    [
        ("http://me:hunter2@proxy:3128", b"me:hunter2"),
        ("me:hunter2@proxy:3128", b"me:hunter2"),
        ("http://me%40home:pass%20word%23@proxy:3128", b"me@home:pass word#"),
        ("http://me:p@ss@proxy:3128", b"me:p@ss"),
        ("http://me@proxy:3128", b"me:"),
        ("http://me:50%@proxy:3128", b"me:50%"),
        ("http://me:पासवर्ड@proxy:3128", "me:पासवर्ड".encode()),
        ("http://@proxy:3128", None),
    ],
)
def test_user_and_password_are_decoded_and_stay_out_of_the_repr(
    value: str, pair: bytes | None
) -> None:
    found = read_proxy("HTTPS_PROXY", value)
    assert (found.address, found.user_and_password) == ("proxy:3128", pair)
    assert "me" not in repr(found)
    assert (found.authorization is None) is (pair is None)


def test_an_ipv6_proxy_is_written_in_brackets() -> None:
    found = read_proxy("HTTPS_PROXY", "http://[fd00::1]:3128")
    assert (found.host, found.port, found.address) == ("fd00::1", 3128, "[fd00::1]:3128")


def test_a_proxy_without_a_port_listens_on_80() -> None:
    assert read_proxy("HTTPS_PROXY", "proxy.example").port == 80


def refusal(value: str) -> TicksError:
    with pytest.raises(TicksError) as caught:
        proxy_for(BROKER, {"HTTPS_PROXY": value})
    error = caught.value
    assert error.values["variable"] == "HTTPS_PROXY"
    assert "HTTPS_PROXY" in str(error)
    assert SECRET not in str(error) + repr(error.values)
    return error


@pytest.mark.parametrize(
    "value",
    [
        f"http://me:{SECRET}#word@proxy:3128",
        f"http://me:{SECRET}/word@proxy:3128",
        f"http://me:{SECRET}?word@proxy:3128",
        f"http://me:{SECRET} word@proxy:3128",
        f"me:{SECRET}://@proxy",
        f"http://me:{SECRET}@",
        f"http://me:{SECRET}@proxy:port",
        f"http://proxy:{SECRET}",
        f"http://me:{SECRET}@proxy:99999",
        f"http://me:{SECRET}@proxy:0",
        f"http://me:{SECRET}@[proxy:3128",
        f"http://me:{SECRET}@proxy:3128/path",
        f"http://me:{SECRET}@pro xy:3128",
        "http:/proxy:3128",
        "http//proxy:3128",
        "http://",
        "://",
        ":3128",
        "@",
    ],
)
def test_a_value_that_names_no_proxy_is_refused_without_showing_it(value: str) -> None:
    error = refusal(value)
    assert error.kind in ("proxy-value", "proxy-scheme")
    assert not error.can_retry


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4", "SOCKS", "https", SECRET])
def test_another_kind_of_proxy_is_refused_in_words(scheme: str) -> None:
    error = refusal(f"{scheme}://me:{SECRET}@proxy:1080")
    assert (type(error), error.kind) == (ProxyError, "proxy-scheme")
    assert (scheme.lower() in str(error)) is (scheme != SECRET)


def test_a_value_is_judged_only_where_the_proxy_is_used() -> None:
    environ = {"HTTPS_PROXY": "http://", "NO_PROXY": "angelone.in"}
    assert proxy_for(BROKER, environ) is None
    with pytest.raises(UsageError):
        proxy_for("https://broker.example", environ)
