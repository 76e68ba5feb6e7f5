"""What the loop of one connection needs: waits, the socket, and calls that block elsewhere.

`Network` is the port. The loop sees nothing else of the outside world, so a test hands in a
scripted one on a virtual clock. `SystemNetwork` is the real one: a `poll` for waiting, a `Link`
for bytes, and a short-lived thread for whatever blocks (renewing the session, shaking hands), so
that a stop never waits for a name server. What an abandoned thread brings back carries an old
epoch and is thrown away.
"""

from __future__ import annotations

import queue
import select
import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeAlias

import msgspec

from ..auth.authenticator import Session
from ..clock import Clock
from ..errors import FeedLostError, NetworkError, TicksError
from ..limits import limit_of, start_thread
from ..waker import Waker
from ..wire.frames import NORMAL_CLOSURE
from .link import HANDSHAKE_TIMEOUT_S, LINGER_S, Handshake, Link


class Connected(NamedTuple):
    """Connect number `epoch` succeeded, with `session`."""

    epoch: int
    session: Session


class ConnectFailed(NamedTuple):
    """Connect number `epoch` failed."""

    epoch: int
    error: TicksError


class Renewed(NamedTuple):
    """The tokens are new."""

    session: Session


class RenewalFailed(NamedTuple):
    """The session could not be renewed. A warning: the old tokens are tried."""

    error: TicksError


class Received(msgspec.Struct, frozen=True, gc=False):  # with every drain: made without Python
    """Bytes left the socket of `epoch` at `received_ns` on the wall clock."""

    epoch: int
    data: bytes
    received_ns: int


class LinkBroke(NamedTuple):
    """The socket of `epoch` broke."""

    epoch: int
    error: TicksError


NetworkEvent: TypeAlias = Connected | ConnectFailed | Renewed | RenewalFailed | Received | LinkBroke


class Network(Protocol):
    """The port between one connection's loop and the world. One socket at most."""

    def connect(self, epoch: int, *, fresh_login: bool) -> None:
        """Begin to renew the session and shake hands; `Connected` or `ConnectFailed` follows."""
        ...

    def renew(self) -> None:
        """Begin to renew the session while the socket is in use; `Renewed` or `RenewalFailed`."""
        ...

    def wait(self, until_s: float | None) -> list[NetworkEvent]:
        """What happened, waiting until `until_s` on the monotonic clock at most, or for `wake`."""
        ...

    def wake(self) -> None:
        """End the running or the next `wait` early. Safe from any thread."""
        ...

    def send_text(self, text: str) -> None:
        """Send a text frame on the open socket. A failure comes out of `wait` as `LinkBroke`."""
        ...

    def send_pong(self, payload: bytes) -> None:
        """Answer a control ping. Failures as with `send_text`."""
        ...

    def close(self, code: int) -> bytes:
        """Close the socket with a close frame, or give up the connect under way, if any.

        Returns the bytes that still came.
        """
        ...

    def release(self) -> None:
        """Release everything at the end."""
        ...


class Sessions(Protocol):
    """The source of tokens (auth/authenticator.py: Authenticator)."""

    def session(self) -> Session:
        """The saved session while it is valid, else a login."""
        ...

    def renew(self, refused: Session | None = None) -> Session:
        """The saved session while it is valid and not `refused`, else a refresh or a login."""
        ...


class SystemNetwork:
    """The real network of one connection.

    `handshake_timeout_s` limits a whole handshake, `linger_s` how long a close waits for the peer.

    Threads: the loop's thread owns the poll, `_link`, `_watched` and `_broken`, and no other thread
    touches them. Workers (a short-lived thread for each connect and each renewal) read and replace
    `_session` and `_refused_session`, hand their results over through `_outcomes`, and wake the
    loop. `_epoch`, `_opening` and `_give_up_at_s` are for both, and written under the lock.
    """

    def __init__(
        self,
        feed_url: str,
        sessions: Sessions,
        clock: Clock,
        *,
        name: str = "feed",
        handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S,
        linger_s: float = LINGER_S,
    ) -> None:
        self._feed_url = feed_url
        self._sessions = sessions
        self._clock = clock
        self._name = name
        self._handshake_timeout_s = handshake_timeout_s
        self._linger_s = linger_s
        self._waker = Waker()
        self._outcomes: queue.SimpleQueue[tuple[NetworkEvent, Link | None]] = queue.SimpleQueue()
        self._poll = select.poll()  # not `selectors`: a wait is half of what a small drain costs
        self._poll.register(self._waker, select.POLLIN)
        self._waker_fd = self._waker.fileno()
        self._session: Session | None = None
        self._refused_session: Session | None = None
        self._lock = threading.Lock()
        """Held where the connect under way is begun, handed over or given up."""
        self._epoch = 0
        self._opening: Handshake | None = None
        self._give_up_at_s: float | None = None
        self._link: Link | None = None
        self._watched = 0
        self._broken: list[NetworkEvent] = []

    # --- what blocks, on threads of its own ---

    def connect(self, epoch: int, *, fresh_login: bool) -> None:
        with self._lock:
            self._epoch = epoch
        self._in_background(
            lambda: self._connect(epoch, fresh_login),
            lambda error: self._hand_over(epoch, ConnectFailed(epoch, error), None),
        )

    def renew(self) -> None:
        self._in_background(self._renew, self._failed_to_renew)

    def _in_background(
        self, work: Callable[[], None], failed: Callable[[TicksError], None]
    ) -> None:
        try:
            start_thread(work, name=f"{self._name} worker")
        except TicksError as error:
            failed(error)

    def _connect(self, epoch: int, fresh_login: bool) -> None:
        try:
            session = self._usable_session(fresh_login)
            opening = Handshake(
                self._feed_url, handshake_headers(session), timeout_s=self._handshake_timeout_s
            )
            if not self._announce(epoch, opening):
                return
            link = opening.run()
        except Exception as error:  # noqa: BLE001  (the loop waits for an answer, whatever happens)
            self._hand_over(epoch, ConnectFailed(epoch, _named(error)), None)
        else:
            self._hand_over(epoch, Connected(epoch, session), link)

    def _announce(self, epoch: int, opening: Handshake) -> bool:
        """Let the loop know of the handshake; False when it is no longer waited for."""
        with self._lock:
            if epoch != self._epoch:
                return False
            self._opening = opening
            self._give_up_at_s = self._clock.now_s() + self._handshake_timeout_s
        self._waker.wake()
        return True

    def _hand_over(self, epoch: int, outcome: NetworkEvent, link: Link | None) -> None:
        with self._lock:
            # Decided and queued as one: between the two the loop might give this epoch up.
            is_wanted = epoch == self._epoch
            if is_wanted:
                self._opening = self._give_up_at_s = None
                self._outcomes.put((outcome, link))
        if is_wanted:
            self._waker.wake()
        elif link is not None:
            link.close(NORMAL_CLOSURE, linger_s=self._linger_s)

    def _usable_session(self, fresh_login: bool) -> Session:
        """The session for the handshake. A failed renewal is a warning: the old tokens may do."""
        old = self._session
        if old is None:
            session = self._sessions.session()
        elif fresh_login or old is self._refused_session:
            self._refused_session = old
            session = self._sessions.renew(refused=old)
        else:
            try:
                session = self._sessions.renew()
            except TicksError as error:
                self._outcomes.put((RenewalFailed(error), None))
                return old
        if old is not None and session != old:
            self._outcomes.put((Renewed(session), None))
        self._session = session
        return session

    def _renew(self) -> None:
        try:
            self._session = self._sessions.renew()
            self._outcomes.put((Renewed(self._session), None))
        except Exception as error:  # noqa: BLE001  (as above)
            self._failed_to_renew(_named(error))
        else:
            self._waker.wake()

    def _failed_to_renew(self, error: TicksError) -> None:
        self._outcomes.put((RenewalFailed(error), None))
        self._waker.wake()

    # --- the loop's side ---

    def wait(self, until_s: float | None) -> list[NetworkEvent]:
        happened: list[NetworkEvent] = []
        give_up_s = self._give_up_at_s
        if give_up_s is not None:
            until_s = give_up_s if until_s is None else min(until_s, give_up_s)
        timeout_ms: float | None = None
        if self._broken:
            timeout_ms = 0.0  # it is returned at once: no wait for a socket that is gone
        elif until_s is not None:
            timeout_ms = max(0.0, until_s - self._clock.now_s()) * 1000
        for fd, mask in self._poll.poll(timeout_ms):
            if fd == self._waker_fd:
                self._waker.clear()
                happened += self._finished()
            else:
                if mask & select.POLLOUT and self._link is not None:
                    self._sending(self._link.flush)
                if mask & ~select.POLLOUT:
                    happened += self._received()
        if self._broken:
            happened += self._broken
            self._broken = []
        give_up_s = self._give_up_at_s
        if give_up_s is not None and self._clock.now_s() >= give_up_s:
            happened += self._given_up()
        return happened

    def _received(self) -> list[NetworkEvent]:
        """What the link has, or that it broke; nothing where it is gone already."""
        if self._link is None:
            return []
        try:
            data = self._link.receive()
        except NetworkError as error:
            self._unwatch()
            return [LinkBroke(self._epoch, error)]
        return [Received(self._epoch, data, self._clock.wall_ns())] if data else []

    def _finished(self) -> list[NetworkEvent]:
        """The outcomes of the threads; links that came too late are closed unused.

        A new link is read at once: TLS may hold bytes already that no poll sees.
        """
        happened: list[NetworkEvent] = []
        while True:
            try:
                outcome, link = self._outcomes.get_nowait()
            except queue.Empty:
                return happened
            if isinstance(outcome, Connected | ConnectFailed):
                if outcome.epoch != self._epoch:  # queued just before it was given up
                    if link is not None:
                        link.close(NORMAL_CLOSURE, linger_s=self._linger_s)
                    continue
                self._link = link
                self._watch()
            happened.append(outcome)
            if link is not None:
                happened += self._received()

    def _given_up(self) -> list[NetworkEvent]:
        epoch = self._epoch
        self._abandon()
        reason = f"no answer to the handshake within {self._handshake_timeout_s:g} s"
        return [ConnectFailed(epoch, NetworkError(reason))]

    def _abandon(self) -> None:
        """Whatever the thread under way brings is too late from now on."""
        with self._lock:
            # No connect has this number, so the thread's result matches nothing: not only when the
            # next connect has begun, but from this moment on, a wait or a stop included.
            self._epoch = -1
            self._give_up_at_s = None
            opening, self._opening = self._opening, None
        if opening is not None:
            opening.abandon()

    def wake(self) -> None:
        self._waker.wake()

    def send_text(self, text: str) -> None:
        if self._link is not None:
            link = self._link
            self._sending(lambda: link.send_text(text))

    def send_pong(self, payload: bytes) -> None:
        if self._link is not None:
            link = self._link
            self._sending(lambda: link.send_pong(payload))

    def _sending(self, send: Callable[[], None]) -> None:
        try:
            send()
        except NetworkError as error:
            # Not raised here: the loop is in the middle of a step, and gets it from `wait`.
            self._broken.append(LinkBroke(self._epoch, error))
        else:
            self._watch()

    def _watch(self) -> None:
        """Watch the link for reading, and for writing while something waits to be sent."""
        if self._link is None:
            return
        wanted = select.POLLIN | (select.POLLOUT if self._link.wants_write else 0)
        if self._watched != wanted:
            self._poll.register(self._link, wanted)  # again: changes what is watched
            self._watched = wanted

    def _unwatch(self) -> None:
        if self._link is not None and self._watched:
            self._poll.unregister(self._link)
            self._watched = 0

    def close(self, code: int) -> bytes:
        self._abandon()
        self._broken = []  # of the link that is closed here: of no interest any more
        link, self._link = self._link, None
        if link is None:
            return b""
        if self._watched:
            self._poll.unregister(link)
            self._watched = 0
        return link.close(code, linger_s=self._linger_s)

    def release(self) -> None:
        self.close(NORMAL_CLOSURE)
        self._finished()
        self._waker.close()


def _named(error: Exception) -> TicksError:
    """`error` as one of ours; of an unexpected one only its class, its text may be secret."""
    if isinstance(error, TicksError):
        return error
    if (limit := limit_of(error)) is not None:
        return limit
    lost = FeedLostError(f"the connect failed with an unexpected {type(error).__name__}")
    lost.__cause__ = error
    return lost


def handshake_headers(session: Session) -> dict[str, str]:
    """The credentials, in the handshake's headers (protocol.md: never in the query)."""
    return {
        "Authorization": f"Bearer {session.jwt_token}",
        "x-api-key": session.api_key,
        "x-client-code": session.client_code,
        "x-feed-token": session.feed_token,
    }
