"""What needs packages that not everybody installs: NATS and Prometheus, imported when asked for.

Importing them, and the asyncio that NATS runs on, takes a tenth of a second, which a stream to a
file does not have to pay.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..adapter.broker import BrokerAdapter
from ..adapter.errors import UsageError
from ..adapter.instrument import InstrumentKey
from ..adapter.jetstream.address import (
    NatsAddress,
    NatsOptions,
    access_from_env,
    is_nats_address,
    parse_address,
)
from ..adapter.rows.decode import received_ns_of

if TYPE_CHECKING:
    from ..adapter.replay.nats import NatsSource
    from ..adapter.sinks.nats import NatsSink


def check_extras(nats: NatsAddress | None, metrics: tuple[str, int] | None) -> None:
    """Raises UsageError for a package that is missing, before anything is begun."""
    if nats is not None:
        from ..adapter.jetstream.link import check_installed

        check_installed()
        access_from_env(os.environ, nats)
    if metrics is not None:
        from ..adapter.metrics import check_installed

        check_installed()


def open_nats(
    address: NatsAddress,
    options: NatsOptions,
    symbols: Mapping[InstrumentKey, str],
    note: Callable[[str], None],
) -> NatsSink:
    """The output that `--nats` asks for. Raises OutputError, UsageError."""
    from ..adapter.sinks.nats import open_nats_sink

    access = access_from_env(os.environ, address)
    return open_nats_sink(address, access, options, symbols=symbols, note=note)


@contextmanager
def serving_metrics(
    listen_on: tuple[str, int] | None, broker: BrokerAdapter, note: Callable[[str], None]
) -> Iterator[None]:
    """Serve what `--metrics` asks for during the block. Raises PortTakenError before it."""
    if listen_on is None:
        yield
        return
    from ..adapter.metrics import MetricsServer

    with MetricsServer(*listen_on, broker.snapshot) as server:
        note(f"metrics at http://{server.address}/metrics")
        yield


def nats_sources(
    files: Sequence[str], start: str, end: str, names: Sequence[str], *, follows: bool
) -> dict[str, NatsSource]:
    """The streams among what a replay is to read; `start` and `end` as its row filter has them.

    Raises UsageError for an address that is not valid, and for a package that is missing.
    """
    addresses = [file for file in files if is_nats_address(file)]
    if follows and (len(files) > 1 or not addresses):
        raise UsageError(
            "--follow needs one nats:// stream and nothing else",
            remedy="leave --follow out, or name one stream",
        )
    if not addresses:
        return {}
    from ..adapter.jetstream.link import check_installed
    from ..adapter.replay.nats import NatsSource, read_range

    parsed = {text: parse_address(text) for text in addresses}
    check_installed()
    wanted = read_range(_bound_ns(start), _bound_ns(end), names, follows=follows)
    return {
        text: NatsSource(address, access_from_env(os.environ, address), wanted, follows=follows)
        for text, address in parsed.items()
    }


def _bound_ns(text: str) -> int | None:
    """Nanoseconds since the epoch of a bound; None for none, and for a time of each day."""
    return received_ns_of(text.encode()) if "T" in text else None
