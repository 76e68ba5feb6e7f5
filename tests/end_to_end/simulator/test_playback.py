"""A recording, played by the simulator to a client on the bare wire."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from ticks.adapter.files.recording import read_recording
from ticks.adapter.simulator.simulator import Simulator

OpenFeed = Callable[..., object]
ROWS = """\
received_at,exchange_time,exchange,symbol,token,mode,sequence,ltp
2022-11-10T09:15:00.000000+05:30,2022-11-10T09:15:00.000+05:30,NSE,Nifty 50,99926000,ltp,0,18044.35
2022-11-10T09:15:01.000000+05:30,2022-11-10T09:15:01.000+05:30,NFO,NIFTY10NOV2218000CE,41234,ltp,7,88.10
2022-11-10T09:15:02.000000+05:30,2022-11-10T09:15:02.000+05:30,NSE,Nifty 50,99926000,ltp,0,18045.00
"""


@pytest.fixture(params=["csv", "csv.gz"])
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"day.{request.param}"
    path.write_bytes(gzip.compress(ROWS.encode()) if path.suffix == ".gz" else ROWS.encode())
    return path


@pytest.mark.parametrize("speed", [None, 20.0])
def test_a_recording_is_played_once_byte_for_byte_and_the_feed_stays_open(
    recording: Path, open_feed: OpenFeed, speed: float | None
) -> None:
    with Simulator(recording=recording, speed=speed) as simulator:
        client = open_feed(simulator)
        client.ask("99926000")
        client.ask("41234", exchange_type=2)
        assert client.packets(3) == [each.packet for each in read_recording(recording)]
        client.link.send("ping")
        assert client.link.recv() == "pong"


def test_its_instruments_are_in_the_master(recording: Path) -> None:
    with Simulator(recording=recording) as simulator:
        records = requests.get(simulator.instruments_url, timeout=5).json()
    by_symbol = {(each["exch_seg"], each["symbol"]): each["token"] for each in records}
    assert by_symbol["NFO", "NIFTY10NOV2218000CE"] == "41234"
    assert by_symbol["NSE", "Nifty 50"] == "99926000"
