"""How many packets a second the simulator can send to one client: `python benchmarks/simulator.py`.

The simulator runs in a process of its own, trading faster than it can; the client takes raw bytes
from its socket and counts frames by their size, so that it is not the bottleneck. The target is 200
thousand a second (unique packets, made while sending). On a machine with other work to do, the last
column is the one to look at: packets for each second of the simulator's own CPU.
"""

from __future__ import annotations

import json
import platform
import socket
import subprocess
import sys
import time
from os import cpu_count

import pyotp
import requests
import websocket

from ticks.adapter.simulator.instrument_model import HEADERS
from ticks.adapter.tick import Mode
from ticks.adapter.wire.packet import PACKET_SIZES

SECONDS = 3.0
TARGET = 200_000
SERVER = """
import json, sys, time
from ticks.adapter.simulator.simulator import Simulator
with Simulator(rate=1e6, seed=1) as simulator:
    print(json.dumps(simulator.environment()), flush=True)
    before_s = time.process_time()
    sys.stdin.read()
    print(simulator.journal.packet_count / (time.process_time() - before_s))
"""


def subscribed(variables: dict[str, str], mode: Mode) -> socket.socket:
    """The socket of a client that has subscribed to one instrument."""
    login = requests.post(
        variables["TICKS_REST_URL"] + "/rest/auth/angelbroking/user/v1/loginByPassword",
        headers={"X-PrivateKey": variables["TICKS_API_KEY"]},
        json={
            "clientcode": variables["TICKS_CLIENT_CODE"],
            "password": variables["TICKS_PIN"],
            "totp": pyotp.TOTP(variables["TICKS_TOTP_SECRET"]).now(),
        },
        timeout=10,
    )
    tokens = login.json()["data"]
    link = websocket.create_connection(
        variables["TICKS_FEED_URL"],
        header={
            "Authorization": f"Bearer {tokens['jwtToken']}",
            "x-api-key": variables["TICKS_API_KEY"],
            "x-client-code": variables["TICKS_CLIENT_CODE"],
            "x-feed-token": tokens["feedToken"],
        },
    )
    wanted = {"mode": int(mode), "tokenList": [{"exchangeType": 1, "tokens": ["2885"]}]}
    link.send(json.dumps({"correlationID": "bench", "action": 1, "params": wanted}))
    raw: socket.socket = link.sock
    return raw


def packets_per_s(mode: Mode) -> tuple[float, float]:
    """What one client gets in `mode` from a new simulator, and what a second of its CPU makes."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        link = subscribed(json.loads(server.stdout.readline()), mode)
        buffer = bytearray(1 << 20)
        link.recv_into(buffer)
        start_s, received = time.perf_counter(), 0
        while (taken_s := time.perf_counter() - start_s) < SECONDS:
            received += link.recv_into(buffer)
        server.stdin.close()
        per_cpu_s = float(server.stdout.read())
        link.close()
    return received / (len(HEADERS[mode]) + PACKET_SIZES[mode]) / taken_s, per_cpu_s


def main() -> None:
    """Measure each mode and print a table."""
    print(f"{platform.machine()}, {cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'mode':<6} {'packets/s':>10} {'target':>8} {'per CPU s':>10}")
    for mode in (Mode.LTP, Mode.QUOTE, Mode.SNAP):
        got, per_cpu_s = packets_per_s(mode)
        print(f"{mode.label:<6} {got:>10,.0f} {TARGET:>8,} {per_cpu_s:>10,.0f}")


if __name__ == "__main__":
    main()
