"""The simulator: a SmartAPI on this machine, in a thread of its own.

    with Simulator(seed=1) as simulator:
        os.environ.update(simulator.environment())

REST and instrument master listen on one loopback port, the feed on another; both live in one event
loop, so nothing in here needs a lock but the journal's wake-up.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from ..clock import ist_time
from ..errors import PortTakenError, UsageError
from ..instrument import EXCHANGE_TYPES
from .accounts import Accounts, Credentials, Tokens, numbered_accounts
from .certificate import make_certificate
from .fault_injector import FaultInjector
from .faults import OF_MARKET, Fault, What, parse_fault
from .feed_server import FEED_PATH, FeedConnection, FeedServer
from .http_server import WebServer
from .instruments_file import listings, master_json
from .journal import Journal
from .listings import Listing
from .market import SyntheticMarket
from .playback import Playback, recorded_listings
from .rest_api import INSTRUMENTS_PATH, Rest
from .subscribers import Market, MarketState, Subscribers
from .throwaway import throwaway_folder

HOST = "127.0.0.1"
_DESCRIPTORS = 12
"""For its event loop, its two servers, and a connection to each."""
EXPIRED_CLOSE = 1008, "Token Expired"
"""How an open feed is closed when its tokens end; what the broker does then is unknown."""
T = TypeVar("T")


class Simulator:
    """A broker for tests and demos; a context manager, to be started once.

    Its market is always open, unless a fault or `set_market_state` closes it.

    `port`, `feed_port`: 0 takes a free one. `rate`: packets a second of each instrument that is
    subscribed to; `seed` repeats its prices exactly. `recording`: play this file instead, `speed`
    times as fast as it was received (None: as fast as it goes).
    `session_lifetime_s`: how long JWT and feed token live (None: until midnight IST).
    `accepts_code_once`: refuse a TOTP code that was used before, as the broker may;
    `refreshes_once`: the same for a refresh token.
    `clock_offset_s`: how far the broker's clock is ahead of this machine's.
    `has_rate_limits`: answer REST calls over the documented rates with shape C.
    `extra_instruments`: number of additional made-up NSE equities (SIM00001-EQ ...).
    `accounts`: number of client codes, each with its own credentials and three connections;
    `credentials` are those of the first.
    `faults`: what goes wrong, and when; texts are read with `parse_fault`.
    `keep_packets`: keep every packet sent in the journal, for a test to compare.
    Raises UsageError: kinds `rate-invalid`, `accounts-invalid`, `fault-invalid`,
    `fault-of-recording` (one that only a made-up market can have).
    """

    def __init__(  # noqa: PLR0913 - each is an option of its own, by keyword
        self,
        *,
        port: int = 0,
        feed_port: int = 0,
        rate: float = 4.0,
        seed: int | None = None,
        recording: Path | None = None,
        speed: float | None = 1.0,
        tls: bool = False,
        session_lifetime_s: float | None = None,
        accepts_code_once: bool = True,
        refreshes_once: bool = False,
        clock_offset_s: float = 0.0,
        has_rate_limits: bool = False,
        extra_instruments: int = 0,
        keep_packets: bool = False,
        accounts: int = 1,
        credentials: Credentials | None = None,
        faults: Sequence[Fault | str] = (),
    ) -> None:
        if rate < 0 or (speed is not None and speed <= 0):
            raise UsageError(
                f"rate {rate:g} and speed {'max' if speed is None else f'{speed:g}'}: "
                "rate must be at least 0 and speed over 0",
                kind="rate-invalid",
                rate=rate,
                speed=speed,
            )
        if accounts < 1:
            raise UsageError(
                f"{accounts} accounts: at least one is needed",
                kind="accounts-invalid",
                accounts=accounts,
            )
        self.accounts = numbered_accounts(credentials or Credentials(), accounts)
        self.credentials = self.accounts[0]
        self.journal = Journal(keep_packets=keep_packets)
        self.seed = secrets.randbelow(1 << 32) if seed is None else seed
        self._ports = port, feed_port
        self._rate = rate
        self._recording = recording
        self._speed = speed
        self._tls = tls
        self._clock_offset_s = clock_offset_s
        self._has_rate_limits = has_rate_limits
        self._extra_instruments = extra_instruments
        self._sessions = Accounts(
            self.accounts,
            self.wall_s,
            lifetime_s=session_lifetime_s,
            accepts_code_once=accepts_code_once,
            refreshes_once=refreshes_once,
        )
        self._faults = [self._accepted(each) for each in faults]
        self._thread: threading.Thread | None = None
        self._started: Future[None] = Future()
        self._stopped: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        self._feed: FeedServer
        self._market: Market
        self._fault_injector: FaultInjector
        self._failure: Exception | None = None
        self._certificate: Path | None = None
        self._bound = (0, 0)

    # --- life ---

    def start(self) -> None:
        """Listen.

        Raises PortTakenError, RecordingError, OSError at the limit of open files, or UsageError
        where a certificate cannot be made.
        """
        _check_descriptors()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()
        try:
            self._started.result()
        except Exception:
            self._thread.join()
            raise

    def stop(self) -> None:
        """Close every connection and port, join the thread, and raise what failed in it."""
        if self._thread is None:
            return
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
            if self._started.done():
                self._failure = error
            else:
                self._started.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._note_failure)
        self._stopped = asyncio.Event()
        listed = self._listed()
        subscribers = Subscribers()
        market = self._market = self._made_market(listed, subscribers)
        self._fault_injector = FaultInjector(self._faults, self._strike)
        feed = self._feed = FeedServer(
            subscribers,
            market,
            self.journal,
            self._fault_injector,
            self._sessions.check_feed_headers,
            self.wall_s,
        )
        rest = Rest(
            self._sessions,
            master_json(listed),
            self.journal,
            self._fault_injector,
            has_rate_limits=self._has_rate_limits,
        )
        web = WebServer(rest.answer, self.wall_s)
        with ExitStack() as until_stopped:
            try:
                context = None
                if self._tls:
                    folder = until_stopped.enter_context(throwaway_folder())
                    self._certificate, context = make_certificate(folder)
                await self._listen(web, feed, context)
                self._started.set_result(None)
                await self._stopped.wait()
            finally:
                self._fault_injector.stop()
                market.stop()
                await feed.stop()
                await web.stop()

    async def _listen(
        self, web: WebServer, feed: FeedServer, context: ssl.SSLContext | None
    ) -> None:
        port, feed_port = self._ports
        self._bound = (
            await _bound(port, web.start(HOST, port, context)),
            await _bound(feed_port, feed.start(HOST, feed_port, context)),
        )

    def _listed(self) -> list[Listing]:
        listed = listings(ist_time(int(self.wall_s() * 1e9)).date(), extra=self._extra_instruments)
        if self._recording is not None:
            known = {each.instrument.key for each in listed}
            recorded = recorded_listings(self._recording)
            listed += [each for each in recorded if each.instrument.key not in known]
        return listed

    def _made_market(self, listed: list[Listing], subscribers: Subscribers) -> Market:
        if self._recording is not None:
            return Playback(self._recording, subscribers, speed=self._speed)
        return SyntheticMarket(
            listed, subscribers, rate=self._rate, seed=self.seed, wall_s=self.wall_s
        )

    def _note_failure(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback failed, a fault of the simulator itself: end, and let `stop` raise it."""
        self._failure = context.get("exception") or RuntimeError(context["message"])
        self._stopped.set()

    # --- addresses and credentials ---

    @property
    def rest_url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{HOST}:{self._bound[0]}"

    @property
    def instruments_url(self) -> str:
        return self.rest_url + INSTRUMENTS_PATH

    @property
    def feed_url(self) -> str:
        return f"{'wss' if self._tls else 'ws'}://{HOST}:{self._bound[1]}{FEED_PATH}"

    def environment(self, account: int = 0) -> dict[str, str]:
        """The variables that a client needs to use this broker with the `account`-th account."""
        credentials = self.accounts[account]
        variables = {
            "TICKS_REST_URL": self.rest_url,
            "TICKS_FEED_URL": self.feed_url,
            "TICKS_INSTRUMENTS_URL": self.instruments_url,
            "TICKS_API_KEY": credentials.api_key,
            "TICKS_CLIENT_CODE": credentials.client_code,
            "TICKS_PIN": credentials.pin,
            "TICKS_TOTP_SECRET": credentials.totp_secret,
            "TICKS_ALWAYS_OPEN": "1",
        }
        if self._certificate is not None:
            variables["SSL_CERT_FILE"] = str(self._certificate)
        return variables

    def wall_s(self) -> float:
        """The broker's time, in seconds since the epoch."""
        return time.time() + self._clock_offset_s

    # --- for tests ---

    def new_session(self, account: int = 0) -> Tokens:
        """Tokens as a login gives them, without one; the journal does not count it."""
        client_code = self.accounts[account].client_code
        return self._in_loop(lambda: self._sessions.new_session(client_code))

    def inject(self, fault: Fault | str) -> None:
        """Arm a fault now. One whose time has passed happens at once: `inject("0s:drop")`.

        Raises UsageError (kinds `fault-invalid`, `fault-of-recording`).
        """
        armed = self._accepted(fault)
        self._in_loop(lambda: self._fault_injector.arm(armed))

    def _accepted(self, fault: Fault | str) -> Fault:
        accepted = parse_fault(fault) if isinstance(fault, str) else fault
        if accepted.what in OF_MARKET and self._recording is not None:
            raise UsageError(
                f"{accepted.what} changes the market, and a recording is played as it is",
                kind="fault-of-recording",
                fault=accepted.what.value,
            )
        return accepted

    def _strike(self, fault: Fault) -> None:
        if fault.what is What.EXPIRE:
            self._feed.apply(fault, ())
            self._expire()
        else:
            self._feed.strike(fault)

    def set_market_state(self, state: MarketState, *exchanges: str) -> None:
        """Put segments (`NSE`, `NFO`, ...; none: all) into a state, now and until the next call.

        Of a made-up market only. Raises KeyError for a segment that does not exist.
        """
        exchange_types = [EXCHANGE_TYPES[each] for each in exchanges]
        self._in_loop(lambda: self._market.set_state(state, exchange_types))

    def move_price(self, exchange: str, token: str, price: int) -> None:
        """Let an instrument trade from `price` on, in the feed's unit.

        Of a made-up market only. Raises KeyError for what is not listed there.
        """
        exchange_type = EXCHANGE_TYPES[exchange]
        self._in_loop(lambda: self._market.move_price(exchange_type, token, price))

    def expire_tokens(self, *, close_feeds: bool = True) -> None:
        """End all JWTs and feed tokens (AG8002, handshakes 401); refresh tokens stay good.

        What the broker does with open feeds then is unknown; here they are closed with 1008.
        """
        self._in_loop(self._expire if close_feeds else self._sessions.expire)

    def _expire(self) -> None:
        self._sessions.expire()
        for each in self._feed.open_connections():
            each.close(*EXPIRED_CLOSE)

    def revoke(self, *, close_feeds: bool = True) -> None:
        """End all tokens, refresh tokens too (AG8001, AB8050): only a login helps."""
        self._in_loop(self._sessions.revoke)
        if close_feeds:
            self.close_connections(1008, "Invalid Token")

    def close_connections(self, code: int = 1001, reason: str = "") -> None:
        """Close every feed connection with a close frame."""
        self._for_each_connection(lambda each: each.close(code, reason))

    def drop_connections(self) -> None:
        """Reset every feed connection: an RST, no close frame."""
        self._for_each_connection(FeedConnection.drop)

    def send_text(self, text: str) -> None:
        """Send a text message to every feed connection."""
        self._for_each_connection(lambda each: each.send_text(text))

    def wait_until(self, is_true: Callable[[], bool], timeout_s: float = 10.0) -> bool:
        """Wait until `is_true()`, checked after each change; False when time is up."""
        return self.journal.wait_until(is_true, timeout_s)

    def _for_each_connection(self, act: Callable[[FeedConnection], None]) -> None:
        def run() -> None:
            for each in self._feed.open_connections():
                act(each)

        self._in_loop(run)

    def _in_loop(self, act: Callable[[], T]) -> T:
        """`act()`, done by the simulator's own thread."""

        async def acted() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(acted(), self._loop).result()


def _check_descriptors() -> None:
    """Raises OSError where too few files can be opened: asyncio fails halfway then, in odd ways."""
    opened: list[int] = []
    try:
        for _ in range(_DESCRIPTORS):
            opened.append(os.open(os.devnull, os.O_RDONLY))  # noqa: PERF401  (closed when one fails)
    finally:
        for descriptor in opened:
            os.close(descriptor)


async def _bound(port: int, starting: Awaitable[int]) -> int:
    """The port that a server got. Raises PortTakenError when it cannot have `port`."""
    try:
        return await starting
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        raise PortTakenError(
            f"cannot listen on port {port} of {HOST}: {reason}",
            kind="port-taken",
            port=port,
            host=HOST,
        ) from error
