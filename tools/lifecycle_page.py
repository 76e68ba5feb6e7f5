"""Draws `docs/lifecycle.md` from the lifecycle itself: every move is made by `step`, and noted.

python tools/lifecycle_page.py            prints the page
python tools/lifecycle_page.py --write    replaces docs/lifecycle.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ticks.adapter.errors import (
    CertificateError,
    NetworkError,
    RateLimitedError,
    TokenRefusedError,
)
from ticks.adapter.feed.lifecycle import (
    TABLE,
    Answered,
    Beaten,
    Checked,
    CloseLink,
    Connect,
    Due,
    Failed,
    Heard,
    LifecycleEvent,
    Opened,
    Phase,
    Policy,
    SendHeartbeat,
    Started,
    State,
    Stopped,
    Subscribe,
    Ticked,
    step,
)
from ticks.adapter.market.state import Demand, Verdict

PAGE = Path(__file__).parent.parent / "docs" / "lifecycle.md"
NOW_S = 1000.0
POLICY = Policy()
ACTION_WORDS = {
    Connect: "connect",
    Subscribe: "subscribe everything",
    SendHeartbeat: "send `ping`",
    CloseLink: "close the socket",
}
BEGINNING = """# The life of a connection

Drawn by `python tools/lifecycle_page.py --write` from `adapter/feed/lifecycle.py`, whose head has
the rules; a test compares this page with the code. What is not shown changes nothing.

```mermaid
stateDiagram-v2
    [*] --> idle
"""


class Move(NamedTuple):
    """One step that was made: where from, why, where to, what is to be done."""

    phase: Phase
    reason: str
    next_phase: Phase
    actions: str


def situations() -> Iterator[tuple[str, State, LifecycleEvent]]:
    """Every kind of event in every phase, with the circumstances that decide."""
    network, refused = NetworkError("gone"), TokenRefusedError("refused")
    resting = Verdict(is_resting=True)
    for phase in Phase:
        state = State(
            phase=phase,
            epoch=1,
            live_since_s=NOW_S - 100,
            silent_since_s=NOW_S,
            heard_at_s=NOW_S,
        )
        silent = replace(state, silent_since_s=NOW_S - 60)
        spent = replace(state, attempt=POLICY.max_attempts or 0)
        yield "started", state, Started()
        yield "opened", state, Opened(1)
        yield "failed, retry can help", state, Failed(1, network, 0.0)
        yield "failed, attempts used up", spent, Failed(1, network, 0.0)
        yield "failed, retry cannot help", state, Failed(1, CertificateError("no"), 0.0)
        if phase is Phase.CONNECTING:
            yield "failed, HTTP 429: 60 s at least", state, Failed(1, RateLimitedError("429"), 0.0)
            yield "tokens refused, the first time", state, Failed(1, refused, 0.0)
            again = replace(state, fresh_login_spent=True)
            yield "tokens refused after a fresh login", again, Failed(1, refused, 0.0)
        yield "live data", state, Ticked(1, is_live=True)
        yield "any other frame", state, Heard(1)
        yield "heartbeat due", state, Beaten()
        if phase is Phase.LIVE:
            fault, probe = Verdict(Demand.FAULT, 60.0), Verdict(Demand.PROBE, 60.0)
            yield "checked, all well", state, Checked(Verdict(), 0.0)
            yield "checked, silence is a fault", silent, Checked(fault, 0.0)
            yield "checked, a probe is due", silent, Checked(probe, 0.0)
            yield "checked, silent, nothing trades (quiet)", silent, Checked(resting, 0.0)
            dead = replace(silent, heard_at_s=NOW_S - 60)
            yield "checked, nothing received for 30 s (link dead)", dead, Checked(resting, 0.0)
            yield (
                "answered, the market stands still (attempts back to 0)",
                spent,
                Answered(1, None, 0.0),
            )
            yield "answered, it had moved (one attempt more)", state, Answered(1, 60.0, 0.0)
            yield "answered, it had moved, attempts used up", spent, Answered(1, 60.0, 0.0)
        else:
            yield "checked", state, Checked(Verdict(), 0.0)
        yield "wait is over", state, Due()
        yield "stopped", state, Stopped()


def moves() -> list[Move]:
    """The moves that the table makes, phase by phase."""
    made = []
    for reason, state, event in situations():
        if (state.phase, type(event)) not in TABLE:
            continue
        after, actions = step(state, event, NOW_S, POLICY)
        words = [ACTION_WORDS[type(each)] for each in actions if type(each) in ACTION_WORDS]
        if any(isinstance(each, Connect) and each.fresh_login for each in actions):
            words[-1] = "connect by a fresh login"
        if after.phase is Phase.WAITING and state.phase is not Phase.WAITING:
            words.append(f"wait {after.delay_s:g} s")
        made.append(Move(state.phase, reason, after.phase, ", ".join(words)))
    return made


def page() -> str:
    """The whole page."""
    made = moves()
    arrows = dict.fromkeys(
        f"    {move.phase} --> {move.next_phase}: {move.reason.replace(':', ',')}"
        for move in made
        if move.next_phase is not move.phase or "connect" in move.actions
    )
    rows = [f"| {m.phase} | {m.reason} | {m.next_phase} | {m.actions} |" for m in made]
    return (
        BEGINNING
        + "\n".join(arrows)
        + "\n    lost --> [*]\n    stopped --> [*]\n```\n\n"
        + "| in | event | next | do |\n|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def main() -> None:
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())


if __name__ == "__main__":
    main()
