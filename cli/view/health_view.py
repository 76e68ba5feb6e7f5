"""What `ticks health` shows: findings in lines, and everything that `--watch` follows in a frame.

Pure: no clock, no I/O, no terminal.

Rules of the frame
- What ails comes first and is never left out; what is well shrinks to its name where room is short.
- Each stream is told as its own dashboard tells it, in few lines, with the last of its history.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ...adapter.feed.stats import FeedSnapshot
from ...adapter.health import Check
from .dashboard import compact_lines, mood_of
from .event_text import event_text
from .figures import clock_s, counted, printable
from .frame import LABEL_WIDTH, Frame, Line, Span, cropped, cropped_line, flowed, width_of

_MARKS = {"ok": "✓", "failed": "✗", "skipped": "-"}
_STYLES = {"ok": "good", "failed": "bad", "skipped": "faint"}
_NAME_WIDTH = 18
_DETAIL_AT = 31
"""The column where a detail stands beside its check."""
_BESIDE_WIDTH = 70
"""Narrower than this a detail stands below its check."""
_UNBOUNDED = 100_000
_MOST_SYMBOLS = 3
_STREAMS = "running streams"


# --- findings -------------------------------------------------------------------------------------


def told(check: Check, *, has_color: bool = False) -> str:
    """A finding in a line, and the advice in another."""
    return "\n".join(Frame(tuple(finding(check, _UNBOUNDED))).ansi(has_color=has_color))


def finding(check: Check, width: int) -> list[Line]:
    """Mark, name, seconds, detail, and the advice below, in lines of at most `width` columns."""
    style = "warn" if check.advice and check.status == "ok" else _STYLES[check.status]
    head = _head(_MARKS[check.status], check.name, check.seconds, style)
    detail_style = "faint" if check.status == "skipped" else ""
    indent = _DETAIL_AT if width >= _BESIDE_WIDTH else 4
    details = [Span(text, detail_style) for text in _wrapped(check.detail, width - indent)]
    lines: list[Line] = []
    if indent == _DETAIL_AT and details:
        head = (*head, Span("  "), details.pop(0))
    lines = [head, *((Span(" " * indent), detail) for detail in details)]
    advice = _wrapped(f"try: {check.advice}", width - indent) if check.advice else []
    lines += [(Span(" " * indent), Span(text, "warn")) for text in advice]
    return [cropped_line(line, width) for line in lines]


def running(name: str, seconds: float, width: int) -> Line:
    """The line of a check that is under way."""
    return cropped_line(_head("◌", name, seconds, "calm"), width)


def verdict(checks: Sequence[Check], width: int) -> list[Line]:
    """The last words: what the findings come to."""
    failed = [check.name for check in checks if check.status == "failed"]
    seconds = sum(check.seconds for check in checks)
    if not failed:
        words = f"all is well · {counted(len(checks), 'check')} in {seconds:.1f} s"
        return [cropped_line((Span(f"✓ {words}", "good strong"),), width)]
    words = f"✗ {len(failed)} of {counted(len(checks), 'check')} failed · mend {failed[0]} first"
    return [(Span(text, "bad strong"),) for text in _wrapped(words, width)]


def _head(mark: str, name: str, seconds: float, style: str) -> Line:
    return (
        Span(f"{mark} {name:<{_NAME_WIDTH}}", style),
        Span(f" {seconds:6.2f} s", "faint"),
    )


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(printable(text), max(8, width)) or [""]


# --- everything that is watched -------------------------------------------------------------------


@dataclass(frozen=True)
class Watched:
    """All that is known at one moment. `at` is the time in India, ISO 8601.

    `names` are the checks in their order, `checks` the last finding of each that was done.
    `statuses` are the running streams as they tell themselves, `{"pid": ..., **snapshot}`;
    `unheard` are streams that went silent although their process still runs.
    """

    at: str
    uptime_s: float
    names: Sequence[str]
    checks: Mapping[str, Check]
    statuses: Sequence[Mapping[str, Any]]
    unheard: frozenset[int] = frozenset()

    @cached_property
    def streams(self) -> Mapping[int, FeedSnapshot]:
        """The running streams by process number."""
        return {status["pid"]: FeedSnapshot.from_dict(status) for status in self.statuses}

    @property
    def findings(self) -> list[Check]:
        """The last findings, in the order of the checks."""
        return [self.checks[name] for name in self.names if name in self.checks]

    def to_dict(self) -> dict[str, object]:
        """A line of `ticks health --watch --json`."""
        return {"at": self.at, **as_dict(self.findings, self.statuses)}


def as_dict(checks: Sequence[Check], statuses: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """As `ticks health --json` gives it."""
    return {
        "ok": all(check.status != "failed" for check in checks),
        "checks": [check.to_dict() for check in checks],
        "streams": list(statuses),
    }


class _Detail(NamedTuple):
    """How much is told: all checks in full, events and lines of each stream."""

    has_all_checks: bool
    events: int
    is_short: bool = False
    stream_lines: int | None = None


_DETAILS = (
    _Detail(has_all_checks=True, events=5),
    _Detail(has_all_checks=True, events=2),
    _Detail(has_all_checks=False, events=3),
    _Detail(has_all_checks=False, events=1),
    _Detail(has_all_checks=False, events=0),
    _Detail(has_all_checks=False, events=1, is_short=True),
    _Detail(has_all_checks=False, events=0, is_short=True),
    _Detail(has_all_checks=False, events=0, is_short=True, stream_lines=1),
)
"""The most first; the first that fits is shown."""


def render(watched: Watched, *, width: int, height: int) -> Frame:
    """The checks and the streams in at most `height` lines of at most `width` columns."""
    head = list(_header(watched, width))
    lines: list[Line] = []
    for detail in _DETAILS:
        lines = [*head, *_body(watched, width, detail)]
        if len(lines) <= height:
            break
    return Frame(tuple(cropped_line(line, width) for line in lines[: max(0, height)]))


def _header(watched: Watched, width: int) -> Iterator[Line]:
    severity, words = _state(watched)
    sign = {"good": "✓", "warn": "◔", "bad": "✗"}.get(severity, "◌")
    head: Line = (Span(f"{sign} {cropped(words, width - 2)}", f"{severity} strong"),)
    time = watched.at[11:19]
    for clock in (f"up {clock_s(watched.uptime_s)} · {time}", time):
        room = width - width_of(head) - len(clock)
        if room >= 2:
            head = (*head, Span(" " * room), Span(clock, "faint"))
            break
    yield head
    yield (Span("─" * width, severity),)


def _state(watched: Watched) -> tuple[str, str]:
    """A mood, and what to know first."""
    moods = {pid: mood_of(stream) for pid, stream in watched.streams.items()}
    failed = [check.name for check in watched.findings if check.status == "failed"]
    headline = [f"{counted(len(failed), 'check')} failed: {', '.join(failed)}"] if failed else []
    for severity in ("bad", "warn"):
        for pid in (pid for pid, found in moods.items() if found == severity):
            stream = watched.streams[pid]
            headline.append(f"stream {pid} {'silent' if stream.phase == 'live' else stream.phase}")
    if headline:
        is_bad = failed or "bad" in moods.values()
        return "bad" if is_bad else "warn", " · ".join(headline)
    if len(watched.findings) < len(watched.names):
        return "calm", "checking"
    streams = counted(len(moods), "stream") if moods else "no stream runs"
    return "good", f"all is well · {streams}"


def _body(watched: Watched, width: int, detail: _Detail) -> Iterator[Line]:
    yield from (_all_checks if detail.has_all_checks else _checks_in_brief)(watched, width)
    pending = [name for name in watched.names if name not in watched.checks]
    if pending:
        yield (Span(f"◌ {pending[0]}", "calm"),)
    if not watched.streams:
        yield from flowed("streams", [Span("none runs on this machine", "faint")], width)
    for pid, stream in watched.streams.items():
        yield _title(pid, stream, width)
        lines = compact_lines(stream, width, is_short=detail.is_short)
        yield from lines[: detail.stream_lines]
        yield from _history(stream, detail.events, width)


def _all_checks(watched: Watched, width: int) -> Iterator[Line]:
    for check in watched.findings:
        if check.name != _STREAMS:
            yield from finding(check, width)


def _checks_in_brief(watched: Watched, width: int) -> Iterator[Line]:
    """What failed in full; the names of the others."""
    shown = [check for check in watched.findings if check.name != _STREAMS]
    for check in shown:
        if check.status == "failed":
            yield from finding(check, width)
    for status, label in (("ok", "well"), ("skipped", "skipped")):
        names = [Span(check.name) for check in shown if check.status == status]
        if names:
            yield from flowed(label, names, width)


def _title(pid: int, stream: FeedSnapshot, width: int) -> Line:
    """A rule that names the stream and what it watches."""
    symbols = [printable(each.symbol or each.token) for each in stream.instruments[:_MOST_SYMBOLS]]
    more = stream.instruments_total - len(symbols)
    names = ", ".join(symbols) + (f" +{more:,}" if more > 0 else "")
    title = cropped(f"stream {pid} · {names} " if names else f"stream {pid} ", width)
    return (Span(title, "strong"), Span("─" * max(0, width - len(title)), mood_of(stream)))


def _history(stream: FeedSnapshot, most: int, width: int) -> Iterator[Line]:
    lines = [line for event in stream.events if (line := event_line(event, stream)) is not None]
    for index, line in enumerate(lines[-most:] if most else ()):
        label = "history" if index == 0 else ""
        yield (Span(f"{label:<{LABEL_WIDTH}}", "label"), Span(line, "faint"))


# --- what changed ---------------------------------------------------------------------------------


def event_line(event: Mapping[str, Any], stream: FeedSnapshot) -> str | None:
    """When and what, in words; None where another event says it already."""
    words = event_text(str(event.get("event", "")), event)
    if words is None:
        return None
    feed = f"feed {event.get('connection')} " if len(stream.connections) > 1 else ""
    return f"{str(event.get('at', ''))[11:19]} {feed}{words}"


def ends(before: Watched | None, after: Watched) -> Iterator[str]:
    """A line for each stream that is gone."""
    for pid, stream in (before.streams if before else {}).items():
        if pid in after.streams:
            continue
        word = "tells nothing any more, but its process runs" if pid in after.unheard else "ended"
        figures = f"{counted(stream.ticks, 'tick')} · blind {stream.blind_s:.1f} s"
        yield f"{after.at[11:19]} stream {pid} {word} · {figures}"


def changes(before: Watched | None, after: Watched) -> Iterator[str]:
    """A line for each finding that is new or turned, each stream's change of state, each end."""
    found = before.checks if before else {}
    for check in after.findings:
        if check.name not in found:
            yield told(check)
        elif found[check.name].status != check.status:
            yield f"{after.at[11:19]} {told(check)}"
    known = before.streams if before else {}
    for pid, stream in after.streams.items():
        yield from _stream_changes(pid, known.get(pid), stream)
    yield from ends(before, after)


def _stream_changes(pid: int, before: FeedSnapshot | None, after: FeedSnapshot) -> Iterator[str]:
    if before is None:
        wanted = counted(after.instruments_total, "instrument")
        yield f"{after.at[11:19]} stream {pid} {after.phase} · {wanted}"
        return
    events = (event for event in after.events if event not in before.events)
    lines = [line for event in events if (line := event_line(event, after)) is not None]
    for line in lines:
        time, words = line[:8], line[9:]
        yield f"{time} stream {pid} {words}"
    if after.phase != before.phase and not lines:
        yield f"{after.at[11:19]} stream {pid} {after.phase}"
