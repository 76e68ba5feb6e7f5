"""Messages: subjects that can be read back, ids that make one of equal ticks, rows without loss."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.errors import RecordingError
from ticks.adapter.jetstream.message import (
    MARGIN_S,
    Message,
    MessageEncoder,
    decode_message,
    subject_of,
)
from ticks.adapter.rows.decode import Recorded
from ticks.adapter.tick import Mode
from ticks.adapter.wire.packet import LAYOUTS, PACKET_SIZES

NS = 1_800_000_000_000_000_000
WINDOW_S = 120.0
INDEX = "99926000"
SYMBOLS = {(1, INDEX): "Nifty 50", (1, "2885"): "RELIANCE-EQ"}


def ltp_packet(
    token: str | bytes = "2885", *, sequence: int = 7, time_ms: int = 5, price: int = 9
) -> bytes:
    raw = token.encode() if isinstance(token, str) else token
    return LAYOUTS[Mode.LTP].pack(Mode.LTP, 1, raw, sequence, time_ms, price)


class Recorder(NamedTuple):
    """What one recorder makes of the packets that it receives."""

    encoder: MessageEncoder

    def ids(self, *packets: bytes, at_s: float = 0.0) -> list[str]:
        return [self.encoder.encode(NS + int(at_s * 1e9), each).message_id for each in packets]


def recorder() -> Recorder:
    return Recorder(MessageEncoder("ticks", SYMBOLS, window_s=WINDOW_S))


def encoded(packet: bytes) -> Message:
    return recorder().encoder.encode(NS, packet)


def test_a_subject_names_exchange_and_token() -> None:
    assert encoded(ltp_packet(INDEX)).subject == "ticks.NSE.99926000"


def test_an_exchange_without_a_name_is_its_number() -> None:
    packet = bytes([1, 200]) + ltp_packet()[2:]
    assert encoded(packet).subject == "ticks.200.2885"


@given(st.text(max_size=25), st.text(max_size=25))
def test_any_token_makes_a_subject_that_can_be_read_back(exchange: str, token: str) -> None:
    subject = subject_of("ticks", exchange, token)
    parts = subject.split(".")
    assert len(parts) == 3
    assert [unquote(part) if part != "%" else "" for part in parts[1:]] == [exchange, token]
    assert all(parts)
    assert subject.isascii()
    assert not set(subject) & set("*> \t\r\n\0")


@given(st.integers(0, 2**62), st.text(max_size=40), st.binary(min_size=400, max_size=500))
def test_a_message_gives_back_the_row_byte_for_byte(
    received_us: int, symbol: str, noise: bytes
) -> None:
    received_ns = received_us % 10**16 * 1000
    for mode in (Mode.LTP, Mode.QUOTE, Mode.SNAP):
        packet = bytes([mode, 1]) + b"2885".ljust(25, b"\0") + noise[: PACKET_SIZES[mode] - 27]
        encoder = MessageEncoder("ticks", {(1, "2885"): symbol}, window_s=WINDOW_S)
        body = encoder.encode(received_ns, packet).body
        assert decode_message(body) == Recorded(received_ns, symbol, packet)


def test_what_the_broker_may_add_to_a_packet_is_kept() -> None:
    packet = ltp_packet() + b"a field of next year"
    assert decode_message(encoded(packet).body).packet == packet


def test_a_symbol_that_is_learned_later_is_in_the_next_message() -> None:
    symbols: dict[tuple[int, str], str] = {}
    encoder = MessageEncoder("ticks", symbols, window_s=WINDOW_S)
    assert decode_message(encoder.encode(NS, ltp_packet()).body).symbol == ""
    symbols[1, "2885"] = "RELIANCE-EQ"
    assert decode_message(encoder.encode(NS, ltp_packet()).body).symbol == "RELIANCE-EQ"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x01",
        encoded(ltp_packet()).body[:-1],
        b"\x02" + encoded(ltp_packet()).body[1:],
        encoded(ltp_packet()).body[:9] + b"\xff\xff" + encoded(ltp_packet()).body[11:],
        encoded(bytes([2]) + ltp_packet()[1:] + bytes(72)).body.replace(b"\x02\x01", b"\x09\x01"),
        b"hello, world: a text of some other program",
    ],
)
def test_a_message_that_holds_no_tick_is_damage(body: bytes) -> None:
    with pytest.raises(RecordingError):
        decode_message(body)


# --- message ids ---------------------------------------------------------------------------------


def test_two_recorders_of_one_feed_make_the_same_ids() -> None:
    packets = [ltp_packet(), ltp_packet(INDEX, sequence=0), ltp_packet(INDEX, sequence=0)]
    assert recorder().ids(*packets) == recorder().ids(*packets, at_s=0.25)


def test_a_packet_with_a_sequence_is_one_tick_however_often_it_comes() -> None:
    one = recorder()
    assert len(set(one.ids(ltp_packet(), ltp_packet(), ltp_packet()))) == 1


def test_equal_packets_without_a_sequence_are_as_many_ticks_as_came() -> None:
    packet = ltp_packet(INDEX, sequence=0)
    assert len(set(recorder().ids(packet, packet, packet))) == 3


@pytest.mark.parametrize(
    "other",
    [
        ltp_packet(sequence=8),
        ltp_packet(price=10),
        ltp_packet(time_ms=6),
        ltp_packet(token="2886"),
        bytes([1, 3]) + ltp_packet()[2:],
        bytes([2]) + ltp_packet()[1:] + bytes(72),
    ],
    ids=["sequence", "price", "time", "token", "exchange", "mode"],
)
def test_ticks_that_differ_in_anything_have_ids_of_their_own(other: bytes) -> None:
    first, second = recorder().ids(ltp_packet(), other)
    assert first != second


def test_what_follows_the_token_and_the_last_field_makes_no_other_tick() -> None:
    clean, garbage = ltp_packet(), ltp_packet(b"2885\0garbage")
    assert clean != garbage
    first, second, third = recorder().ids(clean, garbage, clean + b"more")
    assert first == second == third


def test_the_nth_of_equal_packets_is_the_nth_for_a_recorder_that_began_later() -> None:
    """Together the two bring three ticks: those that the one saw from the first."""
    packet = ltp_packet(INDEX, sequence=0)
    early, late = recorder(), recorder()
    assert set(late.ids(packet, packet)) < set(early.ids(packet, packet, packet))


def test_a_count_lasts_as_long_as_the_server_knows_ids_and_then_begins_again_for_both() -> None:
    packet, kept_s = ltp_packet(INDEX, sequence=0), WINDOW_S + MARGIN_S
    early, late = recorder(), recorder()
    first = early.ids(packet)
    second = early.ids(packet, at_s=kept_s)
    assert second != first
    third = early.ids(packet, at_s=2 * kept_s)
    assert third not in (first, second)
    assert early.ids(packet, at_s=3 * kept_s + 1) == first
    assert late.ids(packet, at_s=3 * kept_s + 1.5) == first


def test_the_memory_of_counts_does_not_grow_with_the_day() -> None:
    one = recorder()
    for second in range(2_000):
        one.ids(ltp_packet(INDEX, sequence=0, time_ms=second), at_s=float(second))
    assert len(one.encoder._counts._seen) <= WINDOW_S + MARGIN_S + 1


def test_an_id_is_fit_for_a_header_whatever_the_token_is() -> None:
    (one,) = recorder().ids(ltp_packet("a b\r\nX: y"))
    assert one.isascii()
    assert not set(one) & set(" \r\n:")
