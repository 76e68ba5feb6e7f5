"""A stream of NATS JetStream as a recording: its ticks in the order in which they were stored.

Two threads: the replay's takes batches; the one made here runs the event loop of
`jetstream/subscriber.py`. `_lock` guards the batches between them, which are bounded.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from ..errors import RecordingError, TicksError
from ..instrument import exchange_number
from ..jetstream.address import NatsAccess, NatsAddress
from ..jetstream.link import LinkError, StreamFacts, check_installed
from ..jetstream.message import decode_message
from ..jetstream.subscriber import ReadRange, Stored, Subscriber
from ..rows.decode import Recorded
from ..waker import Waker

_MOST_HELD = 20_000
"""Messages between the two threads; then the server is let wait."""
CLOCK_SKEW_NS = 300 * 10**9
"""A tick may seem to be stored before it was received: two machines' clocks."""
LATE_NS = 24 * 3600 * 10**9
"""A tick may be stored so long after it was received, by a recorder whose server was away."""
_JOIN_S = 5.0


def read_range(start_ns: int | None, end_ns: int | None, names: Iterable[str]) -> ReadRange:
    """What the server is to send where rows received from `start_ns` to `end_ns` are wanted.

    It sends more than that: it knows when a tick was stored, not when it was received. Where every
    name is an exchange and a token (`NSE:2885`) it sends only those; any other name is looked for
    in the rows.
    """
    instruments = [_by_token(name) for name in names]
    known = [each for each in instruments if each is not None]
    return ReadRange(
        start_ns=None if start_ns is None else start_ns - CLOCK_SKEW_NS,
        end_ns=None if end_ns is None else end_ns + LATE_NS,
        instruments=tuple(known) if len(known) == len(instruments) else (),
    )


def _by_token(name: str) -> tuple[str, str] | None:
    exchange, _, token = name.strip().upper().partition(":")
    is_token = token.isascii() and token.isdigit()
    return (exchange, token) if is_token and exchange_number(exchange) is not None else None


class NatsReader:
    """Reads a stream once: `open`, then `batches`, then `close`.

    `on_damage` is called for a message that holds no tick, with its number in the stream.
    """

    def __init__(
        self,
        address: NatsAddress,
        access: NatsAccess,
        wanted: ReadRange,
        *,
        follows: bool,
        waker: Waker,
        on_damage: Callable[[str, int, str], None],
    ) -> None:
        self.name = str(address)
        self.facts: StreamFacts | None = None
        """The stream as it was when it was opened."""
        self.last_sequence = 0
        """The stream's number of the last message that was given out."""
        self._waker = waker
        self._on_damage = on_damage
        self._subscriber = Subscriber(
            address, access, wanted, follows=follows, deliver=self._deliver
        )
        self._lock = threading.Lock()
        self._held: deque[Sequence[Stored]] = deque()
        self._held_count = 0
        self._is_opened = threading.Event()
        self._failure: TicksError | None = None
        self._has_ended = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="nats", daemon=True)

    # --- the replay's thread ---

    def open(self) -> None:
        """Connect. Raises RecordingError where server or stream is not to be had, UsageError where
        nats-py is not installed."""
        check_installed()
        self._thread.start()
        self._is_opened.wait()
        if self.facts is None and self._failure is not None:
            raise self._failure

    def batches(self) -> Iterator[list[Recorded]]:
        """The ticks, as many at a time as have come; none whenever the waker was woken for another
        reason. Raises RecordingError when stream or server are gone, after the last tick."""
        while True:
            with self._lock:
                held = self._held.popleft() if self._held else None
                has_ended = self._has_ended
                if held is not None:
                    self._held_count -= len(held)
                    is_low = self._held_count <= _MOST_HELD // 2
            if held is not None:
                if is_low:
                    self._call(self._subscriber.resume)
                yield self._decoded(held)
            elif has_ended:
                if self._failure is not None:
                    raise self._failure
                return
            elif self._waker.wait(None) and not (self._held or self._has_ended):
                yield []

    def _decoded(self, held: Sequence[Stored]) -> list[Recorded]:
        ticks = []
        for message in held:
            try:
                ticks.append(decode_message(message.body))
            except RecordingError as error:
                self._on_damage(self.name, message.sequence, str(error))
        self.last_sequence = held[-1].sequence
        return ticks

    def close(self) -> None:
        """Stop reading. Closing again does nothing."""
        self._call(self._subscriber.stop)
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)

    def _call(self, act: Callable[[], object]) -> None:
        """`act` in the loop's thread, soon; nothing when the loop has ended."""
        if self._loop is not None and self._thread.is_alive():
            try:
                self._loop.call_soon_threadsafe(act)
            except RuntimeError:
                return  # it has ended since

    # --- the loop's thread ---

    def _run(self) -> None:
        try:
            asyncio.run(self._read())
        except TicksError as error:
            self._failure = error
        except LinkError as error:
            self._failure = RecordingError(str(error), kind=error.kind, name=self.name)
            self._failure.__cause__ = error
        except Exception as unexpected:  # noqa: BLE001  (a thread's last words must be heard)
            self._failure = RecordingError(f"{self.name}: {unexpected!r}")
            self._failure.__cause__ = unexpected
        finally:
            with self._lock:
                self._has_ended = True
            self._is_opened.set()
            self._waker.wake()

    async def _read(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.facts = await self._subscriber.open()
        self._is_opened.set()
        await self._subscriber.run()

    def _deliver(self, messages: Sequence[Stored]) -> bool:
        with self._lock:
            self._held.append(messages)
            self._held_count += len(messages)
            has_room = self._held_count < _MOST_HELD
        self._waker.wake()
        return has_room
