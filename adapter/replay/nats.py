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
from ..files.recording import OnDamage
from ..instrument import exchange_number
from ..jetstream.address import NatsAccess, NatsAddress
from ..jetstream.link import LinkError, check_installed
from ..jetstream.message import decode_message
from ..jetstream.streams import StreamFacts
from ..jetstream.subscriber import ReadRange, Stored, Subscriber
from ..rows.block import RecordedBlock, RowBlock
from ..rows.decode import Recorded
from ..rows.format import Csv, TickFormat
from ..tick import Mode
from ..waker import Waker

_MOST_HELD = 20_000
"""Messages between the two threads; beyond that the server has to wait."""
CLOCK_SKEW_NS = 300 * 10**9
"""A tick may seem to be stored before it was received: two machines' clocks."""
SOON_NS = 5 * 10**9
"""How long after its reception a tick is stored at most, where nothing is wrong."""
LATE_NS = 24 * 3600 * 10**9
"""How long after its reception a tick may be stored by a recorder whose server was away."""
_JOIN_S = 5.0


def read_range(
    start_ns: int | None, end_ns: int | None, names: Iterable[str], *, follows: bool = False
) -> ReadRange:
    """What the server is to send where rows received from `start_ns` to `end_ns` are wanted.

    It sends more than that: it knows when a tick was stored, not when it was received. One that
    `follows` ends soon after `end_ns`, and does not wait for what may come late. Where every name
    is an exchange and a token (`NSE:2885`) it sends only those; any other name is looked for in the
    rows.
    """
    instruments = [_by_token(name) for name in names]
    known = [each for each in instruments if each is not None]
    return ReadRange(
        start_ns=None if start_ns is None else start_ns - CLOCK_SKEW_NS,
        end_ns=None if end_ns is None else end_ns + (SOON_NS if follows else LATE_NS),
        instruments=tuple(known) if len(known) == len(instruments) else (),
    )


def _by_token(name: str) -> tuple[str, str] | None:
    exchange, _, token = name.strip().upper().partition(":")
    is_token = token.isascii() and token.isdigit()
    return (exchange, token) if is_token and exchange_number(exchange) is not None else None


class NatsSource:
    """Where to read, with which credentials, and what; with `follows` beyond the last message,
    without an end."""

    is_stdin = False

    def __init__(
        self, address: NatsAddress, access: NatsAccess, wanted: ReadRange, *, follows: bool = False
    ) -> None:
        self.address = address
        self.access = access
        self.wanted = wanted
        self.follows = follows
        self.bytes_read = 0
        self._bytes: int | None = None

    @property
    def name(self) -> str:
        return str(self.address)

    def size(self) -> int | None:
        """Bytes to read in all; None while that is not known, and where there is no end."""
        return self._bytes

    def note_progress(self, facts: StreamFacts, first: int, last: int) -> None:
        """How far it is read, from message number `first` on; bytes are counted as if all messages
        were of one size."""
        if not (self.follows or self.wanted.instruments) and facts.messages:
            size = facts.bytes // facts.messages
            self._bytes = max(1, size * (facts.last_sequence - first + 1))
            self.bytes_read = size * (last - first + 1)


class NatsReader:
    """Reads a stream once, from the first of `blocks` on; whatever ends that ends the reading.

    `on_damage` is called for a message that holds no tick, with its number in the stream. `rows`
    counts good ones; `format` has the columns that the first of them needs. The waker is woken when
    there is something to read, or after `is_stopping` has become true.
    """

    def __init__(
        self,
        source: NatsSource,
        on_damage: OnDamage,
        *,
        waker: Waker,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.source = source
        self.rows = 0
        self.format: TickFormat = Csv(Mode.LTP)
        self._facts: StreamFacts | None = None
        self._first_sequence = 0
        self._on_damage = on_damage
        self._waker = waker
        self._is_stopping = is_stopping
        self._subscriber = Subscriber(
            source.address,
            source.access,
            source.wanted,
            follows=source.follows,
            deliver=self._deliver,
        )
        self._lock = threading.Lock()
        self._held: deque[Sequence[Stored]] = deque()
        self._held_count = 0
        self._failure: TicksError | None = None
        self._has_ended = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="nats", daemon=True)

    # --- the replay's thread ---

    def blocks(self) -> Iterator[RowBlock]:
        """The ticks, as many at a time as have arrived, until the end or a stop.

        Raises RecordingError where server or stream cannot be reached, or are gone; UsageError
        where nats-py is not installed.
        """
        check_installed()
        self._thread.start()
        try:
            while (held := self._next()) is not None:
                ticks = list(self._decoded(held))
                if ticks and not self.rows:
                    self.format = Csv(Mode(ticks[0].packet[0]))
                self.rows += len(ticks)
                yield RecordedBlock(ticks)
        finally:
            self._call(self._subscriber.stop)
            self._thread.join(_JOIN_S)

    def _next(self) -> Sequence[Stored] | None:
        """The next messages; waits for them. None at the end, and at a stop."""
        while not self._is_stopping():
            with self._lock:
                held = self._held.popleft() if self._held else None
                has_ended = self._has_ended
                self._held_count -= len(held or ())
                is_low = self._held_count <= _MOST_HELD // 2
            if held is not None:
                if is_low:
                    self._call(self._subscriber.resume)
                return held
            if has_ended:
                if self._failure is not None:
                    raise self._failure
                return None
            self._waker.wait(None)
        return None

    def _decoded(self, held: Sequence[Stored]) -> Iterator[Recorded]:
        for message in held:
            try:
                yield decode_message(message.body)
            except RecordingError as error:
                self._on_damage(self.source.name, message.sequence, str(error))
        self._first_sequence = self._first_sequence or held[0].sequence
        if self._facts is not None:
            self.source.note_progress(self._facts, self._first_sequence, held[-1].sequence)

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
            self._failure = RecordingError(str(error), kind=error.kind, name=self.source.name)
            self._failure.__cause__ = error
        except Exception as unexpected:  # noqa: BLE001  (whatever ends the thread must be reported)
            self._failure = RecordingError(f"{self.source.name}: {unexpected!r}")
            self._failure.__cause__ = unexpected
        finally:
            with self._lock:
                self._has_ended = True
            self._waker.wake()

    async def _read(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._facts = await self._subscriber.open()
        await self._subscriber.run()

    def _deliver(self, messages: Sequence[Stored]) -> bool:
        with self._lock:
            self._held.append(messages)
            self._held_count += len(messages)
            has_room = self._held_count < _MOST_HELD
        self._waker.wake()
        return has_room
