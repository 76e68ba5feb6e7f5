"""Ticks into a stream of NATS JetStream, from where other machines read them.

Rules
- The thread that hands over ticks never waits for the server. While the server is away they wait
  here, up to `buffer_limit`; then the oldest go, counted and reported, or the output fails
  (`stops_when_full`).
- `close` waits for acknowledgements, `drain_timeout_s` at most. Every tick that the server did not
  acknowledge is counted in the error that it raises: without that error, all of them are there.

Two threads: the recorder's writes, flushes and closes; the one made here runs the event loop of
`jetstream/publisher.py`. `_lock` guards the ticks that wait between them.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from ..clock import Clock, SystemClock
from ..errors import OutputError, TicksError
from ..instrument import InstrumentKey
from ..jetstream.address import NatsAccess, NatsAddress, NatsOptions
from ..jetstream.link import LinkError, check_installed
from ..jetstream.publisher import Publisher, ReceivedPacket

_JOIN_S = 5.0
"""For the loop to end, once its time is over: it has nothing to wait for then."""


class NatsSink:
    """An output for the packets of a stream. `symbols` may grow; `note` gets a line about what
    happens."""

    def __init__(
        self,
        address: NatsAddress,
        access: NatsAccess,
        options: NatsOptions,
        *,
        symbols: Mapping[InstrumentKey, str],
        note: Callable[[str], None],
        clock: Clock | None = None,
    ) -> None:
        self.dropped = 0
        self._name = str(address)
        self._options = options
        self._note = note
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, Sequence[bytes]]] = deque()
        self._waiting_count = 0
        self._is_known = False
        """Whether the loop will look for ticks that wait: then it is not woken again."""
        self._publisher = Publisher(
            address,
            access,
            options.limits,
            symbols=symbols,
            take=self._take,
            note=note,
            clock=clock or SystemClock(),
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_open = threading.Event()
        self._failure: TicksError | None = None
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="nats", daemon=True)

    def open(self) -> None:
        """Connect, and make the stream if it is missing.

        Raises OutputError where that cannot be, UsageError where nats-py is not installed.
        """
        check_installed()
        self._thread.start()
        self._is_open.wait()
        if self._failure is not None:
            self._is_closed = True
            raise self._failure

    # --- what a sink is: the recorder's thread ---

    @property
    def name(self) -> str:
        return self._name

    @property
    def rows(self) -> int:
        """Ticks that the server acknowledged, including those that another recorder sent first."""
        return self._publisher.acknowledged

    @property
    def bytes_written(self) -> int:
        """Bytes of the messages that the server acknowledged, without subject and headers."""
        return self._publisher.acknowledged_bytes

    def takes(self, packets: int) -> bool:
        """Always true: a write never waits for the server."""
        return True

    def write(self, received_ns: int, packets: Sequence[bytes]) -> None:
        """Take the packets of one drain, of modes 1-3. Raises OutputError for a full buffer that
        is to end the run."""
        if self._failure is not None:
            raise self._failure
        with self._lock:
            self._waiting.append((received_ns, packets))
            self._waiting_count += len(packets)
            held = self._waiting_count + self._publisher.unacknowledged
            surplus = min(held - self._options.buffer_limit, self._waiting_count)
            is_first = surplus > 0 and self.dropped == 0
            if surplus > 0:
                self._drop_oldest(surplus)
        if surplus > 0 and self._options.stops_when_full:
            raise self._full_error()
        if is_first:
            self._note(f"{self.name}: the buffer is full; the oldest ticks are dropped and counted")

    def _drop_oldest(self, surplus: int) -> None:
        """Of those that were never sent: the others may be in the stream. Under the lock."""
        self.dropped += surplus
        self._waiting_count -= surplus
        while surplus:
            received_ns, packets = self._waiting.popleft()
            if len(packets) > surplus:
                self._waiting.appendleft((received_ns, packets[surplus:]))
                return
            surplus -= len(packets)

    def flush(self) -> None:
        """Have what was taken sent soon, without waiting."""
        with self._lock:
            is_known, self._is_known = self._is_known, True
        if not is_known:
            self._call(self._publisher.wake)

    def close(self) -> None:
        """Wait until all is acknowledged, up to the limit. Closing again does nothing.

        Raises OutputError (kind `nats-not-acknowledged`) when it is not.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._call(self._end)
        self._thread.join(self._options.drain_timeout_s + _JOIN_S)
        missing = self.dropped + self._waiting_count + self._publisher.unacknowledged
        if missing:
            ticks = f"{missing:,} tick{'' if missing == 1 else 's'}"
            raise OutputError(
                f"{self.name}: {ticks} not acknowledged by the server",
                kind="nats-not-acknowledged",
                name=self.name,
                missing=missing,
            )

    def _call(self, act: Callable[[], object]) -> None:
        """`act` in the loop's thread, soon; nothing when the loop has ended."""
        if self._loop is not None and self._thread.is_alive():
            try:
                self._loop.call_soon_threadsafe(act)
            except RuntimeError:
                return  # it has ended since: what it left is counted by `close`

    def _full_error(self) -> OutputError:
        limit = self._options.buffer_limit
        return OutputError(
            f"{self.name} is too slow, or away: {self.dropped:,} ticks did not fit the buffer of"
            f" {limit:,}",
            kind="buffer-full",
            dropped=self.dropped,
            limit=limit,
        )

    # --- the loop's thread ---

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as unexpected:  # noqa: BLE001  (whatever ends the thread must be reported)
            self._failure = OutputError(f"{self.name}: {unexpected!r}")
            self._failure.__cause__ = unexpected
        finally:
            self._is_open.set()

    async def _serve(self) -> None:
        try:
            await self._publisher.open(keeps_trying=self._options.keeps_trying)
        except TicksError as error:
            self._failure = error
            return
        except LinkError as error:
            self._failure = OutputError(str(error), kind=error.kind, name=self.name)
            self._failure.__cause__ = error
            return
        self._loop = asyncio.get_running_loop()
        self._is_open.set()
        await self._publisher.run()

    def _end(self) -> None:
        """Let the publishing end, at the latest when its time is over."""
        self._publisher.end()
        asyncio.get_running_loop().call_later(
            self._options.drain_timeout_s, self._publisher.cut_short
        )

    def _take(self, most: int) -> list[ReceivedPacket]:
        """At most so many of the ticks that wait, the oldest first."""
        taken: list[ReceivedPacket] = []
        with self._lock:
            self._is_known = False
            while self._waiting and len(taken) < most:
                received_ns, packets = self._waiting.popleft()
                room = most - len(taken)
                if len(packets) > room:
                    self._waiting.appendleft((received_ns, packets[room:]))
                taken += [(received_ns, packet) for packet in packets[:room]]
            self._waiting_count -= len(taken)
        return taken


def open_nats_sink(
    address: NatsAddress,
    access: NatsAccess,
    options: NatsOptions,
    *,
    symbols: Mapping[InstrumentKey, str],
    note: Callable[[str], None],
) -> NatsSink:
    """An open sink. Raises OutputError where server or stream cannot be reached, UsageError where
    nats-py is not installed or a certificate cannot be used."""
    sink = NatsSink(address, access, options, symbols=symbols, note=note)
    sink.open()
    return sink
