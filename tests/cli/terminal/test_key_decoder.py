"""What a terminal sends becomes keys, in whatever pieces it comes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.cli.terminal.key_decoder import KeyDecoder
from ticks.cli.view.key_bindings import Key


def keys_of(*pieces: bytes) -> list[str]:
    """The keys of some reads, with nothing after them."""
    decoder = KeyDecoder()
    keys = [key for piece in pieces for key in decoder.feed(piece)]
    return keys + decoder.flush()


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        (b"q", ["q"]),
        (b"? s/p", ["?", " ", "s", "/", "p"]),
        (b"\x1b[A\x1b[B\x1b[C\x1b[D", [Key.UP, Key.DOWN, Key.RIGHT, Key.LEFT]),
        (b"\x1bOA\x1bOB\x1bOC\x1bOD", [Key.UP, Key.DOWN, Key.RIGHT, Key.LEFT]),
        (b"\x1b[5~\x1b[6~", [Key.PAGE_UP, Key.PAGE_DOWN]),
        (b"\x1b[H\x1b[F\x1bOH\x1bOF", [Key.HOME, Key.END] * 2),
        (b"\x1b[1~\x1b[4~\x1b[7~\x1b[8~", [Key.HOME, Key.END] * 2),
        (b"\x1b[1;5A\x1b[5;2~", [Key.UP, Key.PAGE_UP]),
        (b"\r\n\x1bOM", [Key.ENTER] * 3),
        (b"\x7f\x08", [Key.BACKSPACE] * 2),
        (b"\x0c\x15", [Key.REDRAW, Key.ERASE_LINE]),
        (b"\x1b", [Key.ESCAPE]),
        (b"\x1b\x1b", [Key.ESCAPE] * 2),
        (b"\x1b\x1b[A", [Key.ESCAPE, Key.UP]),
        ("₹é".encode(), ["₹", "é"]),
    ],
)
def test_keys_are_known_in_both_modes_of_a_terminal(sent: bytes, keys: list[str]) -> None:
    assert keys_of(sent) == keys


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x01\x04\x1c\x7f"[:4],
        b"\x1bq",  # Alt and q is no q
        b"\x1b[15~\x1b[Z\x1b[2~\x1bOP\x1b[[A",  # function keys
        b"\x1b[200~\x1b[201~",
        b"\x1b[<0;12;3M",  # a mouse
        b"\x1b[?62;22c",  # what a terminal answers
        b"\x1b]11;rgb:ffff/ffff/ffff\x07\x1b]11;rgb:0/0/0\x1b\\",
        b"\x1bP1$r0m\x1b\\",
        b"\x80\xff\xc3\xed\xa0\x80\xc2\x9b",
        b"\x1b[" + b"1" * 50,
        b"\x1bO",
    ],
)
def test_what_means_nothing_gives_nothing_and_the_next_key_counts(sent: bytes) -> None:
    assert keys_of(sent) == []
    decoder = KeyDecoder()
    assert decoder.feed(sent) + decoder.flush() + decoder.feed(b"q") == ["q"]


@pytest.mark.parametrize("begun", [b"\x1b[", b"\x1b]", b"\x1bP"])
def test_a_sequence_without_an_end_is_given_up(begun: bytes) -> None:
    assert keys_of(begun + b"1" * 1000)[-1] == "1"


def test_a_sequence_that_is_broken_off_swallows_nothing() -> None:
    assert keys_of(b"\x1b[1\x1b[B") == [Key.DOWN]
    assert keys_of(b"\x1b[1\rq") == [Key.ENTER, "q"]
    assert keys_of(b"\x1bO\x1b[B") == [Key.DOWN]


def test_an_escape_waits_for_what_may_follow() -> None:
    decoder = KeyDecoder()
    assert (decoder.feed(b"\x1b"), decoder.is_waiting) == ([], True)
    assert (decoder.feed(b"["), decoder.is_waiting) == ([], True)
    assert (decoder.feed(b"A"), decoder.is_waiting) == ([Key.UP], False)
    assert decoder.feed(b"\x1b") + decoder.flush() == [Key.ESCAPE]
    assert (decoder.is_waiting, decoder.flush()) == (False, [])


PIECES = st.one_of(
    st.binary(max_size=6),
    st.sampled_from([b"\x1b", b"\x1b[", b"\x1bO", b"\x1b[5~", b"\x1b]0;", b"\x07", b"\xe2\x82"]),
)


@given(st.lists(PIECES, max_size=20), st.data())
def test_however_bytes_are_split_the_keys_are_the_same(
    pieces: list[bytes], data: st.DataObject
) -> None:
    sent = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    edges = [0, *cuts, len(sent)]
    split = [sent[start:end] for start, end in itertools.pairwise(edges)]
    keys = keys_of(*split)
    assert keys == keys_of(sent)
    assert all(key in list(Key) or (len(key) == 1 and key.isprintable()) for key in keys)


@given(st.binary(max_size=600))
def test_after_any_bytes_a_key_counts_again(sent: bytes) -> None:
    decoder = KeyDecoder()
    decoder.feed(sent)
    decoder.flush()
    assert decoder.feed(b"q") == ["q"]
