"""A feed that is opened for a moment: does it open, answer `ping`, and send a tick?"""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator, Sequence

from .auth.tokens import Session
from .clock import Clock
from .errors import NetworkError, SilenceError, SubscriptionRefusedError, TicksError
from .feed.link import Handshake, Link
from .feed.network import handshake_headers
from .instrument import Instrument
from .redaction import shown
from .tick import Mode
from .waker import Waker
from .wire.frames import NORMAL_CLOSURE, Close, ControlFrame, FrameReader, Text
from .wire.packet import malformed_reason
from .wire.subscription import SubscribeAction, Unit, parse_error, requests


class FeedProbe:
    """One connection to the feed, opened to ask a question or two.

    No wait is longer than `timeout_s`, the handshake's included, nor goes on once `stop` was woken.
    Raises what opening a feed raises.
    """

    def __init__(
        self, feed_url: str, session: Session, clock: Clock, timeout_s: float, stop: Waker
    ) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._stop = stop
        self._link = _open_link(Handshake(feed_url, handshake_headers(session)), timeout_s)
        self._frames = FrameReader()

    def round_trip_s(self) -> float:
        """Seconds from `ping` to `pong`. Raises NetworkError when none comes."""
        sent_s = self._clock.now_s()
        self._link.send_text("ping")
        for _, frames in self._drains():
            if Text("pong") in frames:
                return self._clock.now_s() - sent_s
        raise NetworkError(f"no answer to `ping` within {self._timeout_s:g} s")

    def first_packet(self, instruments: Sequence[Instrument]) -> tuple[bytes, float]:
        """The first packet of any of these, and the seconds it took. Raises SilenceError."""
        sent_s = self._clock.now_s()
        units = [Unit(i.exchange_type, i.token, Mode.LTP) for i in instruments]
        for request in requests(units, SubscribeAction.SUBSCRIBE):
            self._link.send_text(request.text)
        for packets, frames in self._drains():
            for frame in frames:
                self._raise_refusal(frame)
            for packet in packets:
                if malformed_reason(packet) is None:
                    return packet, self._clock.now_s() - sent_s
        raise SilenceError(self._timeout_s)

    def _raise_refusal(self, frame: ControlFrame) -> None:
        refusal = parse_error(frame.text) if isinstance(frame, Text) else None
        if refusal is not None:
            reply = shown(f"{refusal.error_code} {refusal.error_message}")
            raise SubscriptionRefusedError(f"the broker refused the subscription: {reply}")

    def _drains(self) -> Iterator[tuple[list[bytes], list[ControlFrame]]]:
        """What comes, until time is up. Raises NetworkError when the server closes the feed."""
        until_s = self._clock.now_s() + self._timeout_s
        poll = select.poll()
        poll.register(self._link.fileno(), select.POLLIN)
        poll.register(self._stop.fileno(), select.POLLIN)
        while (left_s := until_s - self._clock.now_s()) > 0:
            ready = [descriptor for descriptor, _ in poll.poll(left_s * 1000)]
            if self._stop.fileno() in ready:
                raise NetworkError("the checks were stopped")
            if ready:
                packets, frames = self._frames.read(self._link.receive())
                yield packets, frames
                if any(isinstance(frame, Close | TicksError) for frame in frames):
                    raise NetworkError("the server closed the feed")

    def close(self) -> None:
        """Close the connection with a close frame."""
        self._link.close(NORMAL_CLOSURE)


def _open_link(opening: Handshake, timeout_s: float) -> Link:
    """The open feed; a handshake that takes longer than `timeout_s` is given up."""
    is_late = threading.Event()

    def give_up() -> None:
        is_late.set()
        opening.abandon()

    limit = threading.Timer(timeout_s, give_up)
    limit.start()
    try:
        return opening.run()
    except NetworkError as error:
        if is_late.is_set():
            raise NetworkError(f"the feed did not open within {timeout_s:g} s") from error
        raise
    finally:
        limit.cancel()
