"""Is everything there that a stream needs? The checks of `ticks health`, in the order of the road.

Each check is run by `Checkup.run`, one after the other, and told as soon as it is done. A check
that stands on one that failed is skipped, so the first failure is the one to mend. Nothing is
changed but what a stream would change too: a session is renewed, a stale instrument master fetched.

A checkup may be run again and again. `LOCAL_CHECKS` cost next to nothing and ask nobody; the others
ask the broker, and the feed's take one of the 3 connections that a client code may hold.
"""

from __future__ import annotations

import os
import select
import shutil
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from .auth.authenticator import Authenticator
from .auth.smartapi import SmartApi
from .auth.tokens import Session
from .clock import Clock, ist_time
from .config import Config
from .errors import (
    BrokerError,
    CredentialsMissingError,
    NetworkError,
    RateLimitedError,
    SilenceError,
    SubscriptionRefusedError,
    TicksError,
)
from .feed.lifecycle import Phase
from .feed.link import Handshake, Link
from .feed.network import handshake_headers
from .http import REST_LIMITS
from .instrument import Instrument, exchange_name
from .instruments import open_catalog
from .market.calendar import MarketCalendar, Prior
from .market.hours import NSE, Segment, kind_of, segments
from .status_file import RunningStream, running_streams
from .tick import Mode
from .waker import Waker
from .wire.frames import Close, ControlFrame, FrameReader, Text
from .wire.packet import decode_packet, malformed_reason
from .wire.subscription import SubscribeAction, Unit, parse_error, requests

MOST_SKEW_S = 10.0
"""A clock further off makes TOTP codes fail (they live 30 s) and times in rows worthless."""
LEAST_FREE_BYTES = 200_000_000
"""About a busy day of fifty instruments in quote mode."""
DEFAULT_SYMBOL = "NIFTY"
_PRIOR_WORDS = {Prior.OPEN: "open", Prior.MAY: "perhaps open", Prior.SHUT: "closed"}
LOCAL_CHECKS = frozenset({"credentials", "market hours", "running streams", "disk"})


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `status` is ok, failed or skipped; `error` is what failed it, for exit codes."""

    name: str
    status: str
    detail: str
    seconds: float = 0.0
    advice: str = ""
    error: TicksError | None = None

    def to_dict(self) -> dict[str, object]:
        """As `ticks health --json` gives it."""
        return {
            "name": self.name,
            "status": self.status,
            "detail": self.detail,
            "seconds": round(self.seconds, 3),
            "advice": self.advice,
        }


class SkippedError(Exception):
    """A check that makes no sense now; the text says why."""


Finding: TypeAlias = str | tuple[str, str]
"""What a check found, or that and advice."""


class Checkup:
    """All checks for one user. `timeout_s` bounds each wait for the feed.

    `spares_feed`: the feed is not asked while a stream runs on this machine. `advise` says what to
    do about an error, for people.
    """

    def __init__(  # noqa: PLR0913  (all but two are named where it is called)
        self,
        config: Config,
        sessions: Authenticator,
        *,
        clock: Clock,
        calendar: MarketCalendar,
        run_folder: Path,
        symbols: Sequence[str] = (),
        timeout_s: float = 15.0,
        spares_feed: bool = False,
        advise: Callable[[TicksError], str] = lambda error: error.remedy,
    ) -> None:
        self._advise = advise
        self._paths = config.paths
        self._endpoints = config.endpoints
        self._credentials = config.credentials
        self._sessions = sessions
        self._clock = clock
        self._calendar = calendar
        self._run_folder = run_folder
        self._symbols = tuple(symbols) or (DEFAULT_SYMBOL,)
        self._timeout_s = timeout_s
        self._spares_feed = spares_feed
        self._stop = Waker()
        self._is_stopped = False
        self._session: Session | None = None
        self._skew_s: float | None = None
        self._instruments: list[Instrument] = []
        self._probe: FeedProbe | None = None
        self.streams: list[RunningStream] = []

    @property
    def names(self) -> tuple[str, ...]:
        """The checks in their order."""
        return tuple(name for name, _ in self._steps())

    def _steps(self) -> tuple[tuple[str, Callable[[], Finding]], ...]:
        return (
            ("credentials", self._check_credentials),
            ("session", self._check_session),
            ("REST", self._check_rest),
            ("clock skew", self._check_skew),
            ("instrument master", self._check_master),
            ("market hours", self._check_hours),
            ("handshake", self._check_handshake),
            ("heartbeat", self._check_heartbeat),
            ("first tick", self._check_first_tick),
            ("running streams", self._check_streams),
            ("disk", self._check_disk),
        )

    def run(self, names: Collection[str] | None = None) -> Iterator[Check]:
        """Each check as it is done: all, or those of `names`, which build on the last run."""
        self.streams = running_streams(self._run_folder, self._clock.wall_ns() / 1e9)
        try:
            for name, step in self._steps():
                if self._is_stopped:
                    return
                if names is None or name in names:
                    yield self._done(name, step)
        finally:
            if self._probe is not None:
                self._probe.close()
                self._probe = None

    def stop(self) -> None:
        """End a run, from any thread: it waits for the feed no longer and begins no check."""
        self._is_stopped = True
        self._stop.wake()

    def _done(self, name: str, step: Callable[[], Finding]) -> Check:
        began_s = self._clock.now_s()
        try:
            found = step()
        except SkippedError as skipped:
            return Check(name, "skipped", str(skipped))
        except TicksError as error:
            seconds = self._clock.now_s() - began_s
            return Check(name, "failed", error.message, seconds, self._advise(error), error)
        detail, advice = found if isinstance(found, tuple) else (found, "")
        return Check(name, "ok", detail, self._clock.now_s() - began_s, advice)

    # --- who we are ---

    def _check_credentials(self) -> Finding:
        missing = self._credentials.missing()
        if not missing:
            return "all four are in the environment"
        lacking = "missing: " + ", ".join(missing)
        saved = self._sessions.status()
        if saved is not None and saved.is_valid:
            return (
                f"not needed now, a session is saved; {lacking}",
                "set them, or log in again each morning: ticks login",
            )
        raise CredentialsMissingError(
            f"there is no valid session, and {lacking}", remedy="set them, or run: ticks login"
        )

    def _check_session(self) -> Finding:
        self._session = None
        self._session = self._sessions.session()
        until = ist_time(self._session.expires_ns)
        return f"{self._session.client_code}, valid until {until:%Y-%m-%d %H:%M:%S} IST"

    def _check_rest(self) -> Finding:
        self._skew_s = None
        session = self._required_session()
        limit_s = min(REST_LIMITS.total_s, self._timeout_s)
        api = SmartApi(self._endpoints.rest_url, self._clock, timeout_s=limit_s)
        try:
            profile = api.profile(session.api_key, session.jwt_token)
        finally:
            self._skew_s = api.skew_s
        exchanges = " ".join(profile.exchanges)
        return f"answers for {profile.client_code}" + (f" ({exchanges})" if exchanges else "")

    def _check_skew(self) -> Finding:
        if self._skew_s is None:
            raise SkippedError("the broker told no time")
        words = f"this clock is {abs(self._skew_s):.1f} s "
        words += "ahead of the broker's" if self._skew_s > 0 else "behind the broker's"
        if abs(self._skew_s) > MOST_SKEW_S:
            raise SkewError(words, remedy="set the clock by NTP: timedatectl set-ntp true")
        return words

    # --- what there is, and when ---

    def _check_master(self) -> Finding:
        self._instruments = []
        notes: list[str] = []
        with open_catalog(
            self._paths, self._endpoints.instruments_url, clock=self._clock, note=notes.append
        ) as book:
            self._instruments = book.resolve_all(self._symbols)
            fetched = f"{book.records:,} instruments of {ist_time(book.fetched_ns):%Y-%m-%d %H:%M}"
        found = ", ".join(map(str, self._instruments[:5]))
        advice = "; ".join(notes)
        return f"{fetched}; {found}", advice

    def _check_hours(self) -> Finding:
        wall_ns = self._clock.wall_ns()
        if self._calendar.is_always_open:
            return "open (always)"
        wanted, today = self._segments(), ist_time(wall_ns).date()
        opens_at = self._calendar.next_open(wanted, wall_ns)
        prior = max(self._calendar.prior(segment, wall_ns) for segment in wanted)
        state = _PRIOR_WORDS[prior]
        opens = f"; opens {opens_at:%a %Y-%m-%d %H:%M} IST" if opens_at else ""
        beliefs = "; ".join(
            f"{exchange_name(segment.exchange_type)} {self._calendar.belief(segment, today)}"
            for segment in wanted
        )
        return f"{state}{opens}; today {beliefs}"

    def _segments(self) -> tuple[Segment, ...]:
        """What was asked for, as the calendar sees it; NSE where nothing was."""
        kinds = ((i.exchange_type, kind_of(i.exchange_type, i.name)) for i in self._instruments)
        return segments(kinds) or (Segment(NSE),)

    # --- the feed ---

    def _check_handshake(self) -> Finding:
        session = self._required_session()
        if self._spares_feed and self.streams:
            raise SkippedError("not asked while a stream runs: its own state tells more")
        try:
            self._probe = FeedProbe(
                self._endpoints.feed_url, session, self._clock, self._timeout_s, self._stop
            )
        except RateLimitedError as error:
            if self.streams:
                pids = ", ".join(str(stream.pid) for stream in self.streams)
                raise SkippedError(
                    f"all connections are in use; running streams: {pids}"
                ) from error
            raise
        return "the feed opened"

    def _check_heartbeat(self) -> Finding:
        probe = self._required_probe()
        return f"pong after {probe.round_trip_s() * 1000:.1f} ms"

    def _check_first_tick(self) -> Finding:
        probe = self._required_probe()
        if not self._instruments:
            raise SkippedError("no instrument to ask for")
        try:
            packet, seconds = probe.first_packet(self._instruments)
        except SilenceError:
            if not self._calendar.is_open(self._segments(), self._clock.wall_ns()):
                raise SkippedError("no tick, and the market is closed") from None
            raise
        tick = decode_packet(packet)
        names = {i.key: i.symbol for i in self._instruments}
        symbol = names.get((tick.exchange_type, tick.token), tick.token)
        return f"{symbol} {tick.ltp} after {seconds * 1000:.0f} ms"

    # --- this machine ---

    def _check_streams(self) -> Finding:
        if not self.streams:
            return "none"
        phases = {
            pid: "unreadable" if snapshot is None else snapshot.phase
            for pid, snapshot in self.streams
        }
        words = ", ".join(f"{pid} {phase}" for pid, phase in phases.items())
        are_live = set(phases.values()) == {Phase.LIVE}
        return words, "" if are_live else "look at the ones that are not live"

    def _check_disk(self) -> Finding:
        folder = self._paths.state
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        if not os.access(folder, os.W_OK):
            raise DiskError(
                f"{folder} cannot be written", remedy="set TICKS_HOME to a folder of yours"
            )
        places = {str(folder): folder, str(Path.cwd()): Path.cwd()}
        free = {name: shutil.disk_usage(path).free for name, path in places.items()}
        fullest = min(free, key=lambda name: free[name])
        words = f"{free[fullest] / 1e9:.1f} GB free at {fullest}"
        if free[fullest] < LEAST_FREE_BYTES:
            raise DiskError(words, remedy="make room before you record")
        return words

    def _required_session(self) -> Session:
        if self._session is None:
            raise SkippedError("there is no session")
        return self._session

    def _required_probe(self) -> FeedProbe:
        if self._probe is None:
            raise SkippedError("the feed was not opened")
        return self._probe


class SkewError(BrokerError):
    """This machine's clock and the broker's disagree."""


class DiskError(BrokerError):
    """There is no room, or no right, to write what a stream must write."""


class FeedProbe:
    """One connection, opened to ask a question or two. Raises what opening a feed raises.

    No wait is longer than `timeout_s`, the handshake's either, nor goes on once `stop` rang.
    """

    def __init__(
        self, feed_url: str, session: Session, clock: Clock, timeout_s: float, stop: Waker
    ) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._stop = stop
        self._link = _opened(Handshake(feed_url, handshake_headers(session)), timeout_s)
        self._frames = FrameReader()

    def round_trip_s(self) -> float:
        """Seconds from `ping` to `pong`. Raises NetworkError when none comes."""
        sent_s = self._clock.now_s()
        self._link.send_text("ping")
        for _, signals in self._drains():
            if Text("pong") in signals:
                return self._clock.now_s() - sent_s
        raise NetworkError(f"no answer to `ping` within {self._timeout_s:g} s")

    def first_packet(self, instruments: Sequence[Instrument]) -> tuple[bytes, float]:
        """The first packet of any of these, and the seconds it took. Raises SilenceError."""
        sent_s = self._clock.now_s()
        units = [Unit(i.exchange_type, i.token, Mode.LTP) for i in instruments]
        for request in requests(units, SubscribeAction.SUBSCRIBE):
            self._link.send_text(request.text)
        for packets, signals in self._drains():
            for signal in signals:
                self._raise_refusal(signal)
            for packet in packets:
                if malformed_reason(packet) is None:
                    return packet, self._clock.now_s() - sent_s
        raise SilenceError(self._timeout_s)

    def _raise_refusal(self, signal: ControlFrame) -> None:
        refusal = parse_error(signal.text) if isinstance(signal, Text) else None
        if refusal is not None:
            words = f"{refusal.error_code} {refusal.error_message}"
            raise SubscriptionRefusedError(f"the broker refused the subscription: {words}")

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
                packets, signals = self._frames.read(self._link.receive())
                yield packets, signals
                if any(isinstance(signal, Close | TicksError) for signal in signals):
                    raise NetworkError("the server closed the feed")

    def close(self) -> None:
        """Close the connection with a close frame."""
        self._link.close(1000)


def _opened(opening: Handshake, timeout_s: float) -> Link:
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
