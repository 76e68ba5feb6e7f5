from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from ticks.adapter.errors import RecordingError
from ticks.adapter.files.recording import read_recording
from ticks.adapter.simulator.instrument_model import unit_prefix
from ticks.adapter.simulator.playback import HEAD_START_S, Playback, recorded_listings
from ticks.adapter.simulator.subscribers import Subscribers
from ticks.adapter.wire.frames import FrameReader

HEADER = "received_at,exchange_time,exchange,symbol,token,mode,sequence,ltp\n"


def row(second: float, symbol: str, token: str, price: str) -> str:
    return (
        f"2026-11-20T09:15:{second:09.6f}+05:30,2026-11-20T09:15:00.000+05:30,"
        f"NSE,{symbol},{token},ltp,7,{price}\n"
    )


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A tenth of a second between each of six rows, of two instruments in turn."""
    path = tmp_path / "day.csv"
    rows = [
        row(n / 10, *(("Nifty 50", "99926000"), ("TCS-EQ", "11536"))[n % 2], price=f"{100 + n}.00")
        for n in range(6)
    ]
    path.write_text(HEADER + "".join(rows))
    return path


class Client:
    """A subscriber that keeps what it is sent and when."""

    def __init__(self) -> None:
        self.is_ready = True
        self.packets: list[bytes] = []
        self.begun_s = asyncio.get_running_loop().time()
        self.times_s: list[float] = []
        self.waits = 0

    async def wait_ready(self) -> None:
        self.waits += 1

    def send_packets(self, frames: Sequence[bytes]) -> None:
        messages, _ = FrameReader().read(b"".join(frames))
        self.packets += messages
        self.times_s += [asyncio.get_running_loop().time()] * len(messages)


def played(recording: Path, speed: float | None, *tokens: str, mode: int = 1) -> Client:
    """What a subscriber to these tokens had got when the recording was over."""

    async def play() -> Client:
        subscribers, client = Subscribers(), Client()
        units = [unit_prefix(mode, 1, token) for token in tokens]
        for unit in units:
            subscribers.add(unit, client)
        playback = Playback(recording, subscribers, speed=speed)
        playback.joined(units, client)
        playback.joined(units, client)
        async with asyncio.timeout(5):
            await playback.finished()
        return client

    return asyncio.run(play())


def test_every_packet_comes_byte_for_byte_and_once(recording: Path) -> None:
    client = played(recording, None, "99926000", "11536")
    assert client.packets == [each.packet for each in read_recording(recording)]
    assert client.waits


def test_only_what_is_subscribed_to_comes(recording: Path) -> None:
    everything = [each.packet for each in read_recording(recording)]
    assert played(recording, None, "11536").packets == everything[1::2]


def test_another_mode_than_the_recording_s_gets_nothing(recording: Path) -> None:
    assert played(recording, None, "11536", mode=3).packets == []


def test_packets_keep_their_distance_divided_by_the_speed(recording: Path) -> None:
    client = played(recording, 5.0, "99926000", "11536")
    due_s = [client.begun_s + n / 10 / 5 for n in range(6)]
    late_s = [at_s - due for at_s, due in zip(client.times_s, due_s, strict=True)]
    assert min(late_s) >= 0
    assert max(late_s) < HEAD_START_S + 0.5


def test_a_recordings_instruments_are_listed(recording: Path) -> None:
    listed = [each.instrument for each in recorded_listings(recording)]
    assert [(str(each), each.name) for each in listed] == [
        ("NSE:Nifty 50", "Nifty 50"),
        ("NSE:TCS-EQ", "TCS"),
    ]


def test_a_file_that_is_not_a_recording_is_found_before_playing(tmp_path: Path) -> None:
    with pytest.raises(RecordingError):
        recorded_listings(tmp_path / "missing.csv")


def test_the_head_start_is_short_enough_not_to_be_noticed() -> None:
    assert 0 < HEAD_START_S <= 0.2
