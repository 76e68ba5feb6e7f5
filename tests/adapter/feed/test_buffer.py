from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.feed import buffer
from ticks.adapter.feed.buffer import Batch, TickBuffer
from ticks.adapter.waker import Waker


@pytest.fixture
def waker() -> Iterator[Waker]:
    waker = Waker()
    yield waker
    waker.close()


def packets(first: int, count: int) -> list[bytes]:
    return [str(number).encode() for number in range(first, first + count)]


def test_an_empty_buffer_gives_nothing_and_never_waits(waker: Waker) -> None:
    full = TickBuffer(10, waker)
    assert full.take() == []
    assert full.take_packet() is None


def test_batches_come_out_whole_and_in_order(waker: Waker) -> None:
    kept = TickBuffer(10, waker)
    kept.put(1, [b"a", b"b"])
    kept.put(2, [b"c"])
    assert kept.size == 3
    assert kept.take() == [Batch(1, [b"a", b"b"]), Batch(2, [b"c"])]
    assert (kept.size, kept.dropped) == (0, 0)


def test_single_packets_come_out_with_the_time_of_their_drain(waker: Waker) -> None:
    kept = TickBuffer(10, waker)
    kept.put(1, [b"a", b"b"])
    kept.put(2, [b"c"])
    taken = [kept.take_packet() for _ in range(4)]
    assert taken == [(1, b"a"), (1, b"b"), (2, b"c"), None]
    assert kept.size == 0


def test_only_the_first_batch_of_an_empty_buffer_wakes_the_reader(waker: Waker) -> None:
    kept = TickBuffer(10, waker)
    kept.put(1, [b"a"])
    assert waker.wait(0)
    kept.put(2, [b"b"])
    assert not waker.wait(0)
    kept.take()
    kept.put(3, [b"c"])
    assert waker.wait(0)


def test_what_has_no_room_goes_oldest_first_and_is_counted(
    waker: Waker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffer, "STEP_BACK_S", 0.0)
    kept = TickBuffer(5, waker)
    kept.put(1, packets(0, 3))
    kept.put(2, packets(3, 4))
    assert kept.dropped == 2
    assert kept.take() == [Batch(1, packets(2, 1)), Batch(2, packets(3, 4))]
    kept.put(3, packets(7, 12))
    assert kept.dropped == 9
    assert kept.take() == [Batch(3, packets(14, 5))]


def test_a_full_buffer_waits_a_moment_for_its_reader(
    waker: Waker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffer, "STEP_BACK_S", 10.0)
    kept = TickBuffer(2, waker)
    kept.put(1, [b"a", b"b"])
    feeder = threading.Thread(target=kept.put, args=(2, [b"c"]))
    feeder.start()
    taken = [packet for batch in kept.take() for packet in batch.packets]
    feeder.join(10)
    taken += [packet for batch in kept.take() for packet in batch.packets]
    assert (taken, kept.dropped) == ([b"a", b"b", b"c"], 0)


@given(
    st.integers(min_value=1, max_value=8),
    st.lists(st.one_of(st.integers(min_value=1, max_value=12), st.none()), max_size=30),
)
def test_every_packet_is_taken_once_and_in_order_or_counted_as_dropped(
    limit: int, moves: list[int | None]
) -> None:
    waker = Waker()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(buffer, "STEP_BACK_S", 0.0)
            kept, put, taken = TickBuffer(limit, waker), 0, []
            for count in [*moves, None]:
                if count is None:
                    taken += [int(p) for batch in kept.take() for p in batch.packets]
                else:
                    kept.put(put, packets(put, count))
                    put += count
                assert kept.size <= limit
            assert taken == sorted(set(taken))
            assert len(taken) + kept.dropped == put
    finally:
        waker.close()


def test_a_reader_may_take_a_little_at_a_time() -> None:
    kept = TickBuffer(100, Waker())
    for number in range(4):
        kept.put(number, packets(number, 3))
    assert [len(kept.take(most)) for most in (1, 4, None, 5)] == [1, 2, 1, 0]
    assert kept.size == 0


def test_a_stuck_reader_is_waited_for_once_and_again_when_it_took_something(
    waker: Waker, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = TickBuffer(2, waker)
    waits: list[float] = []

    def waited(_is_true: object, seconds: float) -> bool:
        waits.append(seconds)
        return False

    monkeypatch.setattr(kept._has_worked_off, "wait_for", waited)
    for number in range(5):
        kept.put(number, packets(number, 1))
    assert (waits, kept.dropped) == ([buffer.STEP_BACK_S], 3)
    kept.take(1)
    for number in range(5, 8):
        kept.put(number, packets(number, 1))
    assert waits == [buffer.STEP_BACK_S] * 2


# --- the direct way and the buffer ---------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.integers(1, 4).map(lambda size: ("put", size)),
        st.booleans().map(lambda takes: ("output takes", takes)),
        st.sampled_from([1, 3, None]).map(lambda most: ("reader takes", most)),
    ),
    max_size=60,
)


@given(STEPS, st.integers(3, 12))
def test_order_and_count_hold_whenever_an_output_stalls_or_recovers(
    steps: list[tuple[str, Any]], limit: int
) -> None:
    buffer = TickBuffer(limit, Waker())
    written: list[bytes] = []
    sent = 0
    takes = True

    def direct(_received_ns: int, packets: list[bytes]) -> bool:
        if takes:
            written.extend(packets)
        return takes

    def read(most: int | None) -> bool:
        batches = buffer.take(most)
        written.extend(packet for batch in batches for packet in batch.packets)
        return bool(batches)

    buffer.direct = direct
    for what, value in steps:
        if what == "put":
            buffer.put(0, [str(sent + n).encode() for n in range(value)])
            sent += value
        elif what == "output takes":
            takes = value
        else:
            read(value)
    while read(None):
        pass
    numbers = [int(packet) for packet in written]
    assert numbers == sorted(set(numbers))
    assert len(numbers) + buffer.dropped == sent
    takes = True
    buffer.put(0, [b"last"])
    assert written[-1] == b"last", "the direct way is taken again once all is worked off"


def named(name: str) -> list[bytes]:
    """What one of the feeds sends."""
    return [f"{name}{number}".encode() for number in range(3_000)]


def test_many_threads_and_a_stalling_output_lose_nothing_and_keep_each_order() -> None:
    buffer = TickBuffer(1_000_000, Waker())
    written: list[bytes] = []
    is_over = threading.Event()
    draws = random.Random(7)

    def direct(_received_ns: int, packets: list[bytes]) -> bool:
        takes = draws.random() < 0.7
        if takes:
            written.extend(packets)
        return takes

    def read() -> None:
        while True:
            was_over = is_over.is_set()
            batches = buffer.take(100)
            written.extend(packet for batch in batches for packet in batch.packets)
            if was_over and not batches:
                return

    def feed(name: str) -> None:
        for packet in named(name):
            buffer.put(0, [packet])

    buffer.direct = direct
    reader = threading.Thread(target=read)
    reader.start()
    with ThreadPoolExecutor(3) as feeds:
        list(feeds.map(feed, "abc"))
    is_over.set()
    reader.join()
    assert buffer.dropped == 0
    for name in "abc":
        assert [packet for packet in written if packet.startswith(name.encode())] == named(name)
