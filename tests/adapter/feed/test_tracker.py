from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.feed import tracker as ledger_module
from ticks.adapter.feed.tracker import PacketTracker
from ticks.adapter.instrument import InstrumentKey
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.market.state import MarketWatch
from ticks.adapter.tick import Mode
from ticks.adapter.wire.subscription import Unit

SIZES = {Mode.LTP: 51, Mode.QUOTE: 123, Mode.SNAP: 379}
NIFTY: InstrumentKey = (1, "99926000")
NOW_MS = 1_800_000_000_000


def packet(
    sequence: int,
    token: bytes = b"2885",
    mode: int = Mode.LTP,
    exchange: int = 1,
    extra: int = 0,
    exchange_ms: int = 0,
) -> bytes:
    head = struct.pack("<BB25sqq", mode, exchange, token, sequence, exchange_ms)
    return head.ljust(SIZES[Mode(mode)] + extra, b"\0")


class Book(PacketTracker):
    """A tracker for which no exchange time is ahead of the clock."""

    def take(
        self, packets: list[bytes], now_s: float, limit_ms: int = NOW_MS + 60_000
    ) -> list[bytes]:
        return super().take(packets, now_s, limit_ms)


def book(*modes: Mode, unordered: set[InstrumentKey] | None = None) -> Book:
    market = MarketWatch(MarketCalendar(), silence_after_s=30.0)
    tracker = Book(unordered or set(), market.segment)
    tracker.carry(
        Unit(exchange_type, token, mode)
        for exchange_type in (1, 3)
        for token in ("2885", "1594", "99926000")
        for mode in modes or (Mode.LTP,)
    )
    return tracker


def test_well_packets_pass_in_order_and_are_counted() -> None:
    tracker = book(Mode.LTP, Mode.QUOTE)
    packets = [packet(1), packet(2, mode=Mode.QUOTE), packet(3), packet(4, token=b"1594")]
    assert tracker.take(packets, 5.0) == packets
    assert tracker.ticks == 4
    assert (tracker.malformed, tracker.out_of_order, tracker.duplicates) == (0, 0, 0)


def test_the_last_packet_of_each_instrument_and_mode_is_kept() -> None:
    tracker = book(Mode.LTP, Mode.QUOTE)
    tracker.take([packet(1), packet(2, mode=Mode.QUOTE)], 5.0)
    tracker.take([packet(3)], 7.5)
    ltp = tracker.seen[((1, "2885"), Mode.LTP)]
    assert (ltp.packet, ltp.at_s, ltp.ticks, ltp.sequence) == (packet(3), 7.5, 2, 3)
    quote = tracker.seen[((1, "2885"), Mode.QUOTE)]
    assert (quote.at_s, quote.ticks) == (5.0, 1)


def test_the_same_token_on_two_exchanges_is_two_instruments() -> None:
    tracker = book()
    tracker.take([packet(7, exchange=1), packet(7, exchange=3)], 0.0)
    assert set(tracker.seen) == {((1, "2885"), Mode.LTP), ((3, "2885"), Mode.LTP)}
    assert tracker.duplicates == 0


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "length"),
        (b"\x01", "length"),
        (packet(1)[:50], "length"),
        (packet(1)[:34], "length"),
        (b"\x09" + packet(1)[1:], "mode"),
        (b"\x00" * 51, "mode"),
        (packet(1, token=b"\xff\xfe"), "token"),
    ],
)
def test_a_malformed_packet_is_counted_by_reason_and_goes_no_further(
    bad: bytes, reason: str
) -> None:
    tracker = book()
    good = packet(1)
    assert tracker.take([good, bad, packet(2)], 0.0) == [good, packet(2)]
    assert (tracker.ticks, tracker.malformed) == (2, 1)
    assert tracker.malformed_by_reason == {reason: 1}


def test_a_known_instrument_s_short_packet_is_malformed_too() -> None:
    tracker = book(Mode.QUOTE)
    whole = packet(1, mode=Mode.QUOTE)
    tracker.take([whole], 0.0)
    for size in (35, 51, 122):
        assert tracker.take([whole[:size]], 0.0) == []
    assert tracker.malformed_by_reason == {"length": 3}
    assert tracker.seen[((1, "2885"), Mode.QUOTE)].ticks == 1


def test_a_longer_packet_is_well() -> None:
    tracker = book()
    longer = packet(1, extra=8)
    assert tracker.take([longer], 0.0) == [longer]


def test_a_jump_of_the_sequence_proves_nothing() -> None:
    tracker = book()
    tracker.take([packet(1), packet(1000), packet(2, token=b"1594")], 0.0)
    assert (tracker.out_of_order, tracker.duplicates) == (0, 0)


def test_a_packet_behind_its_successor_or_twice_is_counted_and_kept() -> None:
    tracker = book()
    packets = [packet(5), packet(4), packet(6), packet(6)]
    assert tracker.take(packets, 0.0) == packets
    assert (tracker.out_of_order, tracker.duplicates) == (1, 1)


def test_each_packet_out_of_order_or_twice_is_counted() -> None:
    tracker = book()
    tracker.take([packet(n) for n in (9, 8, 7, 7, 7)], 0.0)
    assert (tracker.out_of_order, tracker.duplicates) == (2, 2)


def test_what_follows_a_refused_packet_in_a_drain_is_taken() -> None:
    tracker = book()
    drain = [packet(1, token=b"77"), packet(2), packet(3)[:40], packet(4)]
    assert tracker.take(drain, 0.0) == [packet(2), packet(4)]


def test_an_entry_knows_its_instrument_and_how_often_it_moved() -> None:
    tracker = book()
    times = (0, 1, 1, 2, 60)
    tracker.take([packet(n, exchange_ms=NOW_MS + s * 1000) for n, s in enumerate(times, 1)], 5.0)
    entry = tracker.seen[((1, "2885"), Mode.LTP)]
    assert (entry.key, entry.mode, entry.segment.segment.exchange_type) == ((1, "2885"), 1, 1)
    assert entry.moves == 3  # the first is no move; one at the limit is


def test_the_sequence_of_an_index_means_nothing() -> None:
    tracker = book(unordered={NIFTY})
    tracker.take([packet(9, token=b"99926000"), packet(3, token=b"99926000")], 0.0)
    assert (tracker.out_of_order, tracker.duplicates) == (0, 0)


def test_sequence_zero_is_no_sequence() -> None:
    tracker = book()
    tracker.take([packet(5), packet(0), packet(0)], 0.0)
    assert (tracker.out_of_order, tracker.duplicates) == (0, 0)


def test_a_new_connection_starts_the_order_again() -> None:
    tracker = book()
    tracker.take([packet(5)], 0.0)
    tracker.reopened()
    tracker.take([packet(5)], 0.0)
    tracker.take([packet(4)], 0.0)
    assert (tracker.out_of_order, tracker.duplicates) == (1, 0)
    tracker.reopened()
    tracker.take([packet(1)], 0.0)
    assert (tracker.out_of_order, tracker.duplicates) == (1, 0)


def test_a_newer_exchange_time_is_left_to_the_segment() -> None:
    tracker = book()
    tracker.take([packet(1, exchange_ms=NOW_MS)], 5.0)
    evidence = tracker.seen[((1, "2885"), Mode.LTP)].segment
    assert (evidence.fresh_ms, evidence.live_ms) == (NOW_MS, 0)
    newer = [packet(n, exchange_ms=NOW_MS + n * 1000) for n in (2, 4, 3)]
    tracker.take(newer, 6.0)
    assert evidence.live_ms == NOW_MS + 4000
    assert evidence.last_packet_s == 6.0


def test_a_time_ahead_of_the_clock_goes_the_slow_way() -> None:
    tracker = book()
    hour_ahead = NOW_MS + 3_600_000
    times = (NOW_MS, hour_ahead, NOW_MS + 1000)
    tracker.take([packet(n, exchange_ms=ms) for n, ms in enumerate(times, start=1)], 5.0)
    unit = tracker.seen[((1, "2885"), Mode.LTP)]
    assert unit.exchange_ms == NOW_MS + 1000
    assert unit.segment.ahead_ms == 0


def test_what_is_no_longer_carried_says_nothing_of_its_segment() -> None:
    tracker = book()
    tracker.take([packet(1)], 5.0)
    tracker.take([packet(2, token=b"1594")], 9.0)
    evidence = tracker.seen[((1, "2885"), Mode.LTP)].segment
    tracker.carry([Unit(1, "2885", Mode.LTP)])
    assert evidence.last_packet_s == 5.0


def test_a_unit_has_ticked_since_it_was_asked_for() -> None:
    tracker = book()
    tracker.take([packet(1)], 5.0)
    asked = Unit(1, "2885", Mode.LTP)
    assert tracker.has_ticked_since(asked, 5.0)
    assert not tracker.has_ticked_since(asked, 6.0)
    assert not tracker.has_ticked_since(Unit(1, "1594", Mode.LTP), 0.0)


def test_garbage_behind_the_token_makes_no_new_instrument() -> None:
    tracker = book()
    tracker.take([packet(1), packet(1, token=b"2885\0garbage"), packet(2)], 0.0)
    assert list(tracker.seen) == [((1, "2885"), Mode.LTP)]
    assert tracker.duplicates == 1


def test_endless_garbage_behind_tokens_does_not_grow_the_book(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger_module, "_MOST_HEADS", 10)
    tracker = book()
    for number in range(100):
        tracker.take([packet(number + 1, token=b"2885\0" + str(number).encode())], 0.0)
    assert len(tracker.seen) == 1
    assert len(tracker._by_head) <= 10
    assert tracker.ticks == 100


@pytest.mark.parametrize(
    "foreign",
    [packet(1, token=b"3045"), packet(1, exchange=13), packet(1, mode=Mode.SNAP), packet(1, b"")],
    ids=["token", "segment", "mode", "no token"],
)
def test_what_nobody_subscribed_to_is_counted_and_kept_nowhere(foreign: bytes) -> None:
    tracker = book()
    good = packet(1)
    assert tracker.take([foreign, good, foreign], 0.0) == [good]
    assert (tracker.foreign, tracker.malformed, tracker.ticks) == (2, 0, 1)
    assert len(tracker.seen) == len(tracker._by_head) == 1


def test_a_foreign_packet_that_is_short_is_malformed() -> None:
    tracker = book()
    assert tracker.take([packet(1, mode=Mode.SNAP)[:100]], 0.0) == []
    assert (tracker.foreign, tracker.malformed) == (0, 1)


def test_what_still_comes_after_a_unit_is_dropped_is_recorded() -> None:
    tracker = book()
    tracker.carry([])
    assert tracker.take([packet(1)], 0.0) == [packet(1)]
    assert (tracker.foreign, tracker.malformed) == (0, 0)


@given(st.lists(st.binary(max_size=60) | st.builds(packet, st.integers(0, 2**62)), max_size=20))
def test_whatever_comes_each_packet_is_either_passed_or_counted(packets: list[bytes]) -> None:
    tracker = book()
    passed = tracker.take(packets, 0.0)
    assert len(passed) + tracker.malformed + tracker.foreign == len(packets)
    assert tracker.ticks == len(passed)
    assert sum(tracker.malformed_by_reason.values()) == tracker.malformed
    assert all(len(p) >= 51 and p[0] == Mode.LTP for p in passed)
