"""The front door: what a program imports, and what `connect` does with a name and a mode."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

import ticks.adapter
from ticks.adapter import BrokerAdapter, Mode, UnknownSymbolError, UsageError, connect, resolve
from ticks.adapter.errors import CredentialsMissingError
from ticks.adapter.simulator.simulator import Simulator


def test_a_name_and_a_mode_become_ticks(environ: Mapping[str, str]) -> None:
    with connect(["NIFTY", "RELIANCE"], mode="snap", environ=environ) as feed:
        assert isinstance(feed, BrokerAdapter)
        ticks = [tick for tick, _ in zip(feed, range(20), strict=False)]
    assert {tick.symbol for tick in ticks} == {"Nifty 50", "RELIANCE-EQ"}
    assert {tick.mode for tick in ticks} == {Mode.SNAP}


def test_a_single_name_needs_no_list(environ: Mapping[str, str]) -> None:
    with connect("SENSEX", environ=environ) as feed:
        assert next(iter(feed)).symbol == "SENSEX"


def test_an_option_chain_is_its_spot_and_soon_its_strikes(environ: Mapping[str, str]) -> None:
    seen: set[str] = set()
    with connect(["NIFTY chain 1"], mode="ltp", environ=environ) as feed:
        for tick in feed:
            seen.add(tick.symbol)
            if sum(symbol.endswith(("CE", "PE")) for symbol in seen) >= 6:
                break
    assert "Nifty 50" in seen


def test_names_and_holidays_of_config_toml_are_taken(environ: Mapping[str, str]) -> None:
    home = Path(environ["TICKS_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    text = '[aliases]\nbn = "BANKNIFTY"\n[market]\nholidays = ["2026-11-26"]\n'
    (home / "config.toml").write_text(text)
    with connect("bn", environ=environ) as feed:
        assert next(iter(feed)).symbol == "Nifty Bank"
    assert date(2026, 11, 26) in feed.calendar.extra_holidays


def test_a_name_that_means_nothing_is_refused_before_any_login(
    environ: Mapping[str, str], simulator: Simulator
) -> None:
    with pytest.raises(UnknownSymbolError, match="NIFTYY"):
        connect(["NIFTYY"], environ=environ)
    assert not [call for call in simulator.journal.calls if call.call == "login"]


def test_without_credentials_the_error_is_that_of_the_command_line(
    environ: Mapping[str, str],
) -> None:
    with pytest.raises(CredentialsMissingError, match="TICKS_PIN"):
        connect(["NIFTY"], environ={**environ, "TICKS_PIN": ""})


@pytest.mark.parametrize("mode", ["ten", "depth", Mode.DEPTH, 7, ""])
def test_a_mode_that_is_none_is_refused(environ: Mapping[str, str], mode: str | Mode) -> None:
    with pytest.raises(UsageError, match="not a valid mode") as caught:
        connect(["NIFTY"], mode=mode, environ=environ)
    assert caught.value.kind == "bad-mode"


def test_no_name_is_refused(environ: Mapping[str, str]) -> None:
    with pytest.raises(UsageError, match="no symbol"):
        connect([], environ=environ)


@pytest.mark.parametrize("symbols", [b"NIFTY", ["NIFTY", 5], [None]])
def test_what_is_not_text_is_not_a_name(environ: Mapping[str, str], symbols: list[str]) -> None:
    with pytest.raises(UsageError, match="is not the name of an instrument"):
        connect(symbols, environ=environ)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_buffer_that_holds_nothing_is_refused(environ: Mapping[str, str], limit: int) -> None:
    with pytest.raises(UsageError, match="at least 1") as caught:
        connect("NIFTY", environ=environ, buffer_limit=limit)
    assert caught.value.kind == "buffer-limit"


def test_a_running_feed_is_given_more_by_name(environ: Mapping[str, str]) -> None:
    with connect("NIFTY", mode="ltp", environ=environ) as feed:
        assert next(iter(feed)).symbol == "Nifty 50"
        added = feed.subscribe(resolve(["SENSEX", "BSE:SENSEX"], environ=environ), "ltp")
        assert [str(each) for each in added] == ["BSE:SENSEX"]
        assert any(tick.symbol == "SENSEX" for tick in feed)
        assert feed.unsubscribe(added, "ltp") == added


def test_names_are_resolved_without_a_login(
    environ: Mapping[str, str], simulator: Simulator
) -> None:
    [nifty] = resolve("NIFTY", environ={**environ, "TICKS_PIN": ""})
    assert (nifty.symbol, nifty.token) == ("Nifty 50", "99926000")
    assert not [call for call in simulator.journal.calls if call.call == "login"]


def test_everything_that_is_promised_can_be_imported() -> None:
    for name in ticks.adapter.__all__:
        assert getattr(ticks.adapter, name).__name__ == name
    assert set(ticks.adapter.__all__) <= set(dir(ticks.adapter))
    with pytest.raises(AttributeError, match="no attribute 'Broker'"):
        ticks.adapter.Broker  # noqa: B018  (looking it up is the test)


def test_the_door_itself_imports_nothing() -> None:
    code = (
        "import sys, ticks.adapter\n"
        "sys.exit(any(name.startswith('ticks.adapter.') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
