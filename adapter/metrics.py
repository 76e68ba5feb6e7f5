"""A running stream's figures for Prometheus, over HTTP. The only file that knows prometheus-client.

Rules
- A scrape takes one snapshot, on a thread of its own: no figure is kept here, and neither a slow
  scraper nor one that never reads delays a tick or the end.
- prometheus-client is imported when a server is made: without metrics it costs nothing.
- Of instruments there are the `MOST_INSTRUMENTS` most active: the number of series is bounded.
- The thread that accepts sleeps until somebody connects, or `close` wakes it.
"""

from __future__ import annotations

import io
import select
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from .errors import PortTakenError, UsageError
from .feed.lifecycle import Phase
from .selection import Selection, Sort
from .snapshot import FeedSnapshot
from .waker import Waker

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

MOST_INSTRUMENTS = 1_000
_REQUEST_S = 10.0
"""For a scraper to send its request and to take the reply."""


def check_installed() -> None:
    """Raises UsageError (kind `extra-missing`) where prometheus-client is not installed."""
    try:
        import prometheus_client  # noqa: F401  (only to see whether it is installed)
    except ImportError as error:
        raise UsageError(
            "metrics need a package that is not installed", kind="extra-missing", extra="metrics"
        ) from error


class MetricsServer:
    """Serves from `open` to `close`; a context manager.

    `snapshot` is asked for a snapshot with the instruments of a selection, by any thread. Port 0
    takes a free one: `port` says which.
    """

    def __init__(self, host: str, port: int, snapshot: Callable[[Selection], FeedSnapshot]) -> None:
        self.host = host
        self.port = port
        self._snapshot = snapshot
        self._waker = Waker()
        self._server: _Server | None = None
        self._thread = threading.Thread(target=self._serve, name="metrics", daemon=True)

    def open(self) -> None:
        """Listen. Raises PortTakenError for a port that cannot be listened on, UsageError where
        prometheus-client is not installed."""
        check_installed()
        from prometheus_client import CollectorRegistry, make_wsgi_app

        registry = CollectorRegistry()
        registry.register(_Collector(self._snapshot))
        try:
            self._server = _Server(self.host, self.port)
        except OSError as error:
            reason = error.strerror or "no reason given"
            raise PortTakenError(
                f"cannot listen on {self.address}: {reason}",
                kind="metrics-port",
                host=self.host,
                port=self.port,
            ) from error
        self._server.set_app(make_wsgi_app(registry))
        self.port = self._server.server_address[1]
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens, as `host:port`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def close(self) -> None:
        """Stop listening. A reply under way is left to its own thread, which nothing waits for."""
        if self._server is not None:
            self._waker.wake()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> MetricsServer:
        self.open()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _serve(self) -> None:
        assert self._server is not None  # noqa: S101  (`open` made it before it began this thread)
        poll = select.poll()
        poll.register(self._server, select.POLLIN)
        poll.register(self._waker, select.POLLIN)
        # `serve_forever` would wake up twice a second, and end no sooner than half a second later.
        while all(ready != self._waker.fileno() for ready, _ in poll.poll()):
            self._server.handle_request()


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    """An answer a thread."""

    daemon_threads = True
    block_on_close = False
    timeout = 0.0

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Without the name server, which the library's own asks what this machine is called."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A scraper that left in the middle of a reply: there is nobody to report it to."""


class _Handler(WSGIRequestHandler):
    """Logs nothing: stderr is for the user's dashboard and log."""

    timeout = _REQUEST_S

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the library's name)
        """Not even which scrapes there were."""

    def get_stderr(self) -> TextIO:
        return io.StringIO()


class _Collector:
    """What prometheus-client asks for the metrics of a moment."""

    def __init__(self, snapshot: Callable[[Selection], FeedSnapshot]) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        now = self._snapshot(Selection(most=MOST_INSTRUMENTS, sort=Sort.ACTIVITY))
        yield from _totals(now)
        yield from _gauges(now)
        yield from _instruments(now)


def _totals(now: FeedSnapshot) -> Iterable[Metric]:
    """What only grows while the stream runs; prometheus-client adds `_total` to each name."""
    from prometheus_client.core import CounterMetricFamily as Counter

    return (
        Counter("ticks_received", "Well-formed packets that came from the broker.", now.ticks),
        Counter(
            "ticks_blind_seconds",
            "Seconds in which ticks may have been missed, summed over the connections.",
            now.blind_s,
        ),
        Counter("ticks_reconnects", "Times that the feed came back after a loss.", now.reconnects),
        Counter(
            "ticks_dropped", "Ticks that did not reach the outputs: a full buffer.", now.dropped
        ),
        Counter("ticks_malformed", "Packets that could not be decoded.", now.malformed),
    )


def _gauges(now: FeedSnapshot) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily as Gauge

    yield Gauge(
        "ticks_silence_seconds",
        "Seconds without data on the connection that is silent longest.",
        now.silence_s,
    )
    attempts = max((each.attempt for each in now.connections), default=0)
    yield Gauge("ticks_attempts", "Attempts to reconnect that have failed in a row.", attempts)
    yield Gauge("ticks_buffer_packets", "Ticks that wait between socket and outputs.", now.buffered)
    if now.session_expires_at is not None:
        yield Gauge(
            "ticks_session_expiry_timestamp_seconds",
            "When the session ends, in seconds since the epoch.",
            now.session_expires_at.timestamp(),
        )
    phase = Gauge("ticks_phase", "1 for the phase of the worst connection.", labels=["phase"])
    for each in Phase:
        phase.add_metric([each.value], float(each is now.phase))
    yield phase


def _instruments(now: FeedSnapshot) -> Iterable[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    labels = ["exchange", "symbol", "token"]
    ticks = CounterMetricFamily("ticks_instrument_ticks", "Ticks of an instrument.", labels=labels)
    age = GaugeMetricFamily(
        "ticks_instrument_age_seconds",
        "Seconds since the last tick of an instrument.",
        labels=labels,
    )
    for each in now.instruments:
        key = (each.exchange, each.symbol, each.token)
        ticks.add_metric(key, each.ticks)
        if each.age_s is not None:
            age.add_metric(key, each.age_s)
    return ticks, age
