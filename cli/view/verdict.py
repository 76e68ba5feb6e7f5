"""The first line of a stream's screen: the worst of its states, in a word and the facts. Pure.

Rules
- The worst wins, in the order of `_RULES`. Green (`good`) is for a stream that is well in all.
- A word carries the meaning; sign and colour only repeat it.
- Counts of trouble are of the last minute: what is over leaves this line, not the figures.
- The fragments of a text join to one sentence; where there is no room the last ones are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...adapter.errors import (
    FeedLostError,
    SessionError,
    SubscriptionRefusedError,
    TicksError,
    TokenRefusedError,
)
from ...adapter.events import GaveUp, Lost, Waiting
from ...adapter.feed.lifecycle import Phase
from ...adapter.market.evidence import MarketState
from ...adapter.snapshot import ConnectionSnapshot, FeedSnapshot, MarketSnapshot
from ..exit_codes import exit_code_of
from ..printable import printable
from .figures import brief_s, counted, limit_text, moment
from .frame import Frame, Span, cropped_line

SILENT_SHARE = 1 / 3
"""Silence worth a warning, as a share of what counts as a fault."""
BEHIND_S = 2.0
"""A reader that far behind is worth a warning, though nothing is lost."""
LEAST_BEHIND_S = 0.5
"""Less is not shown: any moment finds some tick on its way."""
FULL_SHARE = 0.5
"""A buffer that full is worth a warning."""


_FINAL_FAULTS: dict[str, type[TicksError]] = {
    fault.label: fault for fault in (SessionError, TokenRefusedError, SubscriptionRefusedError)
}
"""Faults that no further attempt can help, by the label that the history gives them."""


class Verdict(NamedTuple):
    """`severity`: good, calm (nothing to expect now), warn, bad, faint (it is over).

    `fragments` are the facts, the most important first, each with what joins it to the one before.
    `is_urgent`: a second matters, for something is counted down or under way. `end` follows those
    that there is room for.
    """

    sign: str
    word: str
    severity: str
    fragments: tuple[str, ...]
    is_urgent: bool = False
    end: str = ""


def verdict_of(snapshot: FeedSnapshot) -> Verdict:
    """The worst that is true of a stream."""
    found = next(filter(None, (rule(snapshot) for rule in _RULES)))
    if not snapshot.is_demo:
        return found
    first, *more = found.fragments
    return found._replace(fragments=(f"DEMO, {first}", *more))


def backoff_connection(snapshot: FeedSnapshot) -> ConnectionSnapshot | None:
    """The connection whose back-off is shown: the next to try, else the one with most attempts."""
    waiting = [c for c in snapshot.connections if c.next_try_s is not None]
    if waiting:
        return min(waiting, key=lambda connection: connection.next_try_s or 0.0)
    tried = [c for c in snapshot.connections if c.attempt]
    return max(tried, key=lambda connection: connection.attempt, default=None)


def attempt_text(connection: ConnectionSnapshot) -> str:
    """`attempt 2 of 3`."""
    most = connection.max_attempts
    return f"attempt {connection.attempt}" + (", no limit" if most is None else f" of {most}")


def silence_limit_s(snapshot: FeedSnapshot) -> float:
    """How long the silence may last: longer than the policy says where instruments tick rarely."""
    return max(snapshot.silence_after_s, *(m.silence_limit_s or 0.0 for m in snapshot.market), 0.0)


def is_silent(snapshot: FeedSnapshot) -> bool:
    """Whether the silence that runs may become a fault, and has lasted long enough to be shown."""
    is_awaited = not snapshot.market or any(
        each.state in (MarketState.LIVE, MarketState.EXPECTED) for each in snapshot.market
    )
    is_long = snapshot.silence_s >= SILENT_SHARE * silence_limit_s(snapshot)
    return snapshot.phase is Phase.LIVE and snapshot.is_market_open and is_awaited and is_long


def delay_text(snapshot: FeedSnapshot) -> str:
    """What the ticks wait for, and how far it is behind; "" where it is not behind."""
    if snapshot.behind_s < LEAST_BEHIND_S:
        return ""
    name = snapshot.slow_output
    who = _reader(name) if name == "stdout" else printable(name) or "the output"
    return f"{who} is {brief_s(snapshot.behind_s)} behind"


def _reader(output: str) -> str:
    return "stdout's reader" if output == "stdout" else f"the reader of {printable(output)}"


def login_line(wait_s: float | None, width: int) -> Frame:
    """The line of a login that waits for the next TOTP code; none where it does not."""
    if wait_s is None:
        return Frame(())
    line = (Span("◌ LOGGING IN", "warn strong"), Span(f"  {_code_text(wait_s)}", "strong"))
    return Frame((cropped_line(line, width),))


def _code_text(wait_s: float) -> str:
    return f"next TOTP code in {wait_s:.0f} s"


# --- the rules, the worst first -------------------------------------------------------------------


def _lost(snapshot: FeedSnapshot) -> Verdict | None:
    if snapshot.phase is not Phase.LOST:
        return None
    attempts = max((c.attempt for c in snapshot.connections if c.phase is Phase.LOST), default=0)
    reasons = _reasons(snapshot) or ["for good"]
    failed = [f"{counted(attempts, 'attempt')} failed"] if attempts else []
    facts = _joined(failed, reasons)
    return Verdict("✕", "LOST", "bad", facts, end=f". Exit {_exit_code(snapshot)}")


def _exit_code(snapshot: FeedSnapshot) -> int:
    """How the command will end: by the fault itself where trying again was pointless, else by the
    loss of the feed."""
    gave_up = next(
        (e.event for e in reversed(snapshot.events) if isinstance(e.event, GaveUp)), None
    )
    label = snapshot.last_cause if gave_up is None else gave_up.cause
    fault = _FINAL_FAULTS.get(label, FeedLostError)
    return int(exit_code_of(fault("")))


def _stopped(snapshot: FeedSnapshot) -> Verdict | None:
    if snapshot.phase is not Phase.STOPPED:
        return None
    return Verdict("■", "STOPPED", "faint", _course(snapshot))


def _losing_ticks(snapshot: FeedSnapshot) -> Verdict | None:
    if not snapshot.recent_dropped:
        return None
    dropped = f"{snapshot.dropped:,} dropped"
    delay = delay_text(snapshot)
    facts = (delay, f", {dropped}") if delay else (dropped,)
    return Verdict("▲", "LOSING TICKS", "bad", facts)


def _waiting(snapshot: FeedSnapshot) -> Verdict | None:
    backing_off = backoff_connection(snapshot)
    if snapshot.phase is not Phase.WAITING or backing_off is None:
        return None
    which = f"feed {backing_off.number}, " if len(snapshot.connections) > 1 else ""
    next_try = f", next try in {brief_s(backing_off.next_try_s or 0.0)}"
    tries = [f"{which}{attempt_text(backing_off)}", next_try]
    facts = _joined(tries, _reasons(snapshot, backing_off.number))
    return Verdict("◔", "WAITING", "warn", facts, is_urgent=True)


def _falling_behind(snapshot: FeedSnapshot) -> Verdict | None:
    share = snapshot.buffered / snapshot.buffer_limit if snapshot.buffer_limit else 0.0
    if share < FULL_SHARE and snapshot.behind_s < BEHIND_S:
        return None
    facts = [delay_text(snapshot), f"buffer {share:.0%} full" if share >= 0.01 else ""]
    facts = [fact for fact in facts if fact]
    first, *more = facts
    return Verdict("▲", "FALLING BEHIND", "warn", (first, *(f", {each}" for each in more)))


def _silent(snapshot: FeedSnapshot) -> Verdict | None:
    if not is_silent(snapshot):
        return None
    limit_s = silence_limit_s(snapshot)
    is_due = snapshot.silence_s >= limit_s
    then = ", a reconnect is due" if is_due else f", reconnect at {limit_text(limit_s)}"
    facts = (f"{brief_s(snapshot.silence_s)} without a tick", then)
    return Verdict("◑", "SILENT", "warn", facts, is_urgent=True)


def _logging_in(snapshot: FeedSnapshot) -> Verdict | None:
    refused = TokenRefusedError.label
    is_ended = any(
        c.phase is Phase.CONNECTING and c.last_cause == refused for c in snapshot.connections
    )
    wait_s = snapshot.login_wait_s
    if wait_s is None and not is_ended:
        return None
    facts = [] if wait_s is None else [_code_text(wait_s)]
    if is_ended:
        facts.append(", the broker ended the session" if facts else "the broker ended the session")
    word = "RENEWING" if snapshot.phase is Phase.LIVE else "LOGGING IN"
    return Verdict("◌", word, "warn", tuple(facts), is_urgent=True)


def _connecting(snapshot: FeedSnapshot) -> Verdict | None:
    if snapshot.phase not in (Phase.CONNECTING, Phase.WAITING):
        return None
    tried = backoff_connection(snapshot)
    if tried is not None:
        tries = [f"{attempt_text(tried)} is under way"]
        facts = _joined(tries, _reasons(snapshot, tried.number))
        return Verdict("◌", "CONNECTING", "warn", facts, is_urgent=True)
    words = "asking the feed again" if snapshot.ticks else "first attempt"
    return Verdict("◌", "CONNECTING", "calm", (words,), is_urgent=True)


def _standing(snapshot: FeedSnapshot) -> Verdict | None:
    standing = [each for each in snapshot.market if each.state is MarketState.STANDING]
    if not standing:
        return None
    moving = [each.exchange for each in snapshot.market if each.state is MarketState.LIVE]
    facts = [f"the feed answers, {_stand_text(standing[0], snapshot)}"]
    if more := standing[1:]:
        facts.append(f", nor has {' or '.join(each.exchange for each in more)}")
    if moving:
        facts.append(f"; {' and '.join(moving)} {'moves' if len(moving) == 1 else 'move'}")
    elif not more:
        newest = standing[0].newest
        is_today = newest is not None and newest.date() == snapshot.at.date()
        facts.append(": a halt?" if is_today else ": a holiday?")
    return Verdict("◍", "STANDING", "warn", tuple(facts))


def _stand_text(segment: MarketSnapshot, snapshot: FeedSnapshot) -> str:
    since = f" since {moment(segment.newest, snapshot.at)}" if segment.newest is not None else ""
    return f"{printable(segment.exchange)} has not moved{since}"


def _quiet(snapshot: FeedSnapshot) -> Verdict | None:
    if snapshot.phase is not Phase.LIVE or snapshot.is_market_open:
        return None
    exchanges = [printable(each.exchange) for each in snapshot.market]
    facts = [f"{' and '.join(exchanges) if 0 < len(exchanges) < 3 else 'market'} closed"]
    if snapshot.market_opens_at is not None:
        left_s = (snapshot.market_opens_at - snapshot.at).total_seconds()
        facts.append(f", opens {moment(snapshot.market_opens_at, snapshot.at)}")
        facts.append(f" (in {brief_s(left_s)})")
    return Verdict("○", "QUIET", "calm", tuple(facts))


def _live(snapshot: FeedSnapshot) -> Verdict | None:
    if snapshot.phase is not Phase.LIVE:
        return None
    if problems := _problems(snapshot):
        joint = (
            "" if not number or each.startswith(" ") else ", "
            for number, each in enumerate(problems)
        )
        facts = (*map(str.__add__, joint, problems), *_rows(snapshot))
        return Verdict("●", "LIVE", "warn", facts)
    return Verdict("●", "LIVE", "good", _course(snapshot))


def _course(snapshot: FeedSnapshot) -> tuple[str, ...]:
    """How many instruments go where."""
    wanted = counted(snapshot.instruments_total, "instrument")
    if not snapshot.ticks:
        return wanted, ", no tick yet"
    if not snapshot.outputs:
        return (wanted,)
    first, *others = snapshot.outputs
    into = f" into {printable(first.name)}"
    more = [f" and {counted(len(others), 'more output')}"] if others else []
    return wanted, into, *more, f", {counted(first.rows, 'row')}"


def _rows(snapshot: FeedSnapshot) -> tuple[str, ...]:
    """Where ticks still go."""
    written = [each for each in snapshot.outputs if not each.is_left]
    return tuple(f"; {counted(one.rows, 'row')} into {printable(one.name)}" for one in written[:1])


def _problems(snapshot: FeedSnapshot) -> list[str]:
    """What is not well although the feed is live; what begins with a blank goes on from there."""
    problems = [f"{_reader(each.name)} left" for each in snapshot.outputs if each.is_left]
    ends = snapshot.session_expires_at
    if ends is not None and ends <= snapshot.at:
        problems.append(f"the session expired {moment(ends, snapshot.at)}")
    packets = [
        f"{count:,} {kind}"
        for count, kind in (
            (snapshot.recent_malformed, "malformed"),
            (snapshot.recent_foreign, "foreign"),
        )
        if count
    ]
    if packets:
        noun = "packet" if snapshot.recent_malformed + snapshot.recent_foreign == 1 else "packets"
        problems += [f"{' and '.join(packets)} {noun}", " in the last minute"]
    if snapshot.never_ticked > 0 and snapshot.uptime_s >= snapshot.silence_after_s:
        have = "has" if snapshot.never_ticked == 1 else "have"
        total = counted(snapshot.instruments_total, "instrument")
        problems.append(f"{snapshot.never_ticked:,} of {total} {have} never ticked")
    return problems


def _idle(snapshot: FeedSnapshot) -> Verdict:
    return Verdict("○", "IDLE", "calm", ("about to connect",))


_RULES: tuple[Callable[[FeedSnapshot], Verdict | None], ...] = (
    *(_lost, _stopped, _losing_ticks, _waiting, _falling_behind, _silent, _logging_in),
    *(_connecting, _standing, _quiet, _live, _idle),
)


def _reasons(snapshot: FeedSnapshot, connection: int | None = None) -> list[str]:
    """Why the feed, or one connection, was last lost: the cause, and what else is known."""
    for entry in reversed(snapshot.events):
        is_its = connection is None or entry.connection == connection
        if is_its and isinstance(entry.event, Lost | Waiting | GaveUp):
            return [printable(text) for text in _cause_text(entry.event)]
    return [printable(snapshot.last_cause)] if snapshot.last_cause else []


def _cause_text(event: Lost | Waiting | GaveUp) -> list[str]:
    """The cause with its code, or with the message where there is none."""
    if event.code is not None:
        # A close code of a WebSocket has four digits (RFC 6455, section 7.4).
        code = f"{'HTTP ' if event.code < 1000 else ''}{event.code}"
        return [code if event.cause == str(event.code) else f"{event.cause} ({code})"]
    return [event.cause, event.detail] if event.detail else [event.cause]


def _joined(facts: Sequence[str], reasons: Sequence[str]) -> tuple[str, ...]:
    """Facts, a colon, and the reasons."""
    first, *more = reasons or [""]
    if not facts:
        return (first, *(f", {each}" for each in more))
    return (*facts, *([f": {first}"] if first else []), *(f", {each}" for each in more))
