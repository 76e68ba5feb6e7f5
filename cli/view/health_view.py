"""What `ticks health` shows: findings in lines, and everything that `--watch` follows in a frame.

Pure: no clock, no I/O, no terminal.

Rules of the frame
- What is wrong comes first and is never left out; what is well shrinks to its name where room is
  short.
- Each stream is shown as its own dashboard shows it, in few lines, with the last of its history.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from ...adapter.events import LogEntry
from ...adapter.health import Check, CheckStatus, Owner
from ...adapter.snapshot import FeedSnapshot
from ...adapter.status_file import RunningStream
from ..exit_codes import REMEDIES, remedy_of
from ..printable import printable
from .dashboard import compact_lines, severity_of
from .event_text import event_line
from .figures import clock_s, counted
from .frame import LABEL_WIDTH, Frame, Line, Span, cropped, cropped_line, flowed
from .screen_frame import with_clock
from .verdict import verdict_of

_MARKS = {CheckStatus.OK: "✓", CheckStatus.FAILED: "✗", CheckStatus.SKIPPED: "-"}
_STYLES = {CheckStatus.OK: "good", CheckStatus.FAILED: "bad", CheckStatus.SKIPPED: "faint"}
_NAME_WIDTH = 18
_DETAIL_AT = 31
"""The column of a detail on the line of its check."""
_BESIDE_WIDTH = 70
"""In less width than this a detail goes below its check."""
_UNBOUNDED = 100_000
_MOST_SYMBOLS = 3
_STREAMS = "running streams"


# --- findings -------------------------------------------------------------------------------------


def finding_text(check: Check, earlier: Sequence[Check] = (), *, has_color: bool = False) -> str:
    """A finding in a line, and the advice in another."""
    return "\n".join(Frame(tuple(finding(check, _UNBOUNDED, earlier))).ansi(has_color=has_color))


def finding(check: Check, width: int, earlier: Sequence[Check] = ()) -> list[Line]:
    """Mark, name, seconds, detail, and the advice below, in lines of at most `width` columns.

    A fault that one of the `earlier` checks failed of already is reported in brief.
    """
    advice = advice_for(check)
    if (same := _same_fault(check, earlier)) is not None:
        check, advice = replace(check, detail=f"for the same reason as {same.name}"), ""
    is_warning = check.status is CheckStatus.OK and bool(advice or check.notes)
    style = "warn" if is_warning else _STYLES[check.status]
    head = _head(_MARKS[check.status], check.name, check.seconds, style)
    detail_style = "faint" if check.status is CheckStatus.SKIPPED else ""
    indent = _DETAIL_AT if width >= _BESIDE_WIDTH else 4
    details = [Span(text, detail_style) for text in _wrapped(check.detail, width - indent)]
    lines: list[Line] = []
    if indent == _DETAIL_AT and details:
        head = (*head, Span("  "), details.pop(0))
    lines = [head, *((Span(" " * indent), detail) for detail in details)]
    for text in (check.notes, f"try: {advice}" if advice else ""):
        lines += [
            (Span(" " * indent), Span(part, "warn"))
            for part in (_wrapped(text, width - indent) if text else ())
        ]
    return [cropped_line(line, width) for line in lines]


def _same_fault(check: Check, earlier: Sequence[Check]) -> Check | None:
    """The first of the earlier checks that failed of the same fault."""
    if check.error is None:
        return None
    fault = (check.error.kind, check.error.message)
    same = (each for each in earlier if each.error and each.name != check.name)
    return next((e for e in same if e.error and (e.error.kind, e.error.message) == fault), None)


def advice_for(check: Check) -> str:
    """What to do about a check, one sentence, or "" where nothing needs to be done."""
    if check.error is not None:
        return remedy_of(check.error)
    return REMEDIES.get(check.kind, "")


def running(name: str, seconds: float, width: int) -> Line:
    """The line of a check that is under way."""
    return cropped_line(_head("◌", name, seconds, "calm"), width)


def verdict(checks: Sequence[Check], width: int, *, is_demo: bool = False) -> list[Line]:
    """The last line: what the findings come to."""
    failed = [check.name for check in checks if check.status is CheckStatus.FAILED]
    seconds = sum(check.seconds for check in checks)
    if not failed:
        demo = " · demo" if is_demo else ""
        words = f"{_well(checks)}{demo} · {counted(len(checks), 'check')} in {seconds:.1f} s"
        return [cropped_line((Span(f"✓ {words}", "good strong"),), width)]
    words = f"✗ {len(failed)} of {counted(len(checks), 'check')} failed · fix {failed[0]} first"
    return [(Span(text, "bad strong"),) for text in _wrapped(words, width)]


def _well(checks: Sequence[Check]) -> str:
    """What is well: only what was looked at."""
    skipped = sum(check.status is CheckStatus.SKIPPED for check in checks)
    done = len(checks) - skipped
    if not skipped:
        return "all is well"
    return f"{counted(done, 'check')} {'is' if done == 1 else 'are'} well, {skipped} skipped"


def _head(mark: str, name: str, seconds: float, style: str) -> Line:
    return (
        Span(f"{mark} {name:<{_NAME_WIDTH}}", style),
        Span(f" {seconds:6.2f} s", "faint"),
    )


def _wrapped(text: str, width: int) -> list[str]:
    room = max(8, width)
    parts = [part for line in text.splitlines() for part in textwrap.wrap(printable(line), room)]
    return parts or [""]


# --- everything that is watched -------------------------------------------------------------------


@dataclass(frozen=True)
class Watched:
    """All that is known at one moment. `at` is the time in India.

    `names` are the checks in their order, `checks` the last finding of each that was done.
    `statuses` are the running streams, `owners` whose they are (ours where nothing is said);
    `unheard` are streams whose status is no longer replaced although their process still runs.
    """

    at: datetime
    uptime_s: float
    names: Sequence[str]
    checks: Mapping[str, Check]
    statuses: Sequence[RunningStream]
    unheard: frozenset[int] = frozenset()
    owners: Mapping[int, Owner] = field(default_factory=dict)

    @cached_property
    def streams(self) -> Mapping[int, FeedSnapshot]:
        """The running streams whose status can be read, by process number."""
        return {pid: snapshot for pid, snapshot in self.statuses if snapshot is not None}

    @property
    def findings(self) -> list[Check]:
        """The last findings, in the order of the checks."""
        return [self.checks[name] for name in self.names if name in self.checks]

    def to_dict(self) -> dict[str, object]:
        """A line of `ticks health --watch --json`."""
        at = self.at.isoformat(timespec="milliseconds")
        return {"at": at, **as_dict(self.findings, self.statuses, self.owners)}


def as_dict(
    checks: Sequence[Check], statuses: Sequence[RunningStream], owners: Mapping[int, Owner]
) -> dict[str, object]:
    """As `ticks health --json` gives it; a stream whose status cannot be read is not in it."""
    return {
        "ok": all(check.status is not CheckStatus.FAILED for check in checks),
        "checks": [_check_dict(check) for check in checks],
        "streams": [
            {"pid": pid, "owner": owners.get(pid, Owner.OURS), **snapshot.to_dict()}
            for pid, snapshot in statuses
            if snapshot is not None
        ],
    }


def _check_dict(check: Check) -> dict[str, object]:
    return {
        "name": check.name,
        "status": check.status,
        "detail": check.detail,
        "seconds": round(check.seconds, 3),
        "advice": advice_for(check) or check.notes,
    }


class _Detail(NamedTuple):
    """How much is shown: all checks in full, events and lines of each stream."""

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
    time = f"{watched.at:%H:%M:%S}"
    clocks = (f"up {clock_s(watched.uptime_s)} · {time} IST", f"{time} IST", time)
    yield with_clock(head, clocks, width)
    yield (Span("─" * width, severity),)


def _state(watched: Watched) -> tuple[str, str]:
    """A severity, and what to know first."""
    severities = {
        pid: severity_of(stream)
        for pid, stream in watched.streams.items()
        if watched.owners.get(pid, Owner.OURS) is Owner.OURS
    }
    failed = [
        check.name
        for check in watched.findings
        # The streams that are not well are named one by one.
        if check.status is CheckStatus.FAILED and not (check.name == _STREAMS and severities)
    ]
    headline = [f"{counted(len(failed), 'check')} failed: {', '.join(failed)}"] if failed else []
    for severity in ("bad", "warn"):
        for pid in (pid for pid, found in severities.items() if found == severity):
            stream = watched.streams[pid]
            headline.append(_trouble(pid, stream))
    if headline:
        is_bad = failed or "bad" in severities.values()
        return "bad" if is_bad else "warn", " · ".join(headline)
    if len(watched.findings) < len(watched.names):
        return "calm", "checking"
    return "good", f"{_well(watched.findings)} · {_streams_by_owner(watched)}"


def _streams_by_owner(watched: Watched) -> str:
    """How many streams run, those apart that fail no check because they are not ours."""
    owners = [watched.owners.get(pid, Owner.OURS) for pid in watched.streams]
    if not owners:
        return "no stream runs"
    ours = owners.count(Owner.OURS)
    words = [counted(ours, "stream") if ours else "no stream of this account"]
    names = {owner: f"of {owner}" for owner in (Owner.OTHER_BROKER, Owner.OTHER_ACCOUNT)}
    for owner, name in {Owner.DEMO: "of a demo", **names}.items():
        words += [f"{owners.count(owner)} {name}"] * (owner in owners)
    return ", ".join(words)


def _trouble(pid: int, stream: FeedSnapshot) -> str:
    found = verdict_of(stream)
    if found.word == "LIVE":
        return f"stream {pid}: {found.fragments[0]}"
    return f"stream {pid} {found.word.lower()}"


def _body(watched: Watched, width: int, detail: _Detail) -> Iterator[Line]:
    yield from (_all_checks if detail.has_all_checks else _checks_in_brief)(watched, width)
    pending = [name for name in watched.names if name not in watched.checks]
    if pending:
        yield (Span(f"◌ {pending[0]}", "calm"),)
    if not watched.streams:
        yield from flowed("streams", [Span("none runs on this machine", "faint")], width)
    for pid, stream in watched.streams.items():
        yield _title(pid, stream, width, watched.owners.get(pid, Owner.OURS))
        lines = compact_lines(stream, width, is_short=detail.is_short)
        yield from lines[: detail.stream_lines]
        yield from _history(stream, detail.events, width)


def _all_checks(watched: Watched, width: int) -> Iterator[Line]:
    for number, check in enumerate(watched.findings):
        if check.name != _STREAMS:
            yield from finding(check, width, watched.findings[:number])


def _checks_in_brief(watched: Watched, width: int) -> Iterator[Line]:
    """What failed in full; the names of the others."""
    shown = [check for check in watched.findings if check.name != _STREAMS]
    for number, check in enumerate(shown):
        if check.status is CheckStatus.FAILED:
            yield from finding(check, width, shown[:number])
    for status, label in ((CheckStatus.OK, "well"), (CheckStatus.SKIPPED, "skipped")):
        names = [Span(check.name) for check in shown if check.status is status]
        if names:
            yield from flowed(label, names, width)


def _title(pid: int, stream: FeedSnapshot, width: int, owner: Owner) -> Line:
    """A rule that names the stream, whose it is where it is not ours, and what it watches."""
    symbols = [printable(each.symbol or each.token) for each in stream.instruments[:_MOST_SYMBOLS]]
    more = stream.instruments_total - len(symbols)
    names = ", ".join(symbols) + (f" +{more:,}" if more > 0 else "")
    parts = [f"stream {pid}", *([str(owner)] if owner is not Owner.OURS else []), names]
    title = cropped(" · ".join(filter(None, parts)) + " ", width)
    return (Span(title, "strong"), Span("─" * max(0, width - len(title)), severity_of(stream)))


def _history(stream: FeedSnapshot, most: int, width: int) -> Iterator[Line]:
    lines = [line for entry in stream.events if (line := _event_line(entry, stream)) is not None]
    for index, line in enumerate(lines[-most:] if most else ()):
        label = "history" if index == 0 else ""
        yield (Span(f"{label:<{LABEL_WIDTH}}", "label"), Span(line, "faint"))


# --- what changed ---------------------------------------------------------------------------------


def _event_line(entry: LogEntry, stream: FeedSnapshot, *, name: str = "") -> str | None:
    return event_line(entry, stream=name, is_one_of_several=len(stream.connections) > 1)


def ends(before: Watched | None, after: Watched) -> Iterator[str]:
    """A line for each stream that is gone."""
    if before is None:
        return
    for pid, stream in before.streams.items():
        if pid in after.streams:
            continue
        name = _name_of(pid, before)
        is_hung = pid in after.unheard
        word = "no longer reports, but its process runs" if is_hung else "ended"
        figures = f"{counted(stream.ticks, 'tick')} · blind {stream.blind_s:.1f} s"
        yield f"{after.at:%H:%M:%S} {name} {word} · {figures}"


def _name_of(pid: int, watched: Watched) -> str:
    """`stream 4711`, and whose it is where it is not ours."""
    owner = watched.owners.get(pid, Owner.OURS)
    return f"stream {pid}" + ("" if owner is Owner.OURS else f" ({owner})")


def changes(before: Watched | None, after: Watched) -> Iterator[str]:
    """A line for each finding that is new or changed, each stream's change of state, each end."""
    found = before.checks if before else {}
    for check in after.findings:
        if check.name not in found:
            yield finding_text(check)
        elif found[check.name].status != check.status:
            yield f"{after.at:%H:%M:%S} {finding_text(check)}"
    known = before.streams if before else {}
    for pid, stream in after.streams.items():
        yield from _stream_changes(_name_of(pid, after), known.get(pid), stream)
    yield from ends(before, after)


def _stream_changes(name: str, before: FeedSnapshot | None, after: FeedSnapshot) -> Iterator[str]:
    if before is None:
        wanted = counted(after.instruments_total, "instrument")
        yield f"{after.at:%H:%M:%S} {name} {after.phase} · {wanted}"
        return
    new = (entry for entry in after.events if entry not in before.events)
    lines = [line for entry in new if (line := _event_line(entry, after, name=name)) is not None]
    yield from lines
    if after.phase is not before.phase and not lines:
        yield f"{after.at:%H:%M:%S} {name} {after.phase}"
