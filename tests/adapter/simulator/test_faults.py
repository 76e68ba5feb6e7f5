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
        ("20s:flood:1000", Fault(What.FLOOD, after_s=20, number=1000)),
        ("20s:pongs:45s", Fault(What.PONGS, after_s=20, duration_s=45)),
        ("20s:foreign", Fault(What.FOREIGN, after_s=20, number=1)),
        ("20s:foreign:3", Fault(What.FOREIGN, after_s=20, number=3)),
        ("20s:ahead", Fault(What.AHEAD, after_s=20, duration_s=3600)),
        ("20s:ahead:5m", Fault(What.AHEAD, after_s=20, duration_s=300)),
        (
            "connect:ignore-close:2sx3",
            Fault(What.IGNORE_CLOSE, call="connect", duration_s=2, times=3),
        ),
        ("20s:halt", Fault(What.HALT, after_s=20)),
        ("20s:halt:45m", Fault(What.HALT, after_s=20, duration_s=2700)),
        ("connect:holiday:CDS", Fault(What.HOLIDAY, call="connect", exchanges=(13,))),
        (
            "20s:snapshots:NSE:NFO:5s",
            Fault(What.SNAPSHOTS, after_s=20, duration_s=5, exchanges=(1, 2)),
        ),
        ("login:false", Fault(What.FALSE, call="login", code="AB1004")),
        ("profile:null-data", Fault(What.NULL_DATA, call="profile")),
        ("profile:list-data:AB1004", Fault(What.LIST_DATA, call="profile", code="AB1004")),
        ("login:no-refreshx2", Fault(What.NO_REFRESH, call="login", times=2)),
        ("refresh:oncex9", Fault(What.ONCE, call="refresh", times=9)),
    ],
)
def test_a_fault_is_named_by_when_and_what(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a time"),
        ("nonsense", "not a time"),
        ("20:drop", "not a time"),
        ("-1s:drop", "not a time"),
        ("20s", "it does not say what should happen"),
        ("20s:", "it does not say what should happen"),
        ("20s:explode", "there is no fault 'explode'"),
        ("20s:silence:long", "'long' is not a valid duration"),
        ("20s:silence:", "'' is not a valid duration"),
        ("20s:drop:now", "drop takes no argument"),
        ("20s:close:1006", "'1006' is not a close code"),
        ("20s:close:x", "'x' is not a close code"),
        ("20s:burst", "burst needs an argument"),
        ("20s:burst:0", "'0' is not a number over 0"),
        ("20s:text:E9", "'E9' is not one of E1001, E1002"),
        ("20s:dropx2", "xTIMES is for handshakes and calls"),
        ("connect:dropx0", "at least 1"),
        ("20s:refuse:429", "refuse cannot happen after a time or a count"),
        ("20s:A", "A cannot happen after a time or a count"),
        ("connect:refuse", "refuse needs an argument"),
        ("connect:refuse:200", "'200' is not a refusal"),
        ("connect:expire", "expire cannot happen at connect"),
        ("connect:C", "C cannot happen at connect"),
        ("login:drop", "drop cannot happen at login"),
        ("login:A:AG8001", "'AG8001' is not one of"),
        ("login:delay", "delay needs an argument"),
        ("orders:C", "not a time"),
        ("20s:halt:LSE", "'LSE' is not a segment or a valid duration"),
        ("20s:halt:LSE:5s", "'LSE' is not a segment: NSE, NFO"),
        ("20s:halt:5s:NSE", "'5s' is not a segment: NSE, NFO"),
        ("20s:foreign:0", "'0' is not a number over 0"),
        ("20s:flood", "flood needs an argument"),
        ("connect:burst:5", "burst cannot happen at connect"),
        ("20s:once", "once cannot happen after a time or a count"),
        ("login:once", "once cannot happen at login"),
        ("profile:no-refresh", "no-refresh cannot happen at profile"),
    ],
)
def test_another_text_is_refused_with_value_reason_and_grammar(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=re.escape(reason)) as refused:
        parse_fault(text)
    assert repr(text) in refused.value.message
    assert refused.value.kind == "fault-invalid"
    assert refused.value.values["fault"] == text
    assert refused.value.values["grammar"] == GRAMMAR


def test_the_grammar_names_every_fault() -> None:
    assert [what for what in What if not re.search(rf"(?<!-)\b{what}\b", GRAMMAR)] == []
