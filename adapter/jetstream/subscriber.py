"""The messages of a stream, each once and in order, over links that come and go. In one event loop.

Rules
- The server pushes, within what flow control allows; a reader that is slow is waited for: nothing
  more is asked for while `deliver` has no room.
- A number that is missing at this consumer, a server that is silent, a link that broke: reading
  goes on after the last message that was delivered, on a new link and a new consumer.
- Without `follows` it ends with the last message that the stream held when it was opened.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from ..errors import TicksError
from .address import NatsAccess, NatsAddress
from .delivery import Delivery, position_of
from .link import PING_EVERY_S, Link, LinkError, again_after_s, open_link
from .message import subject_of
from .streams import DEFAULT_PREFIX, StreamFacts, consume, find_stream

AWAY_S = 30.0
"""How long a server may be away before a reader that does not follow gives it up."""
_SILENT_LOOKS = 3
"""Heartbeats that may be missing: a consumer is lost with the server that had it in memory."""
_AT_ONCE = 1_000


class Stored(NamedTuple):
    """A message as the stream holds it: its number there, when it was stored, and its body."""

    sequence: int
    stored_ns: int
    body: bytes


class ReadRange(NamedTuple):
    """What to read: stored from a time on and up to one (nanoseconds since the epoch, None: no
    bound), of these instruments by exchange and token (none: of all)."""

    start_ns: int | None = None
    end_ns: int | None = None
    instruments: tuple[tuple[str, str], ...] = ()


class Subscriber:
    """`open`, then `run` until the end. `deliver` takes messages, and says whether it has room for
    more; when it has none, `resume` is to be called once it has."""

    def __init__(
        self,
        address: NatsAddress,
        access: NatsAccess,
        wanted: ReadRange,
        *,
        follows: bool,
        deliver: Callable[[Sequence[Stored]], bool],
    ) -> None:
        self._address = address
        self._access = access
        self._wanted = wanted
        self._follows = follows
        self._deliver = deliver
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._link: Link | None = None
        self._others: list[str] = []
        self._subjects: list[str] = []
        self._batch: list[Stored] = []
        self._last = 0
        """The stream's number of the last message; 0: none so far."""
        self._end_sequence: int | None = None
        self._consumer_sequence = 0
        self._heard = 0
        self._is_done = False
        self._task: asyncio.Task[None] | None = None

    def resume(self) -> None:
        """There is room again. For the event loop's thread."""
        self._room.set()

    def stop(self) -> None:
        """Let `run` return now. For the event loop's thread."""
        self._is_done = True
        if self._task is not None:
            self._task.cancel()

    async def open(self) -> StreamFacts:
        """The first link, and the stream. Raises LinkError, also when it is stopped; UsageError."""
        self._task = asyncio.current_task()
        try:
            self._link, facts = await self._open_link()
        except asyncio.CancelledError:
            if not self._is_done:
                raise
            raise LinkError("nats-unreachable", "stopped before there was a link") from None
        if not self._follows:
            self._end_sequence = facts.last_sequence
            self._is_done = facts.messages == 0
        return facts

    async def run(self) -> None:
        """Read. Raises LinkError when the stream is gone, or the server is, for too long."""
        self._task = asyncio.current_task()
        try:
            # The flag is what counts: a cancellation may be swallowed (publisher.py).
            while not self._is_done:
                link = self._link or await self._open_again()
                self._link = link
                await self._read(link)
                await link.close()
                self._link = None
        except asyncio.CancelledError:
            if not self._is_done:
                raise
        finally:
            if self._link is not None:
                await self._link.close()

    async def _open_link(self) -> tuple[Link, StreamFacts]:
        link = await open_link(self._address, self._access, self._news.set, others=self._others)
        try:
            facts = await find_stream(link, self._address.stream)
            if facts is None:
                raise LinkError("nats-no-stream", f"there is no stream {self._address.stream}")
        except LinkError:
            await link.close()
            raise
        self._others = link.discovered
        prefix = facts.prefix or DEFAULT_PREFIX
        self._subjects = [subject_of(prefix, *each) for each in self._wanted.instruments]
        return link, facts

    async def _open_again(self) -> Link:
        """Raises LinkError where there is no stream; without `follows` also when it takes long."""
        away_since_s = asyncio.get_running_loop().time()
        failures = 0
        while not self._is_done:
            await asyncio.sleep(again_after_s(failures))
            failures += 1
            try:
                link, facts = await self._open_link()
            except (LinkError, TicksError) as error:
                is_gone = isinstance(error, LinkError) and error.kind == "nats-no-stream"
                away_s = asyncio.get_running_loop().time() - away_since_s
                if is_gone or (away_s > AWAY_S and not self._follows):
                    raise
                continue
            if facts.last_sequence < self._last:
                self._last = 0  # made again under the same name: its numbers begin again
            return link
        raise asyncio.CancelledError

    async def _read(self, link: Link) -> None:
        """Deliver what comes, until all is done or the link is lost."""
        inbox = link.new_inbox()
        self._news.clear()
        self._consumer_sequence = 0
        await link.subscribe(inbox, lambda delivery: self._received(link, delivery))
        try:
            pending = await consume(
                link,
                self._address.stream,
                inbox,
                start=self._start(),
                subjects=self._subjects,
            )
        except LinkError as error:
            if error.kind in ("nats-no-stream", "nats-stream"):
                raise
            return
        if pending == 0 and not self._follows:
            self._is_done = True
            return
        watching = asyncio.create_task(self._watch(link))
        try:
            while not (self._is_done or link.is_lost):
                await self._news.wait()
                self._news.clear()
        finally:
            watching.cancel()
            self._hand_over()

    def _start(self) -> Mapping[str, object]:
        """Where to go on, in the words of the API."""
        if self._last:
            return {"deliver_policy": "by_start_sequence", "opt_start_seq": self._last + 1}
        if self._wanted.start_ns is None:
            return {"deliver_policy": "all"}
        start = datetime.fromtimestamp(self._wanted.start_ns / 1e9, UTC)
        return {"deliver_policy": "by_start_time", "opt_start_time": start.isoformat()}

    async def _received(self, link: Link, delivery: Delivery) -> None:
        """A message of the stream, a heartbeat, or a request to say that all was taken."""
        self._heard += 1
        if link.is_lost or self._is_done:
            return
        position = position_of(delivery.reply)
        if position is None:
            await self._controlled(link, delivery)
            return
        if position.consumer_sequence != self._consumer_sequence + 1:
            link.lose("a message is missing")
            return
        self._consumer_sequence = position.consumer_sequence
        self._last = position.stream_sequence
        if self._wanted.end_ns is not None and position.stored_ns >= self._wanted.end_ns:
            self._finish()
            return
        if not self._batch:
            # Runs once this task has taken all that arrived: then the batch is as full as it gets.
            asyncio.get_running_loop().call_soon(self._hand_over)
        self._batch.append(Stored(position.stream_sequence, position.stored_ns, delivery.body))
        if len(self._batch) >= _AT_ONCE:
            self._hand_over()
        if self._end_sequence is not None and (
            position.stream_sequence >= self._end_sequence or position.pending == 0
        ):
            self._finish()
        await self._room.wait()

    async def _controlled(self, link: Link, delivery: Delivery) -> None:
        """Everything before was taken, or this would not be read yet: answer at once."""
        headers = delivery.headers or {}
        stalled = headers.get("Nats-Consumer-Stalled", "")
        if delivery.reply or stalled:
            await link.publish(delivery.reply or stalled, b"")
            return
        if self._wanted.end_ns is not None and time.time_ns() >= self._wanted.end_ns:
            self._finish()  # whatever comes now was stored later
            return
        last = headers.get("Nats-Last-Consumer", "")
        if re.fullmatch(r"[0-9]{1,20}", last) and int(last) != self._consumer_sequence:
            link.lose("a message is missing")
        elif not self._follows:
            # It has nothing more, though the last message is still missing: those up to there were
            # deleted meanwhile. A new consumer says whether anything is left.
            link.lose("nothing comes")

    def _finish(self) -> None:
        self._is_done = True
        self._hand_over()
        self._news.set()

    def _hand_over(self) -> None:
        if self._batch:
            batch, self._batch = self._batch, []
            if not self._deliver(batch):
                self._room.clear()

    async def _watch(self, link: Link) -> None:
        """Lose the link when it is silent although nothing on our side delays it."""
        heard, silent = self._heard, 0
        while not link.is_lost:
            await asyncio.sleep(PING_EVERY_S)
            is_held_up = not self._room.is_set()
            silent = 0 if is_held_up or self._heard != heard else silent + 1
            heard = self._heard
            if silent >= _SILENT_LOOKS:
                link.lose("the server is silent")
