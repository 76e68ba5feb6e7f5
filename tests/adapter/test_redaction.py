from __future__ import annotations

import re
import time

import pytest

from ticks.adapter.redaction import redacted, remember, shown

JWT = "eyJhbGciOiJIUzUxMiJ9.eyJ1c2VybmFtZSI6IkExMjMifQ.c2lnbmF0dXJl-_x"


def test_what_was_remembered_is_masked_wherever_it_stands() -> None:
    remember("Feed-Token-1", "4321", None, "", "abc")
    text = "pin4321, 'Feed-Token-1', xFeed-Token-1x, abc"
    assert redacted(text) == "pin***, '***', x***x, abc"


def test_a_pin_inside_a_longer_number_is_that_number() -> None:
    remember("5309")
    assert redacted("at 15309 and 53090, not 5309.") == "at 15309 and 53090, not ***."


@pytest.mark.parametrize(
    "text",
    [
        'GET /?p=p%C3%A4/s%20s%26"w'.replace("/", "%2F").replace('"', "%22"),
        "GET /?p=p%c3%a4%2fs%20s%26%22w",
        "p%C3%A4%2Fs+s%26%22w",
        r'{"p": "p\u00e4/s s&\"w"}',
        "<b>pä/s s&amp;&quot;w</b>",
    ],
)
def test_a_secret_is_masked_as_addresses_json_and_html_write_it(text: str) -> None:
    remember('pä/s s&"w')
    assert "***" in redacted(text)
    assert not re.search("s s|s%20s|s[+]s", redacted(text))


def test_the_longer_of_two_secrets_is_masked_whole() -> None:
    remember("refresh-token", "refresh-token-of-today")
    assert redacted("refresh-token-of-today") == "***"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"token {JWT} refused", "token *** refused"),
        ("Authorization: Bearer some.token-here", "Authorization: Bearer ***"),
        ("b'Proxy-Authorization: Basic c29tZTpib2R5'", "b'Proxy-Authorization: Basic ***'"),
        ("http://me:hunter2@proxy:3128 is down", "http://***@proxy:3128 is down"),
        (f"x-{JWT}; eyJhbGci.only-two", "x-***; ***"),
        ("http://me:hun#ter/2@proxy:3128 is down", "http://***@proxy:3128 is down"),
    ],
)
def test_what_looks_secret_is_masked_without_having_been_remembered(text: str, masked: str) -> None:
    assert redacted(text) == masked


@pytest.mark.parametrize(
    "text", ["Basic plan", "https://angelone.in/a/b", "mail me@example.com", "eyJ"]
)
def test_what_only_looks_a_little_alike_is_left(text: str) -> None:
    assert redacted(text) == text


def test_a_message_is_one_printable_line_masked_before_it_is_cut() -> None:
    remember("long-secret-token")
    text = shown("bad\x1b[31m \n token " + "x" * 10 + "long-secret-token" + "!" * 500, limit=35)
    assert text == "bad [31m token xxxxxxxxxx***!!!!!!!"


@pytest.mark.parametrize(
    "part",
    [
        "://",
        "eyJ",
        "eyJ-",
        "eyJ.",
        "eyJa.",
        "-eyJ",
        "bearer ",
        "bearer:=",
        "a:b@",
        "://@",
        "<://",
        " ",
    ],
)
def test_a_megabyte_of_what_looks_secret_is_masked_in_no_time(part: str) -> None:
    text = part * ((1 << 20) // len(part))
    began_s = time.process_time()
    redacted(text)
    assert time.process_time() - began_s < 5.0
