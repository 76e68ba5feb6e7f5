"""Checks that everything a stream needs is there, in the order in which it needs it.

Each check is run by `Checkup.run`, one after the other, and given out as soon as it is done. A
check that needs one that failed is skipped, so the first failure is the one to fix. Nothing is
changed but what a stream would change too: a session is renewed, a stale instrument master fetched.

A running stream of this account that is connecting, waiting or lost is a failure; one whose market
is closed or stands still is not. Streams of a demo, another broker or another account fail no
check.

A checkup may be run repeatedly. `LOCAL_CHECKS` cost next to nothing and use no network; the others
ask the broker, and the feed's take one of the 3 connections that a client code may hold.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from .auth.authenticator import Authenticator
from .auth.smartapi import SmartApi
from .auth.tokens import Session
from .clock import Clock, ist_time
from .config import Config
from .errors import (
    BrokerError,
    ClockSkewError,
    CredentialsMissingError,
    DiskError,
    RateLimitedError,
    SilenceError,
    TicksError,
)
from .feed.lifecycle import Phase
from .http import REST_LIMITS
from .instrument import NSE, Instrument, exchange_name
from .instruments import open_catalog
from .market.calendar import MarketCalendar, Prior
from .market.hours import Segment, segments_of
from .probe import FeedProbe
from .snapshot import client_digest
from .status_file import RunningStream, running_streams
from .urls import without_secrets
from .waker import Waker
from .wire.packet import decode_packet

MOST_SKEW_S = 10.0
"""A clock further off makes TOTP codes fail (they live 30 s) and times in rows worthless."""
LEAST_FREE_BYTES = 200_000_000
"""About a busy day of fifty instruments in quote mode."""
DEFAULT_SYMBOL = "NIFTY"
_PRIOR_WORDS = {Prior.OPEN: "open", Prior.MAY: "perhaps open", Prior.SHUT: "closed"}
LOCAL_CHECKS = frozenset({"credentials", "market hours", "running streams", "disk"})


class CheckStatus(StrEnum):
    """The outcome of a check."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


class Finding(NamedTuple):
    """What a check found. `kind` names the advice that goes with it, where there is any; `notes`
    are what else was noticed."""

    detail: str
    kind: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One check that was done, `seconds` long. `kind` and `notes` are the finding's; `error` is
    what failed it, with a kind of its own."""

    name: str
    status: CheckStatus
    detail: str
    seconds: float = 0.0
    kind: str = ""
    notes: str = ""
    error: TicksError | None = None


class Owner(StrEnum):
    """Whose a running stream is, as seen by a checkup."""

    OURS = "ours"
    DEMO = "demo"
    OTHER_BROKER = "another broker"
    OTHER_ACCOUNT = "another account"
    UNREADABLE = "unreadable"


_AILING = frozenset({Phase.CONNECTING, Phase.WAITING, Phase.LOST})


class SkippedError(Exception):
    """A check that makes no sense now; the text says why."""


class Checkup:
    """All checks for one user. `timeout_s` bounds each wait for the feed.

    `spares_feed`: the feed is not asked while a stream of this account runs on this machine.
    """

    def __init__(
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
    ) -> None:
        self._paths = config.paths
        self._endpoints = config.endpoints
        self._credentials = config.credentials
        self._aliases = config.aliases
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
        self._lacks_credentials = False
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

    def owner_of(self, stream: RunningStream) -> Owner:
        """Whose a stream is; it is ours where it does not say (yet)."""
        snapshot = stream.snapshot
        if snapshot is None:
            return Owner.UNREADABLE
        if snapshot.is_demo:
            return Owner.DEMO
        if snapshot.feed not in ("", without_secrets(self._endpoints.feed_url)):
            return Owner.OTHER_BROKER
        code = self._credentials.client_code if self._session is None else self._session.client_code
        is_known = bool(code and snapshot.client)
        if is_known and snapshot.client != client_digest(code or ""):
            return Owner.OTHER_ACCOUNT
        return Owner.OURS

    @property
    def _own_streams(self) -> list[RunningStream]:
        return [each for each in self.streams if self.owner_of(each) is Owner.OURS]

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
            return Check(name, CheckStatus.SKIPPED, str(skipped))
        except TicksError as error:
            seconds = self._clock.now_s() - began_s
            return Check(name, CheckStatus.FAILED, error.message, seconds, error=error)
        seconds = self._clock.now_s() - began_s
        return Check(name, CheckStatus.OK, found.detail, seconds, found.kind, found.notes)

    # --- credentials and session ---

    def _check_credentials(self) -> Finding:
        self._lacks_credentials = False
        missing = self._credentials.missing()
        if not missing:
            return Finding("all four are in the environment")
        lacking = "missing: " + ", ".join(missing)
        saved = self._sessions.status()
        if saved is not None and saved.is_valid:
            detail = f"not needed now, a session is saved; {lacking}"
            return Finding(detail, kind="session-only-saved")
        self._lacks_credentials = True
        raise CredentialsMissingError(
            f"there is no valid session, and {lacking}",
            kind="no-session-no-credentials",
            missing=missing,
        )

    def _check_session(self) -> Finding:
        self._session = None
        if self._lacks_credentials:
            raise SkippedError("a login needs the credentials")
        self._session = self._sessions.session()
        until = ist_time(self._session.expires_ns)
        return Finding(f"{self._session.client_code}, valid until {until:%Y-%m-%d %H:%M:%S} IST")

    def _check_rest(self) -> Finding:
        self._skew_s = None
        session = self._required_session()
        limit_s = min(REST_LIMITS.total_s, self._timeout_s)
        api = SmartApi(self._endpoints.rest_url, self._clock, timeout_s=limit_s)
        try:
            profile = api.profile(session.api_key, session.jwt_token)
        finally:
            self._skew_s = api.skew_s
        exchanges = f" ({' '.join(profile.exchanges)})" if profile.exchanges else ""
        return Finding(f"answers for {profile.client_code}{exchanges}")

    def _check_skew(self) -> Finding:
        self._required_session()
        if self._skew_s is None:
            raise SkippedError("the broker's reply had no time in it")
        side = "ahead of" if self._skew_s > 0 else "behind"
        detail = f"this clock is {abs(self._skew_s):.1f} s {side} the broker's"
        if abs(self._skew_s) > MOST_SKEW_S:
            raise ClockSkewError(detail, kind="clock-skew", skew_s=self._skew_s)
        return Finding(detail)

    # --- instruments and market hours ---

    def _check_master(self) -> Finding:
        self._instruments = []
        notes: list[str] = []
        with open_catalog(
            self._paths,
            self._endpoints.instruments_url,
            clock=self._clock,
            note=notes.append,
            aliases=self._aliases,
        ) as catalog:
            self._instruments = catalog.resolve_all(self._symbols, note=notes.append)
            fetched_at = ist_time(catalog.fetched_ns)
            records = f"{catalog.records:,} instruments of {fetched_at:%Y-%m-%d %H:%M}"
        found = ", ".join(map(str, self._instruments[:5]))
        return Finding(f"{records}; {found}", notes="; ".join(notes))

    def _check_hours(self) -> Finding:
        wall_ns = self._clock.wall_ns()
        if self._calendar.is_always_open:
            return Finding("open (always)")
        wanted, today = self._segments(), ist_time(wall_ns).date()
        opens_at = self._calendar.next_open(wanted, wall_ns)
        prior = max(self._calendar.prior(segment, wall_ns) for segment in wanted)
        state = _PRIOR_WORDS[prior]
        opens = f"; opens {opens_at:%a %Y-%m-%d %H:%M} IST" if opens_at else ""
        beliefs = "; ".join(
            f"{exchange_name(segment.exchange_type)} {self._calendar.belief(segment, today)}"
            for segment in wanted
        )
        return Finding(f"{state}{opens}; today {beliefs}")

    def _segments(self) -> tuple[Segment, ...]:
        """What was asked for, as the calendar sees it; NSE where nothing was."""
        return segments_of(self._instruments) or (Segment(NSE),)

    # --- the feed ---

    def _check_handshake(self) -> Finding:
        session = self._required_session()
        if self._spares_feed and self._own_streams:
            raise SkippedError("not checked while a stream runs: its own state says more")
        try:
            self._probe = FeedProbe(
                self._endpoints.feed_url, session, self._clock, self._timeout_s, self._stop
            )
        except RateLimitedError as error:
            if own := self._own_streams:
                pids = ", ".join(str(stream.pid) for stream in own)
                raise SkippedError(
                    f"all connections are in use; running streams: {pids}"
                ) from error
            raise
        return Finding("the feed opened")

    def _check_heartbeat(self) -> Finding:
        probe = self._required_probe()
        return Finding(f"pong after {probe.round_trip_s() * 1000:.1f} ms")

    def _check_first_tick(self) -> Finding:
        probe = self._required_probe()
        if not self._instruments:
            raise SkippedError("no instrument to subscribe to")
        try:
            packet, seconds = probe.first_packet(self._instruments)
        except SilenceError:
            if not self._calendar.is_open(self._segments(), self._clock.wall_ns()):
                raise SkippedError("no tick, and the market is closed") from None
            raise
        tick = decode_packet(packet)
        names = {i.key: i.symbol for i in self._instruments}
        symbol = names.get((tick.exchange_type, tick.token), tick.token)
        return Finding(f"{symbol} {tick.ltp} after {seconds * 1000:.0f} ms")

    # --- this machine ---

    def _check_streams(self) -> Finding:
        if not self.streams:
            return Finding("none")
        words = []
        ailing = []
        for stream in self.streams:
            owner, phase = self.owner_of(stream), stream.snapshot and stream.snapshot.phase
            shown = "unreadable" if phase is None else f"{phase}"
            words.append(
                f"{stream.pid} {shown}"
                + ("" if owner in (Owner.OURS, Owner.UNREADABLE) else f" ({owner})")
            )
            if owner is Owner.OURS and phase in _AILING:
                ailing.append(stream.pid)
        if ailing:
            raise BrokerError(", ".join(words), kind="streams-not-live", pids=ailing)
        return Finding(", ".join(words))

    def _check_disk(self) -> Finding:
        folder = self._paths.state
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        if not os.access(folder, os.W_OK):
            detail = f"{folder} cannot be written"
            raise DiskError(detail, kind="folder-unwritable", folder=str(folder))
        places = {str(folder): folder, str(Path.cwd()): Path.cwd()}
        free = {name: shutil.disk_usage(path).free for name, path in places.items()}
        fullest = min(free, key=lambda name: free[name])
        detail = f"{free[fullest] / 1e9:.1f} GB free at {fullest}"
        if free[fullest] < LEAST_FREE_BYTES:
            raise DiskError(detail, kind="disk-full", folder=fullest, free_bytes=free[fullest])
        return Finding(detail)

    def _required_session(self) -> Session:
        if self._session is None:
            raise SkippedError("there is no session")
        return self._session

    def _required_probe(self) -> FeedProbe:
        if self._probe is None:
            raise SkippedError("the feed was not opened")
        return self._probe
