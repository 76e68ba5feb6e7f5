from __future__ import annotations

import threading
from collections.abc import Iterator

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
