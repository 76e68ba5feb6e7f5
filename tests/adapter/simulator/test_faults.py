from __future__ import annotations

import re

import pytest

from ticks.adapter.errors import UsageError
from ticks.adapter.simulator.faults import GRAMMAR, Fault, What, parse_fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("20s:silence:45s", Fault(What.SILENCE, after_s=20, duration_s=45)),
        ("0s:silence", Fault(What.SILENCE)),
        ("1.5m:stall:500ms", Fault(What.STALL, after_s=90, duration_s=0.5)),
        ("2h:slow:1s", Fault(What.SLOW, after_s=7200, duration_s=1)),
        ("1000ticks:drop", Fault(What.DROP, after_ticks=1000)),
        ("3s:close:1011", Fault(What.CLOSE, after_s=3, number=1011)),
        ("3s:close", Fault(What.CLOSE, after_s=3, number=1011)),
        ("5s:expire", Fault(What.EXPIRE, after_s=5)),
        ("10s:garbage", Fault(What.GARBAGE, after_s=10)),
        ("10s:truncate", Fault(What.TRUNCATE, after_s=10)),
        ("10s:fragment", Fault(What.FRAGMENT, after_s=10)),
        ("10s:oversize", Fault(What.OVERSIZE, after_s=10)),
        ("10s:text:E1001", Fault(What.TEXT, after_s=10, code="E1001")),
        ("10s:text", Fault(What.TEXT, after_s=10, code="E1002")),
        ("10s:burst:500", Fault(What.BURST, after_s=10, number=500)),
        ("connect:refuse:429x2", Fault(What.REFUSE, call="connect", number=429, times=2)),
        ("connect:refuse:503", Fault(What.REFUSE, call="connect", number=503)),
        ("connect:delay:3s", Fault(What.DELAY, call="connect", duration_s=3)),
        ("connect:silencex9", Fault(What.SILENCE, call="connect", times=9)),
        ("connect:drop", Fault(What.DROP, call="connect")),
        ("login:A:AB1050x2", Fault(What.SHAPE_A, call="login", code="AB1050", times=2)),
        ("profile:B", Fault(What.SHAPE_B, call="profile", code="AG8001")),
        ("refresh:Cx3", Fault(What.SHAPE_C, call="refresh", times=3)),
        ("logout:D", Fault(What.SHAPE_D, call="logout")),
        ("instruments:null", Fault(What.NULL, call="instruments")),
        ("instruments:delay:10s", Fault(What.DELAY, call="instruments", duration_s=10)),
    ],
)
def test_a_fault_is_named_by_when_and_what(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no time"),
        ("nonsense", "no time"),
        ("20:drop", "no time"),
        ("-1s:drop", "no time"),
        ("20s", "nothing is called ''"),
        ("20s:explode", "nothing is called 'explode'"),
        ("20s:silence:long", "'long' is no duration"),
        ("20s:silence:", "'' is no duration"),
        ("20s:drop:now", "drop takes no argument"),
        ("20s:close:1006", "'1006' is no close code"),
        ("20s:close:x", "'x' is no close code"),
        ("20s:burst", "burst needs an argument"),
        ("20s:burst:0", "'0' is no number of packets"),
        ("20s:text:E9", "'E9' is none of E1001, E1002"),
        ("20s:dropx2", "only handshakes and calls are counted"),
        ("connect:dropx0", "from 1"),
        ("20s:refuse:429", "refuse does not happen after a time or a count"),
        ("20s:A", "A does not happen after a time or a count"),
        ("connect:refuse", "refuse needs an argument"),
        ("connect:refuse:200", "'200' is no refusal"),
        ("connect:expire", "expire does not happen at connect"),
        ("connect:C", "C does not happen at connect"),
        ("login:drop", "drop does not happen at login"),
        ("login:A:AG8001", "'AG8001' is none of"),
        ("login:delay", "delay needs an argument"),
        ("orders:C", "no time"),
    ],
)
def test_nonsense_is_refused_with_value_reason_and_grammar(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=re.escape(reason)) as refused:
        parse_fault(text)
    assert repr(text) in refused.value.message
    assert refused.value.remedy == GRAMMAR


def test_the_grammar_names_every_fault() -> None:
    assert [what for what in What if not re.search(rf"\b{what}\b", GRAMMAR)] == []
