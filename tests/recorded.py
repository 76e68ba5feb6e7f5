"""What a simulator sent, and whether a recording holds it."""

from __future__ import annotations

from collections.abc import Sequence

from ticks.adapter.simulator.simulator import Simulator


def sent_by(simulator: Simulator) -> list[bytes]:
    """Every packet that was put on a socket, connection by connection; it must keep them."""
    return [each.packet for log in simulator.journal.connections for each in log.packets]


def is_in_order(part: Sequence[bytes], whole: Sequence[bytes]) -> bool:
    """Whether `part` is `whole` with nothing but some left out."""
    rest = iter(whole)
    return all(packet in rest for packet in part)
