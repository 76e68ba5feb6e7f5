"""The connection's history in a person's words: one short line for each change of state. Pure.

Each line begins with the phase that the change leads to, so that a log can be searched for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from .figures import brief_s, counted, printable

Facts: TypeAlias = Mapping[str, Any]


def _reason(facts: Facts) -> str:
    cause, detail = facts.get("cause", ""), facts.get("detail", "")
    return f"{cause}: {detail}" if cause and detail else f"{cause or detail}"


def _connected(facts: Facts) -> str | None:
    """The first connect changes nothing that a person waits for."""
    attempt = facts.get("attempt")
    return f"live: connected at attempt {attempt}" if attempt else None


def _waiting(facts: Facts) -> str:
    limit = facts.get("max_attempts")
    of_limit = "" if limit is None else f" of {limit}"
    attempt = f"attempt {facts.get('attempt')}{of_limit} in {brief_s(facts.get('delay_s', 0.0))}"
    return f"waiting: {attempt} · {_reason(facts)}"


def _recovered(facts: Facts) -> str:
    return f"live: ticks are back · blind {brief_s(facts.get('blind_s', 0.0))}"


def _gave_up(facts: Facts) -> str:
    attempts = facts.get("attempts", 0)
    tried = f" after {counted(attempts, 'attempt')}" if attempts else ""
    blind = f"blind {brief_s(facts.get('blind_s', 0.0))}"
    return f"lost: gave up{tried} · {_reason(facts)} · {blind}"


def _quiet(facts: Facts) -> str:
    if "exchange" in facts:
        since = f" since {facts['newest']}" if facts.get("newest") else ""
        return f"standing: the feed answers, {facts['exchange']} has not moved{since}"
    return f"live: silence for {brief_s(facts.get('silence_s', 0.0))}, but the market is closed"


def _market(facts: Facts) -> str | None:
    """Only what the calendar did not foresee; the rest of the story has lines of its own."""
    if facts.get("session") != "unlisted":
        return None
    return f"live: {facts.get('exchange')} trades in a session that no calendar lists"


def _probe(facts: Facts) -> str | None:
    """A market that stands is told once, by `quiet`."""
    if facts.get("answer") == "stands":
        return None
    found = "it had gone on unheard" if facts.get("answer") == "moved" else "no answer"
    return f"live: reconnected to ask for {facts.get('exchange')} · {found}"


def _refused(facts: Facts) -> str:
    which = f"request {facts['request']}" if "request" in facts else "a request"
    return f"refused: {which} · {facts.get('code', '')} {facts.get('detail', '')}".rstrip()


def _renewal_failed(facts: Facts) -> str:
    return f"the session could not be renewed, the old one is tried · {facts.get('detail', '')}"


def _dropped(facts: Facts) -> str:
    return f"{counted(facts.get('dropped', 0), 'tick')} dropped so far: the output is too slow"


def _rotated(facts: Facts) -> str:
    rows = counted(facts.get("rows", 0), "row")
    return f"{facts.get('finished')} is complete ({rows}), now {facts.get('next')}"


_WORDS: dict[str, Callable[[Facts], str | None]] = {
    "connected": _connected,
    "waiting": _waiting,
    "recovered": _recovered,
    "gave_up": _gave_up,
    "quiet": _quiet,
    "market": _market,
    "probe": _probe,
    "refused": _refused,
    "renewal_failed": _renewal_failed,
    "dropped": _dropped,
    "rotated": _rotated,
}


def event_text(event: str, facts: Facts) -> str | None:
    """What a person is told of an event; None where another event's line says it already."""
    words = _WORDS[event](facts) if event in _WORDS else None
    return None if words is None else printable(words)
