from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.feed import ledger as ledger_module
from ticks.adapter.feed.ledger import Ledger
from ticks.adapter.instrument import InstrumentKey
from ticks.adapter.tick import Mode

SIZES = {Mode.LTP: 51, Mode.QUOTE: 123, Mode.SNAP: 379}
NIFTY: InstrumentKey = (1, "99926000")


def packet(
    sequence: int, token: bytes = b"2885", mode: int = Mode.LTP, exchange: int = 1, extra: int = 0
) -> bytes:
    head = struct.pack("<BB25sq", mode, exchange, token, sequence)
    return head.ljust(SIZES[Mode(mode)] + extra, b"\0")


def book(*modes: Mode, unordered: set[InstrumentKey] | None = None) -> Ledger:
    return Ledger(set(modes or (Mode.LTP,)), unordered or set())


def test_well_packets_pass_in_order_and_are_counted() -> None:
    ledger = book(Mode.LTP, Mode.QUOTE)
    packets = [packet(1), packet(2, mode=Mode.QUOTE), packet(3), packet(4, token=b"1594")]
    assert ledger.take(packets, 5.0) == packets
    assert ledger.ticks == 4
    assert (ledger.malformed, ledger.out_of_order, ledger.duplicates) == (0, 0, 0)


def test_the_last_packet_of_each_instrument_and_mode_is_kept() -> None:
    ledger = book(Mode.LTP, Mode.QUOTE)
    ledger.take([packet(1), packet(2, mode=Mode.QUOTE)], 5.0)
    ledger.take([packet(3)], 7.5)
    ltp = ledger.seen[((1, "2885"), Mode.LTP)]
    assert (ltp.packet, ltp.at_s, ltp.ticks, ltp.sequence) == (packet(3), 7.5, 2, 3)
    quote = ledger.seen[((1, "2885"), Mode.QUOTE)]
    assert (quote.at_s, quote.ticks) == (5.0, 1)


def test_the_same_token_on_two_exchanges_is_two_instruments() -> None:
    ledger = book()
    ledger.take([packet(7, exchange=1), packet(7, exchange=3)], 0.0)
    assert set(ledger.seen) == {((1, "2885"), Mode.LTP), ((3, "2885"), Mode.LTP)}
    assert ledger.duplicates == 0


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "length"),
        (b"\x01", "length"),
        (packet(1)[:50], "length"),
        (packet(1)[:34], "length"),
        (b"\x09" + packet(1)[1:], "mode"),
        (b"\x00" * 51, "mode"),
        (packet(1, mode=Mode.SNAP), "mode"),  # nobody subscribed to it
        (packet(1, token=b"\xff\xfe"), "token"),
    ],
)
def test_a_malformed_packet_is_counted_by_reason_and_goes_no_further(
    bad: bytes, reason: str
) -> None:
    ledger = book()
    good = packet(1)
    assert ledger.take([good, bad, packet(2)], 0.0) == [good, packet(2)]
    assert (ledger.ticks, ledger.malformed) == (2, 1)
    assert ledger.malformed_by_reason == {reason: 1}


def test_a_known_instrument_s_short_packet_is_malformed_too() -> None:
    ledger = book(Mode.QUOTE)
    whole = packet(1, mode=Mode.QUOTE)
    ledger.take([whole], 0.0)
    for size in (35, 51, 122):
        assert ledger.take([whole[:size]], 0.0) == []
    assert ledger.malformed_by_reason == {"length": 3}
    assert ledger.seen[((1, "2885"), Mode.QUOTE)].ticks == 1


def test_a_longer_packet_is_well() -> None:
    ledger = book()
    longer = packet(1, extra=8)
    assert ledger.take([longer], 0.0) == [longer]


def test_a_jump_of_the_sequence_proves_nothing() -> None:
    ledger = book()
    ledger.take([packet(1), packet(1000), packet(2, token=b"1594")], 0.0)
    assert (ledger.out_of_order, ledger.duplicates) == (0, 0)


def test_a_packet_behind_its_successor_or_twice_is_counted_and_kept() -> None:
    ledger = book()
    packets = [packet(5), packet(4), packet(6), packet(6)]
    assert ledger.take(packets, 0.0) == packets
    assert (ledger.out_of_order, ledger.duplicates) == (1, 1)


def test_the_sequence_of_an_index_means_nothing() -> None:
    ledger = book(unordered={NIFTY})
    ledger.take([packet(9, token=b"99926000"), packet(3, token=b"99926000")], 0.0)
    assert (ledger.out_of_order, ledger.duplicates) == (0, 0)


def test_sequence_zero_is_no_sequence() -> None:
    ledger = book()
    ledger.take([packet(5), packet(0), packet(0)], 0.0)
    assert (ledger.out_of_order, ledger.duplicates) == (0, 0)


def test_a_new_connection_starts_the_order_anew() -> None:
    ledger = book()
    ledger.take([packet(5)], 0.0)
    ledger.reopened()
    ledger.take([packet(5)], 0.0)
    ledger.take([packet(4)], 0.0)
    assert (ledger.out_of_order, ledger.duplicates) == (1, 0)


def test_garbage_behind_the_token_makes_no_new_instrument() -> None:
    ledger = book()
    ledger.take([packet(1), packet(1, token=b"2885\0garbage"), packet(2)], 0.0)
    assert list(ledger.seen) == [((1, "2885"), Mode.LTP)]
    assert ledger.duplicates == 1


def test_endless_garbage_behind_tokens_does_not_grow_the_book(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger_module, "_MOST_HEADS", 10)
    ledger = book()
    for number in range(100):
        ledger.take([packet(number + 1, token=b"2885\0" + str(number).encode())], 0.0)
    assert len(ledger.seen) == 1
    assert len(ledger._by_head) <= 10
    assert ledger.ticks == 100


@given(st.lists(st.binary(max_size=60) | st.builds(packet, st.integers(0, 2**62)), max_size=20))
def test_whatever_comes_each_packet_is_either_passed_or_counted(packets: list[bytes]) -> None:
    ledger = book()
    passed = ledger.take(packets, 0.0)
    assert len(passed) + ledger.malformed == len(packets)
    assert ledger.ticks == len(passed)
    assert sum(ledger.malformed_by_reason.values()) == ledger.malformed
    assert all(len(p) >= 51 and p[0] == Mode.LTP for p in passed)
