"""The lines between a running stream and those who ask it for something."""

from __future__ import annotations

import contextlib
import inspect
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter import errors
from ticks.adapter.control_messages import (
    Add,
    Drop,
    Reply,
    Stop,
    raised_again,
    read_reply,
    read_request,
    sent,
    to_line,
)
from ticks.adapter.errors import (
    AmbiguousSymbolError,
    SymbolError,
    TicksError,
    UnknownSymbolError,
    UsageError,
)
from ticks.adapter.instrument import Instrument

SBIN = Instrument(1, "3045", "SBIN-EQ", "SBIN")
FUTURE = Instrument(2, "35001", "NIFTY29SEP26FUT", "NIFTY", expiry="2026-09-29")


@pytest.mark.parametrize("request_", [Stop(), Add(("NIFTY", "M&M")), Drop(("ΑΒΓ",)), Add(())])
def test_a_request_is_one_line_and_comes_back_as_it_was(request_: Stop | Add | Drop) -> None:
    line = to_line(request_)
    assert line.count(b"\n") == 1
    assert read_request(line) == request_


@given(
    st.builds(
        Reply,
        symbols=st.lists(st.text(st.characters(exclude_categories=["Cs"]))).map(tuple),
        notes=st.lists(st.text(st.characters(exclude_categories=["Cs"]))).map(tuple),
        summary=st.none() | st.dictionaries(st.sampled_from("abc"), st.integers(0, 10**9)),
    )
)
def test_a_reply_is_one_line_and_comes_back_as_it_was(reply: Reply) -> None:
    line = to_line(reply)
    assert line.count(b"\n") == 1
    assert read_reply(line) == reply


def test_what_is_not_text_goes_as_a_question_mark() -> None:
    assert read_request(to_line(Add(("N\udcffY",)))) == Add(("N?Y",))


@given(st.binary() | st.text().map(str.encode))
def test_other_bytes_are_neither_a_request_nor_a_reply(line: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(read_request(line), Stop | Add | Drop)
    with contextlib.suppress(ValueError):
        assert isinstance(read_reply(line), Reply)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b'"stop"',
        b"{}",
        b'{"do":"kill"}',
        b'{"do":"stop","pid":1}',
        b'{"do":"add"}',
        b'{"do":"add","symbols":"NIFTY"}',
        b'{"do":"add","symbols":[1]}',
        b'{"do":"add","symbols":["\xff"]}',
        b'{"do":"add","symbols":' + b"[" * 100_000,
        b"9" * 100_000,
    ],
)
def test_a_request_that_is_nearly_one_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (what it says is nobody's to read)
        read_request(line)


def test_an_error_travels_with_its_class_kind_values_and_candidates() -> None:
    given_ = AmbiguousSymbolError(
        "several are called that", kind="symbol-ambiguous", candidates=(SBIN, FUTURE), typed="X"
    )
    line = to_line(Reply(error=sent(given_)))
    reply = read_reply(line)
    assert reply.error is not None
    made = raised_again(reply.error)
    assert isinstance(made, AmbiguousSymbolError)
    assert (made.message, made.kind, made.values) == (given_.message, given_.kind, given_.values)
    assert [(str(c), c.token, c.expiry) for c in made.candidates] == [
        ("NSE:SBIN-EQ", "3045", ""),
        ("NFO:NIFTY29SEP26FUT", "35001", "2026-09-29"),
    ]


ERRORS = sorted(
    (
        each
        for _, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, TicksError)
    ),
    key=lambda each: each.__name__,
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_of_ours_is_the_same_class_after_its_way(error: type[TicksError]) -> None:
    made = error.__new__(error)
    TicksError.__init__(made, "words", kind="some-kind", path=Path("x"))
    if isinstance(made, SymbolError):
        made.candidates = ()
    reply = read_reply(to_line(Reply(error=sent(made))))
    assert reply.error is not None
    again = raised_again(reply.error)
    assert type(again) is error
    assert (str(again), again.kind, again.values) == ("words", "some-kind", {"path": "x"})


@pytest.mark.parametrize("name", ["Exception", "annotations", "NewerError", "__name__", "Any", ""])
def test_a_class_that_is_none_of_our_errors_is_never_made(name: str) -> None:
    error = sent(UnknownSymbolError("words"))
    reply = read_reply(to_line(Reply(error=error)).replace(b"UnknownSymbolError", name.encode()))
    assert reply.error is not None
    assert type(raised_again(reply.error)) is TicksError


def test_an_error_that_came_back_can_be_raised() -> None:
    with pytest.raises(UsageError, match="words"):
        raise raised_again(sent(UsageError("words")))
