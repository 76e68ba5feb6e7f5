"""Texts become values, or a reason that a person understands."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import inf

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.errors import UsageError
from ticks.adapter.tick import Mode
from ticks.cli.options.parsers import (
    accounts,
    checked_symbols,
    client_code,
    color,
    columns,
    command,
    count,
    duration_s,
    exchange,
    host_port,
    mode,
    nats_address,
    on_full,
    port,
    rate,
    shard,
    size,
    speed,
    symbol,
    until_ns,
)

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=IST)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("1h30m", 5400.0),
        ("250ms", 0.25),
        ("1.5s", 1.5),
        ("30d", 2_592_000.0),
        ("1d12h", 129_600.0),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "10", "s", "-5s", "0s", "5 minutes", "nan", "1e3s", "9999999h", "٣s"]
)
def test_a_duration_that_makes_no_sense_is_named(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"is not a valid duration|has no unit|is not between"
    ) as caught:
        duration_s(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("15:30", "15:30:00"),
        ("14:01", "14:01:00"),
        ("15:30:10", "15:30:10"),
        ("2026-11-20T15:00", "15:00:00"),
    ],
)
def test_a_time_of_day_is_meant_in_india(text: str, hour: str) -> None:
    expected = datetime.combine(NOW.date(), datetime.strptime(hour, "%H:%M:%S").time(), IST)  # noqa: DTZ007
    assert until_ns(text, NOW) == expected.timestamp() * 10**9


def test_a_time_that_has_passed_says_how_to_write_tomorrow() -> None:
    with pytest.raises(ValueError, match=r"has passed.*2026-11-21T13:59"):
        until_ns("13:59", NOW)


def test_a_time_more_than_a_year_away_is_refused_before_a_wait_overflows() -> None:
    with pytest.raises(ValueError, match="more than a year away"):
        until_ns("9999-12-31T23:59", NOW)


@pytest.mark.parametrize("text", ["", "25:00", "noon", "15.30", "2026-13-01T10:00"])
def test_a_time_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid time"):
        until_ns(text, NOW)


def test_a_time_with_its_own_zone_keeps_it() -> None:
    later = NOW + timedelta(hours=1)
    assert until_ns("2026-11-20T09:30:00+00:00", NOW) == later.timestamp() * 10**9


def test_modes_have_three_names_and_a_withdrawn_one() -> None:
    assert [mode(text) for text in ("ltp", "QUOTE", " snap ")] == [Mode.LTP, Mode.QUOTE, Mode.SNAP]
    with pytest.raises(ValueError, match="withdrew depth"):
        mode("depth")
    with pytest.raises(ValueError, match="'full' is not a valid mode"):
        mode("full")


def test_a_shard_is_one_of_its_parts() -> None:
    assert shard("2/3") == (2, 3)
    for text in ("0/3", "4/3", "1", "a/b", "1/0", "-1/2", ""):
        with pytest.raises(ValueError, match="is not a valid shard"):
            shard(text)


def test_a_full_buffer_drops_or_stops() -> None:
    assert (on_full("drop"), on_full("STOP")) == ("drop", "stop")
    with pytest.raises(ValueError, match="'wait' is not valid; use drop or stop"):
        on_full("wait")


@pytest.mark.parametrize("text", ["9" * 5_000, "9" * 400, "-" + "9" * 5_000])
def test_a_number_of_thousands_of_digits_is_too_large_and_shown_in_part(text: str) -> None:
    with pytest.raises(ValueError, match="is not between 1 and 1,000,000,000") as caught:
        count(text)
    assert len(str(caught.value)) < 200
    with pytest.raises(ValueError, match="is not between") as caught:
        duration_s(f"{'9' * 5_000}h")
    assert len(str(caught.value)) < 200


def test_a_duration_without_a_unit_shows_the_units() -> None:
    with pytest.raises(ValueError, match="'90' has no unit; write 90s, 90m or 90h"):
        duration_s("90")


@pytest.mark.parametrize("text", ["0001-01-01T00:00+14:00", "0001-01-01T00:00", "2020-02-29T10:00"])
def test_a_day_that_has_passed_is_not_offered_for_tomorrow(text: str) -> None:
    with pytest.raises(ValueError, match=r"has passed: it is 14:00:00 IST on 2026-11-20$"):
        until_ns(text, NOW)


def test_a_speed_is_a_number_or_max() -> None:
    assert (speed("10"), speed("0.5"), speed("MAX")) == (10, 0.5, inf)
    for text in ("10x", "0", "-1", "nan", "inf", "", "9" * 5_000):
        with pytest.raises(ValueError, match="is not a valid speed; write a number over 0"):
            speed(text)


@pytest.mark.parametrize(
    ("names", "value", "remedy"),
    [
        (["NIFTY,RELIANCE"], "'NIFTY,RELIANCE'", "ticks stream NIFTY RELIANCE"),
        (["NIFTY,", "M&M"], "'NIFTY,'", "ticks stream NIFTY 'M&M'"),
        (["Nifty 50, SBIN"], "'Nifty 50, SBIN'", "ticks stream 'Nifty 50' SBIN"),
        (["NIFTY", "help"], "'help'", "ticks stream --help"),
        (["NIFTY", "\u2014csv"], "'\u2014csv'", "type it: --csv"),
        (["NIFTY", "\u2013-csv"], "'\u2013-csv'", "type it: --csv"),
    ],
)
def test_what_was_not_meant_as_a_symbol_says_what_to_type(
    names: list[str], value: str, remedy: str
) -> None:
    with pytest.raises(UsageError) as caught:
        checked_symbols(names, "stream")
    assert value in caught.value.message
    assert caught.value.remedy == remedy


def test_symbols_are_kept_and_blank_ones_left_out() -> None:
    assert checked_symbols(["NIFTY", " ", "NIFTY chain 10"], "stream") == (
        "NIFTY",
        "NIFTY chain 10",
    )


def test_colour_is_one_of_three_words() -> None:
    assert [color(text) for text in ("auto", "ALWAYS", "never")] == ["auto", "always", "never"]
    with pytest.raises(ValueError, match="'yes' is not valid; use auto, always or never"):
        color("yes")


def test_an_exchange_is_one_of_the_known_in_any_case() -> None:
    assert exchange(" nfo ") == "NFO"
    with pytest.raises(ValueError, match="'2' is not an exchange; use one of NSE, NFO"):
        exchange("2")


def test_a_client_code_has_letters_and_digits() -> None:
    assert client_code(" A123456 ") == "A123456"
    for text in ("", "A 1", "-1", "\u0663", "A,B"):
        with pytest.raises(ValueError, match="is not a client code"):
            client_code(text)


def test_a_symbol_is_not_blank() -> None:
    assert symbol("NIFTY") == "NIFTY"
    with pytest.raises(ValueError, match="'' is not a symbol"):
        symbol("")


def test_accounts_have_an_upper_bound() -> None:
    assert accounts("6") == 6
    with pytest.raises(ValueError, match="not between 1 and 1,000"):
        accounts("1000000")


def test_digits_of_other_scripts_are_not_numbers() -> None:
    for parse in (count, port, rate, speed):
        with pytest.raises(ValueError, match="'\u0663' is not a"):
            parse("\u0663")


def test_no_time_at_all_is_not_asked_for_its_unit() -> None:
    with pytest.raises(ValueError, match="'0' is not between 1ms and 366 days"):
        duration_s("0")


def test_a_speed_with_an_x_says_what_to_write() -> None:
    with pytest.raises(ValueError, match=r"'25x' is not a valid speed; .* such as 25, or max"):
        speed("25x")


def test_a_count_is_a_whole_number_from_one_on() -> None:
    assert [count("1"), count("100_000")] == [1, 100_000]
    for text in ("", "x", "1.5", "1e3", "1k"):
        with pytest.raises(ValueError, match="is not a whole number"):
            count(text)
    with pytest.raises(ValueError, match="'0' is not between 1 and"):
        count("0")


def test_a_port_and_a_rate_have_their_bounds() -> None:
    assert (port("0"), port("65535"), rate("0"), rate("0.5")) == (0, 65535, 0.0, 0.5)
    with pytest.raises(ValueError, match="not between 0 and 65,535"):
        port("65536")
    for text in ("-1", "inf", "nan", "fast"):
        with pytest.raises(ValueError, match="is not a valid rate"):
            rate(text)


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("1", 1),
        ("500MB", 500_000_000),
        ("20 gb", 20_000_000_000),
        ("2T", 2 * 10**12),
        ("7kB", 7_000),
    ],
)
def test_a_size_is_read(text: str, bytes_: int) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5GB", "lots", "5 XB", "GB"])
def test_a_size_that_makes_no_sense_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid size") as caught:
        size(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("9100", ("127.0.0.1", 9100)),
        (":9100", ("127.0.0.1", 9100)),
        ("0.0.0.0:0", ("0.0.0.0", 0)),
        ("recorder-a.example.org:9100", ("recorder-a.example.org", 9100)),
        ("[::1]:9100", ("::1", 9100)),
    ],
)
def test_an_address_to_listen_on_may_leave_its_host_out(
    text: str, address: tuple[str, int]
) -> None:
    assert host_port(text) == address


@pytest.mark.parametrize("text", ["", "host", "host:", "1:2:3", "::1:9100", "70000", "a b:1", "-1"])
def test_an_address_to_listen_on_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address to listen on") as caught:
        host_port(text)
    assert repr(text) in str(caught.value)


def test_an_address_of_nats_is_read_and_what_is_none_is_shown_with_an_example() -> None:
    assert str(nats_address(" nats://desk/DAY ")) == "nats://desk:4222/DAY"
    with pytest.raises(ValueError, match="example: nats://"):
        nats_address("desk:4222")


def test_a_secret_in_an_address_of_nats_is_not_shown() -> None:
    with pytest.raises(ValueError, match="user name") as refused:
        nats_address("nats://desk:wolpertinger@desk")
    assert "wolpertinger" not in str(refused.value)


# --- what a pipe shows ----------------------------------------------------------------------------


def test_columns_are_names_between_commas_in_any_case() -> None:
    assert columns("symbol, LTP ,volume") == ("symbol", "ltp", "volume")
    for text in ("", "symbol,,ltp", ",", "symbol,"):
        with pytest.raises(ValueError, match="lacks a name"):
            columns(text)


def test_a_command_is_not_empty() -> None:
    assert command("cat >> x") == "cat >> x"
    with pytest.raises(ValueError, match="empty"):
        command(" ")
