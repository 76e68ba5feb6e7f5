"""The checks of `ticks health`, each against a broker that fails it."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ticks.adapter.auth.authenticator import Authenticator, Credentials
from ticks.adapter.clock import SystemClock
from ticks.adapter.config import Config
from ticks.adapter.errors import (
    BrokerError,
    ClockSkewError,
    CredentialsMissingError,
    NetworkError,
    TicksError,
    TokenRefusedError,
    UnknownSymbolError,
)
from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.health import LOCAL_CHECKS, Check, CheckStatus, Checkup, Owner
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.snapshot import FeedSnapshot, client_digest
from ticks.adapter.status_file import RunningStream, StatusFile

NAMES = (
    "credentials",
    "session",
    "REST",
    "clock skew",
    "instrument master",
    "market hours",
    "handshake",
    "heartbeat",
    "first tick",
    "running streams",
    "disk",
)


class EveryDay(frozenset[date]):
    """A calendar on which no day is a day of trading."""

    def __contains__(self, day: object) -> bool:
        return True


def checkup_of(
    config: Config,
    tmp_path: Path,
    *symbols: str,
    timeout_s: float = 5.0,
    is_open: bool = True,
    spares_feed: bool = False,
) -> Checkup:
    return Checkup(
        config,
        config.authenticator(),
        clock=SystemClock(),
        calendar=MarketCalendar(is_always_open=is_open, extra_holidays=EveryDay()),
        run_folder=tmp_path / "run",
        symbols=symbols,
        timeout_s=timeout_s,
        spares_feed=spares_feed,
    )


def findings(checkup: Checkup) -> dict[str, Check]:
    return {check.name: check for check in checkup.run()}


def first_failure(found: dict[str, Check]) -> TicksError | None:
    errors = (check.error for check in found.values() if check.status is CheckStatus.FAILED)
    return next(errors, None)


def test_all_is_well_in_the_order_in_which_a_stream_needs_it(
    config: Config, tmp_path: Path
) -> None:
    checkup = checkup_of(config, tmp_path)
    found = findings(checkup)
    assert tuple(found) == checkup.names == NAMES
    assert {check.status for check in found.values()} == {"ok"}
    assert "Nifty 50" in found["first tick"].detail
    assert all(check.seconds >= 0 for check in found.values())


def test_without_credentials_and_session_the_feed_is_not_asked(
    config: Config, tmp_path: Path, simulator: Simulator
) -> None:
    nobody = replace(config, credentials=Credentials())
    found = findings(checkup_of(nobody, tmp_path))
    assert isinstance(first_failure(found), CredentialsMissingError)
    error = found["credentials"].error
    assert error is not None
    assert error.kind == "no-session-no-credentials"
    assert "TICKS_PIN" in str(error.values["missing"])
    assert found["session"].status is CheckStatus.SKIPPED  # the same cause is told once
    assert found["handshake"].status is CheckStatus.SKIPPED
    assert simulator.journal.handshakes == []


def test_a_saved_session_makes_up_for_missing_credentials(config: Config, tmp_path: Path) -> None:
    config.authenticator().session()
    found = findings(checkup_of(replace(config, credentials=Credentials()), tmp_path))
    assert first_failure(found) is None
    assert "TICKS_PIN" in found["credentials"].detail


def test_an_unknown_symbol_is_named(config: Config, tmp_path: Path) -> None:
    found = findings(checkup_of(config, tmp_path, "NIFTEE"))
    assert isinstance(first_failure(found), UnknownSymbolError)
    assert "NIFTEE" in found["instrument master"].detail
    assert found["first tick"].status is CheckStatus.SKIPPED


def test_a_broker_that_is_gone_fails_at_the_first_call(
    config: Config, tmp_path: Path, simulator: Simulator
) -> None:
    config.authenticator().session()
    simulator.stop()
    found = findings(checkup_of(config, tmp_path))
    assert isinstance(first_failure(found), NetworkError)
    assert found["REST"].status == found["handshake"].status is CheckStatus.FAILED


def test_tokens_that_the_broker_refuses_are_found_out(
    config: Config, tmp_path: Path, simulator: Simulator
) -> None:
    config.authenticator().session()
    simulator.revoke()
    found = findings(checkup_of(config, tmp_path))
    assert isinstance(first_failure(found), TokenRefusedError)


@pytest.mark.parametrize(
    ("offset_s", "failed", "error"), [(-20.0, "clock skew", ClockSkewError), (0.0, None, None)]
)
def test_a_clock_that_is_far_off_is_reported(
    tmp_path: Path, offset_s: float, failed: str | None, error: type[TicksError] | None
) -> None:
    with Simulator(clock_offset_s=offset_s, accepts_code_once=False, rate=50) as simulator:
        environ = {**simulator.environment(), "TICKS_HOME": str(tmp_path / "home")}
        config = Config.from_env(environ)
        save_session(config, simulator)
        found = findings(checkup_of(config, tmp_path))
    assert next((name for name, check in found.items() if check.error), None) == failed
    assert error is None or isinstance(first_failure(found), error)


def save_session(config: Config, simulator: Simulator) -> None:
    """Log in by the broker's clock, which is what a user with a right clock would do."""
    authenticator = Authenticator(
        config.paths,
        config.endpoints.rest_url,
        config.credentials,
        clock=BrokersClock(simulator),
        pause=lambda _seconds: None,
    )
    authenticator.login(config.credentials)


class BrokersClock(SystemClock):
    """Wall time as the broker has it."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def wall_ns(self) -> int:
        return int(self._simulator.wall_s() * 1e9)


@pytest.mark.slow
@pytest.mark.parametrize(("is_open", "status"), [(True, "failed"), (False, "skipped")])
def test_silence_is_a_fault_only_while_the_market_is_open(
    tmp_path: Path, is_open: bool, status: str
) -> None:
    with Simulator(rate=0) as simulator:
        environ = {**simulator.environment(), "TICKS_HOME": str(tmp_path / "home")}
        checkup = checkup_of(Config.from_env(environ), tmp_path, timeout_s=0.3, is_open=is_open)
        simulator.inject("connect:silence")
        found = findings(checkup)
    assert found["first tick"].status == status


def test_running_streams_are_listed(config: Config, tmp_path: Path, snapshot: FeedSnapshot) -> None:
    StatusFile(tmp_path / "run").replace(snapshot)
    checkup = checkup_of(config, tmp_path)
    found = findings(checkup)
    assert found["running streams"].detail == f"{os.getpid()} waiting"
    assert checkup.streams == [RunningStream(os.getpid(), snapshot)]


@pytest.mark.parametrize(
    ("phase", "is_well"),
    [
        (Phase.CONNECTING, False),
        (Phase.WAITING, False),
        (Phase.LOST, False),
        (Phase.LIVE, True),
        (Phase.STOPPED, True),
    ],
)
def test_a_stream_of_this_account_that_is_not_live_is_a_failure(
    config: Config, tmp_path: Path, snapshot: FeedSnapshot, phase: Phase, is_well: bool
) -> None:
    StatusFile(tmp_path / "run").replace(replace(snapshot, phase=phase))
    found = findings(checkup_of(config, tmp_path))["running streams"]
    assert (found.status is CheckStatus.OK) is is_well
    if not is_well:
        assert isinstance(found.error, BrokerError)
        assert found.error.kind == "streams-not-live"


def test_a_stream_of_a_demo_another_broker_or_account_stands_for_no_check(
    config: Config, tmp_path: Path, snapshot: FeedSnapshot
) -> None:
    feed = config.endpoints.feed_url
    code = config.credentials.client_code or ""
    for other, owner in (
        (replace(snapshot, is_demo=True), Owner.DEMO),
        (
            replace(snapshot, feed="wss://smartapisocket.angelone.in/smart-stream"),
            Owner.OTHER_BROKER,
        ),
        (replace(snapshot, feed=feed, client=client_digest("B654321")), Owner.OTHER_ACCOUNT),
    ):
        StatusFile(tmp_path / "run").replace(other)
        checkup = checkup_of(config, tmp_path, spares_feed=True)
        found = findings(checkup)
        assert found["running streams"].status is CheckStatus.OK
        assert found["running streams"].detail == f"{os.getpid()} waiting ({owner})"
        assert found["handshake"].status is found["first tick"].status is CheckStatus.OK
    ours = RunningStream(1, replace(snapshot, feed=feed, client=client_digest(code)))
    assert checkup.owner_of(ours) is Owner.OURS
    assert checkup.owner_of(RunningStream(1, None)) is Owner.UNREADABLE


def test_a_status_that_cannot_be_read_is_named(config: Config, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / f"{os.getpid()}.json").write_text('{"phase": "live"}', encoding="utf-8")
    found = findings(checkup_of(config, tmp_path))
    assert found["running streams"].detail == f"{os.getpid()} unreadable"
    assert found["running streams"].status is CheckStatus.OK


def test_a_connection_limit_used_up_by_running_streams_is_not_a_fault(
    config: Config, tmp_path: Path, simulator: Simulator, snapshot: FeedSnapshot
) -> None:
    StatusFile(tmp_path / "run").replace(snapshot)
    others = [checkup_of(config, tmp_path) for _ in range(3)]
    runs = [other.run() for other in others]
    for run in runs:
        assert any(check.name == "handshake" for check in run)
    found = findings(checkup_of(config, tmp_path))
    assert found["handshake"].status is CheckStatus.SKIPPED
    assert "all connections are in use" in found["handshake"].detail
    for run in runs:
        run.close()


def test_the_probe_is_closed_in_the_end(
    config: Config, tmp_path: Path, simulator: Simulator
) -> None:
    began = time.monotonic()
    findings(checkup_of(config, tmp_path))
    assert simulator.journal.wait_until(lambda: not simulator.journal.open_connections())
    assert time.monotonic() - began < 10


@pytest.mark.slow
def test_a_handshake_that_takes_too_long_is_given_up_in_time(
    config: Config, tmp_path: Path, simulator: Simulator
) -> None:
    simulator.inject("connect:delay:30s")
    found = findings(checkup_of(config, tmp_path, timeout_s=0.3))
    assert found["handshake"].status is CheckStatus.FAILED
    assert "within 0.3 s" in found["handshake"].detail
    assert found["handshake"].seconds < 5


def test_the_checks_named_are_run_again_on_what_the_last_run_found(
    config: Config, tmp_path: Path, simulator: Simulator
) -> None:
    checkup = checkup_of(config, tmp_path)
    findings(checkup)
    simulator.stop()
    assert [check.name for check in checkup.run(LOCAL_CHECKS)] == [
        name for name in NAMES if name in LOCAL_CHECKS
    ]
    again = {check.name: check.status for check in checkup.run()}
    assert again["session"] == "ok"
    assert again["REST"] == again["handshake"] == "failed"
    assert again["heartbeat"] == "skipped"


def test_the_feed_is_spared_while_a_stream_runs(
    config: Config, tmp_path: Path, simulator: Simulator, snapshot: FeedSnapshot
) -> None:
    status = StatusFile(tmp_path / "run")
    status.replace(snapshot)
    checkup = checkup_of(config, tmp_path, spares_feed=True)
    found = findings(checkup)
    assert "a stream runs" in found["handshake"].detail
    assert {found[name].status for name in ("handshake", "heartbeat", "first tick")} == {"skipped"}
    assert simulator.journal.handshakes == []
    status.remove()
    assert findings(checkup)["first tick"].status is CheckStatus.OK


def test_a_stop_ends_the_wait_for_the_feed_and_closes_it(config: Config, tmp_path: Path) -> None:
    with Simulator(rate=0) as simulator:
        environ = {**simulator.environment(), "TICKS_HOME": str(tmp_path / "home")}
        simulator.inject("connect:silence")
        checkup = checkup_of(Config.from_env(environ), tmp_path, timeout_s=60.0)
        found: list[str] = []
        thread = threading.Thread(target=lambda: found.extend(c.name for c in checkup.run()))
        thread.start()
        journal = simulator.journal
        assert journal.wait_until(lambda: any(log.texts for log in journal.open_connections()))
        checkup.stop()
        thread.join(10.0)
        assert found[-1] == "first tick"
        assert journal.wait_until(lambda: not journal.open_connections())
        assert journal.connections[0].ended_by == "client"
