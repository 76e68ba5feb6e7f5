"""Events as text for people: one short line for each. Pure.

Each line begins with the phase that the change leads to, so that a log can be searched for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

from ...adapter.events import (
    Added,
    ClockStep,
    Connected,
    Dropped,
    EventsDropped,
    FeedEvent,
    FirstTick,
    Foreign,
    GaveUp,
    LogEntry,
    Lost,
    Malformed,
    Market,
    OutOfOrder,
    Probe,
    Quiet,
    ReaderLeft,
    Recovered,
    Refused,
    Removed,
    RenewalFailed,
    Renewed,
    Rotated,
    Silent,
    Stopped,
    Subscribed,
    Summary,
    Unsubscribed,
    Waiting,
)
from ...adapter.market.evidence import Answer
from ..printable import printable
from .figures import brief_s, counted

_MOST_NAMED = 4
_CALM = (
    *(Connected, Subscribed, Unsubscribed, FirstTick, Renewed, Quiet, Market, Probe),
    *(Rotated, Added, Removed, Stopped, Summary),
)


def event_text(event: FeedEvent, *, is_verbose: bool = False) -> str | None:
    """An event in a line; None where another line says what a person must know of it.

    `is_verbose`: those get a line too, except the summary, which is shown elsewhere.
    """
    text = _text(event)
    if text is None and is_verbose and not isinstance(event, Summary):
        text = _detail(event)
    return None if text is None else printable(text)


def event_line(
    entry: LogEntry,
    *,
    stream: str = "",
    is_one_of_several: bool = False,
    is_verbose: bool = False,
) -> str | None:
    """When and what, in a line; None and `is_verbose` as for `event_text`.

    `stream` names the stream where there may be several, `is_one_of_several` the connection.
    """
    text = event_text(entry.event, is_verbose=is_verbose)
    if text is None:
        return None
    named = f"{stream} " if stream else ""
    return f"{entry.at:%H:%M:%S} {named}{_feed(entry, is_one_of_several)}{text}"


def is_calm(event: FeedEvent) -> bool:
    """Whether nothing is to be done about it, and nothing was lost by it."""
    return isinstance(event, _CALM)


def _feed(entry: LogEntry, is_one_of_several: bool) -> str:
    return f"feed {entry.connection} " if is_one_of_several and entry.connection else ""


def _reason(cause: str, detail: str) -> str:
    return f"{cause}: {detail}" if cause and detail else cause or detail


# --- in brief, where every event is shown ---------------------------------------------------------


@singledispatch
def _detail(event: FeedEvent) -> str:
    facts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in event.facts().items())
    return f"{event.name.replace('_', ' ')}: {facts}" if facts else event.name


@_detail.register
def _opened(_event: Connected) -> str:
    return "connected"


@_detail.register
def _subscribed(event: Subscribed) -> str:
    wanted = counted(event.instruments, "instrument")
    return f"subscribed to {wanted} in {event.mode} (request {event.request})"


@_detail.register
def _first_tick(event: FirstTick) -> str:
    return f"first tick after {brief_s(event.seconds)}"


@_detail.register
def _silent(event: Silent) -> str:
    return f"silent for {brief_s(event.silence_s)}"


@_detail.register
def _link_lost(event: Lost) -> str:
    return f"the link is lost: {_reason(event.cause, event.detail)}"


@_detail.register
def _stopped(event: Stopped) -> str:
    return f"stopped, blind {brief_s(event.blind_s)}"


@_detail.register
def _renewed(event: Renewed) -> str:
    return f"the session is renewed until {event.expires_at:%a %d %b %H:%M}"


# --- in full --------------------------------------------------------------------------------------


@singledispatch
def _text(_event: FeedEvent) -> str | None:
    return None


@_text.register
def _connected(event: Connected) -> str | None:
    """The first connect changes nothing that a person waits for."""
    return f"live: connected at attempt {event.attempt}" if event.attempt else None


@_text.register
def _waiting(event: Waiting) -> str:
    of_limit = "" if event.max_attempts is None else f" of {event.max_attempts}"
    attempt = f"attempt {event.attempt}{of_limit} in {brief_s(event.delay_s)}"
    return f"waiting: {attempt} · {_reason(event.cause, event.detail)}"


@_text.register
def _recovered(event: Recovered) -> str:
    return f"live: ticks are back · blind {brief_s(event.blind_s)}"


@_text.register
def _gave_up(event: GaveUp) -> str:
    tried = f" after {counted(event.attempts, 'attempt')}" if event.attempts else ""
    reason = _reason(event.cause, event.detail)
    return f"lost: gave up{tried} · {reason} · blind {brief_s(event.blind_s)}"


@_text.register
def _quiet(event: Quiet) -> str:
    if event.exchange is not None:
        since = "" if event.newest is None else f" since {event.newest:%Y-%m-%d %H:%M:%S}"
        return f"standing: the feed answers, {event.exchange} has not moved{since}"
    why = event.detail or "but the market is closed"
    return f"live: silence for {brief_s(event.silence_s)}, {why}"


@_text.register
def _market(event: Market) -> str | None:
    """Only what the calendar did not foresee; everything else has lines of its own."""
    if event.session is None:
        return None
    return f"live: {event.exchange} trades in a session that no calendar lists"


@_text.register
def _probe(event: Probe) -> str | None:
    """An answer that the market has not moved is not reported."""
    if event.answer == Answer.STANDS:
        return None
    found = "it had gone on" if event.answer == Answer.MOVED else "no answer"
    return f"live: reconnected to see whether {event.exchange} still moves · {found}"


@_text.register
def _refused(event: Refused) -> str:
    which = "a request" if event.request is None else f"request {event.request}"
    others = "" if event.others is None else f" · and {event.others:,} more within a second"
    return f"refused: {which} · {event.code} {event.detail}".rstrip() + others


@_text.register
def _renewal_failed(event: RenewalFailed) -> str:
    return f"the session could not be renewed, the old one is tried · {event.detail}"


@_text.register
def _dropped(event: Dropped) -> str:
    return f"{counted(event.dropped, 'tick')} dropped so far: the output is too slow"


@_text.register
def _malformed(event: Malformed) -> str:
    reasons = ", ".join(f"{count:,} by {reason}" for reason, count in event.by_reason.items())
    return f"{counted(event.malformed, 'malformed packet')} so far" + (
        f" ({reasons})" if reasons else ""
    )


@_text.register
def _foreign(event: Foreign) -> str:
    return f"{counted(event.foreign, 'foreign packet')} so far: nothing subscribed to them"


@_text.register
def _out_of_order(event: OutOfOrder) -> str:
    duplicates = counted(event.duplicates, "duplicate")
    return f"{event.out_of_order:,} out of order, {duplicates} so far"


@_text.register
def _clock_step(event: ClockStep) -> str:
    way = "forward" if event.seconds > 0 else "back"
    return f"this machine's clock was set {way} by {brief_s(abs(event.seconds))}"


@_text.register
def _rotated(event: Rotated) -> str:
    return f"{event.finished} is complete ({counted(event.rows, 'row')}), now {event.next}"


@_text.register
def _reader_left(event: ReaderLeft) -> str:
    return f"the reader of {event.output} left; the other outputs go on"


@_text.register
def _added(event: Added) -> str:
    return f"added {_named(event.symbols)}"


@_text.register
def _removed(event: Removed) -> str:
    return f"removed {_named(event.symbols)}"


def _named(symbols: Sequence[str]) -> str:
    """A chain adds dozens at once: only the first are named."""
    more = len(symbols) - _MOST_NAMED
    names = ", ".join(symbols[:_MOST_NAMED])
    return names if more <= 0 else f"{len(symbols):,} instruments: {names} and {more:,} more"


@_text.register
def _events_dropped(event: EventsDropped) -> str:
    return f"{counted(event.events, 'event')} of this history could not be kept"
