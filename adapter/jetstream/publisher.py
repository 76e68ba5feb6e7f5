"""Ticks to a stream, each once, over links that come and go. Runs in one event loop.

Rules
- A message a tick, sent without waiting for the one before; at most `WINDOW` are on their way.
- What is not acknowledged is sent again on the next link, in order, under its message id: a server
  that has it already keeps one copy.
- A link is given up, and another opened, when it breaks, when the server refuses a message, and
  when the oldest message on its way is not acknowledged in time.
- `note` gets a line when the server is lost, and one when it acknowledges again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from ..clock import Clock
from ..errors import TicksError
from ..instrument import InstrumentKey
from .address import NatsAccess, NatsAddress, StreamLimits
from .delivery import Delivery
from .link import Link, LinkError, again_after_s, open_link
from .message import Message, MessageEncoder
from .streams import DEFAULT_PREFIX, ensure_stream

WINDOW = 4_000
"""Messages on their way. A server holds 10,000 for a stream before it turns further ones away."""
ACKNOWLEDGED_AFTER_S = 8.0
"""How often to look whether the oldest is still the same: it waits twice as long at most."""
_TAKEN_AT_ONCE = 512
_GATHERED_S = 0.01
"""Ticks that come within this time are sent together: the wake-up is what costs."""

ReceivedPacket = tuple[int, bytes]
"""When it was received (nanoseconds since the epoch), and the packet."""


class Publisher:
    """`open`, then `run` until `end` was called and all is acknowledged.

    `take` is called with a number, and gives at most that many packets, oldest first, an empty
    sequence when there are none; `wake` says that there are some. Counters may be read from any
    thread.
    """

    def __init__(
        self,
        address: NatsAddress,
        access: NatsAccess,
        limits: StreamLimits,
        *,
        symbols: Mapping[InstrumentKey, str],
        take: Callable[[int], Sequence[ReceivedPacket]],
        note: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self.acknowledged = 0
        self.acknowledged_bytes = 0
        self._address = address
        self._access = access
        self._limits = limits
        self._symbols = symbols
        self._take = take
        self._note = note
        self._clock = clock
        self._work = asyncio.Event()
        self._has_ended = False
        self._is_cut_short = False
        self._task: asyncio.Task[None] | None = None
        self._encoder: MessageEncoder | None = None
        self._taken: deque[ReceivedPacket] = deque()
        self._again: deque[Message] = deque()
        """Sent before, on a link that was lost; the oldest first."""
        self._sent: dict[int, Message] = {}
        """On their way by number, the oldest first."""
        self._number = 0
        self._is_full = False
        self._link: Link | None = None
        self._others: list[str] = []
        self._lost_s: float | None = None
        """Since when nothing was acknowledged after a lost link; None: all is well."""
        self._failures = 0
        """Links that failed since the last acknowledgement."""

    @property
    def unacknowledged(self) -> int:
        """Ticks that were taken and are not known to be in the stream."""
        return len(self._taken) + len(self._again) + len(self._sent)

    def wake(self) -> None:
        """There are ticks to take, soon. For the event loop's thread."""
        asyncio.get_running_loop().call_later(_GATHERED_S, self._work.set)

    def end(self) -> None:
        """Let `run` return when all is acknowledged. For the event loop's thread."""
        self._has_ended = True
        self._work.set()

    def cut_short(self) -> None:
        """Let `run` return now; what is left is in `unacknowledged`. For the loop's thread."""
        self._is_cut_short = True
        if self._task is not None:
            self._task.cancel()

    async def open(self, *, keeps_trying: bool = False) -> None:
        """The first link, and the stream, made if it is missing. Raises LinkError, UsageError.

        With `keeps_trying` a server that cannot be reached is waited for, like one that is lost.
        """
        try:
            self._link = await self._open_link()
        except LinkError as error:
            if not (keeps_trying and error.kind == "nats-unreachable"):
                raise
            self._lost_s = self._clock.now_s()
            self._note(f"{error}; ticks wait until it can be reached")

    async def run(self) -> None:
        """Publish, until `end` and the last acknowledgement, or `cut_short`."""
        self._task = asyncio.current_task()
        try:
            # A cancellation may be swallowed on its way, by nats-py and by `wait_for` (until
            # Python 3.12): the flag is what counts, the cancellation only ends a wait.
            while not self._is_cut_short:
                link = self._link or await self._open_again()
                self._link = link
                await self._publish(link)
                if not link.is_lost:
                    return
                self._report_lost(link.reason)
                await link.close()
                self._link = None
        except asyncio.CancelledError:
            if not self._is_cut_short:
                raise
        finally:
            if self._link is not None:
                await self._link.close()

    async def _open_link(self) -> Link:
        link = await open_link(self._address, self._access, self._work.set, others=self._others)
        try:
            facts = await ensure_stream(link, self._address.stream, self._limits)
        except LinkError:
            await link.close()
            raise
        self._others = link.discovered
        if self._encoder is None:
            prefix = facts.prefix or DEFAULT_PREFIX
            self._encoder = MessageEncoder(prefix, self._symbols, window_s=facts.window_s)
        return link

    async def _open_again(self) -> Link:
        while not self._is_cut_short:
            await asyncio.sleep(again_after_s(self._failures))
            self._failures += 1
            try:
                return await self._open_link()
            except (LinkError, TicksError):
                continue  # the loss has been reported; the end counts what is left
        raise asyncio.CancelledError

    def _report_lost(self, reason: str) -> None:
        if self._lost_s is None:
            self._lost_s = self._clock.now_s()
            self._note(f"{self._address}: lost ({reason}); ticks wait until it is back")

    def _report_back(self, lost_s: float) -> None:
        self._lost_s, self._failures = None, 0
        self._note(f"{self._address}: back after {self._clock.now_s() - lost_s:.1f} s")

    async def _publish(self, link: Link) -> None:
        """Send what there is and what comes, until all is done or the link is lost."""
        inbox = link.new_inbox()
        await link.subscribe(f"{inbox}.*", lambda delivery: self._acknowledge(link, delivery))
        self._again.extendleft(reversed(self._sent.values()))
        self._sent.clear()
        watching = asyncio.create_task(self._watch(link))
        try:
            while not (link.is_lost or self._is_cut_short):
                self._work.clear()
                while len(self._sent) < WINDOW and not link.is_lost:
                    message = self._next_message()
                    if message is None:
                        break
                    self._number += 1
                    self._sent[self._number] = message
                    reply = f"{inbox}.{self._number}"
                    subject, message_id, body = message
                    await link.publish(subject, body, reply=reply, message_id=message_id)
                if self._has_ended and not self.unacknowledged:
                    return
                self._is_full = len(self._sent) >= WINDOW
                await self._work.wait()
        finally:
            watching.cancel()

    def _next_message(self) -> Message | None:
        if self._again:
            return self._again.popleft()
        if not self._taken:
            self._taken.extend(self._take(_TAKEN_AT_ONCE))
        if not self._taken or self._encoder is None:
            return None
        return self._encoder.encode(*self._taken.popleft())

    async def _acknowledge(self, link: Link, delivery: Delivery) -> None:
        """The server's answer to one message."""
        refusal = delivery.refusal
        if refusal:
            link.lose(refusal)
            return
        message = self._sent.pop(int(delivery.subject.rpartition(".")[2]), None)
        if message is None:
            return
        self.acknowledged += 1
        self.acknowledged_bytes += len(message.body)
        if self._lost_s is not None:
            self._report_back(self._lost_s)
        if self._has_ended or (self._is_full and len(self._sent) <= WINDOW // 2):
            self._work.set()

    async def _watch(self, link: Link) -> None:
        """Lose the link when the oldest message on its way stays the oldest for too long."""
        oldest = 0
        while not link.is_lost:
            await asyncio.sleep(ACKNOWLEDGED_AFTER_S)
            before, oldest = oldest, next(iter(self._sent), 0)
            if oldest and oldest == before:
                link.lose("a message was not acknowledged")
