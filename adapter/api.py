"""The front door for programs: symbols in, ticks out.

    with connect(["NIFTY", "RELIANCE"], mode="quote") as feed:
        for tick in feed:
            print(tick.received_at, tick.symbol, tick.ltp)

Credentials, addresses, session, names and calendar are taken as the command line takes them:
from the `TICKS_...` variables, the user's folders and config.toml. `ticks stream` is built on the
same parts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from .aliases_table import aliases_of
from .auth.authenticator import Authenticator
from .broker import DEFAULT_BUFFER, BrokerAdapter
from .clock import SystemClock
from .config import Config
from .errors import InstrumentMasterError, TicksError, UsageError
from .feed.lifecycle import Policy
from .instrument import Instrument
from .instruments import open_catalog
from .market.calendar import MarketCalendar
from .market_table import calendar_of
from .settings_file import SettingsFile
from .tick import Mode

if TYPE_CHECKING:
    from .http import Progress
    from .instruments.chain import Chain
    from .instruments.lists import Skipped
    from .instruments.watch_list import Entry


def connect(
    symbols: str | Collection[str],
    mode: str | Mode = Mode.QUOTE,
    *,
    environ: Mapping[str, str] | None = None,
    policy: Policy | None = None,
    calendar: MarketCalendar | None = None,
    buffer_limit: int = DEFAULT_BUFFER,
    note: Callable[[str], None] = lambda _line: None,
) -> BrokerAdapter:
    """A feed of these symbols, connecting already: iterate over it, and leave `with` at the end.

    `symbols` are spelled as on the command line; `mode` is "ltp", "quote" or "snap". `environ`
    stands for `os.environ`; `note` receives what a person may want to know (an old instrument
    list that has to suffice, a login). What `policy` and `calendar` leave out is as in `ticks
    stream`.

    Raises UsageError for a value that cannot be used, UnknownSymbolError or AmbiguousSymbolError
    for a name, SessionError when there is no session and no way to get one, InstrumentMasterError
    when there is no list of instruments. A broker out of reach is retried as `policy` says, and
    the iteration raises what lost the feed for good.
    """
    names = _names_of(symbols)
    feed_mode = mode_of(mode)
    if buffer_limit < 1:
        raise UsageError(
            f"buffer_limit must be at least 1, not {buffer_limit}", kind="buffer-limit"
        )
    given = os.environ if environ is None else environ
    config, settings = _configured(given)
    chains: list[Chain] = []
    sessions = config.authenticator(note)
    with checking_session(sessions):
        instruments = resolve_symbols(config, names, note=note, follow=chains.append)
    ensure_session(sessions)
    is_always_open = given.get("TICKS_ALWAYS_OPEN", "0").lower() in {"1", "true", "yes", "on"}
    feed = BrokerAdapter(
        sessions,
        feed_url=config.endpoints.feed_url,
        policy=policy,
        calendar=calendar or calendar_of(settings, is_always_open=is_always_open),
        buffer_limit=buffer_limit,
    )
    feed.subscribe(instruments, feed_mode)
    for chain in chains:
        feed.follow(chain, feed_mode)
    feed.connect()
    return feed


def resolve(
    symbols: str | Collection[str],
    *,
    environ: Mapping[str, str] | None = None,
    note: Callable[[str], None] = lambda _line: None,
) -> list[Instrument]:
    """The instruments that these symbols mean, each once: for `subscribe` on a running feed.

    `symbols`, `environ` and `note` as for `connect`; no login is needed. Of an option chain it
    returns the spot alone: only `connect` follows one.

    Raises UsageError, UnknownSymbolError, AmbiguousSymbolError and InstrumentMasterError.
    """
    names = _names_of(symbols)
    config, _ = _configured(os.environ if environ is None else environ)
    return resolve_symbols(config, names, note=note)


def _names_of(symbols: str | Collection[str]) -> list[str]:
    names = [symbols] if isinstance(symbols, str) else list(symbols)
    for each in names:
        if not isinstance(each, str):
            raise UsageError(f"{each!r} is not the name of an instrument", kind="no-symbol")
    if not names:
        raise UsageError("no symbol given", kind="no-symbol")
    return names


def _configured(environ: Mapping[str, str]) -> tuple[Config, SettingsFile]:
    """The environment and config.toml, as the command line reads them."""
    config = Config.from_env(environ)
    settings = SettingsFile.read(config.paths.config_file)
    return replace(config, aliases=aliases_of(settings)), settings


def mode_of(mode: str | Mode) -> Mode:
    """The mode that a word or number names. Raises UsageError, for depth (mode 4) too."""
    found: Mode | None = None
    with suppress(ValueError):
        found = Mode.of(mode)
    if found is None or found is Mode.DEPTH:
        raise UsageError(
            f"{mode!r} is not a valid mode (ltp, quote or snap)", kind="bad-mode", mode=str(mode)
        )
    return found


def resolve_symbols(
    config: Config,
    names: Sequence[str],
    listed: Sequence[tuple[str, Entry]] = (),
    *,
    progress: Progress | None = None,
    note: Callable[[str], None] = lambda _line: None,
    skip: Callable[[Skipped], None] = lambda _skipped: None,
    follow: Callable[[Chain], None] = lambda _chain: None,
) -> list[Instrument]:
    """The instruments that the names mean, each once, from today's instrument master.

    `listed` are entries of watch lists with their file: those that mean nothing go to `skip`. An
    option chain is its spot here, and also goes to `follow`.
    `progress` is called with the bytes received and, where known, expected. Raises SymbolError
    naming every name that could not be resolved, or when no entry is left, and
    InstrumentMasterError.
    """
    with open_catalog(
        config.paths,
        config.endpoints.instruments_url,
        clock=SystemClock(),
        progress=progress,
        note=note,
        aliases=config.aliases,
    ) as catalog:
        return catalog.resolve_all(names, listed, note=note, skip=skip, follow=follow)


@contextmanager
def checking_session(sessions: Authenticator) -> Iterator[None]:
    """Names are looked up before a login, since a typo needs none. But where there is no list of
    instruments and nobody could log in either, the missing credentials are reported first.

    Raises CredentialsMissingError then.
    """
    try:
        yield
    except InstrumentMasterError:
        sessions.check()
        raise


def ensure_session(sessions: Authenticator) -> None:
    """Log in where there is no valid session; a broker out of reach is the connection's to retry.

    Raises SessionError when there is none and no way to get one.
    """
    try:
        sessions.session()
    except TicksError as error:
        if not error.can_retry:
            raise
