"""RFC 6455 frames: each rule by hand, and random streams against websocket-client's own parser."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websocket import ABNF
from websocket._abnf import continuous_frame, frame_buffer

from ticks.adapter.errors import ProtocolError
from ticks.adapter.wire.frames import (
    Close,
    ControlFrame,
    FrameReader,
    Opcode,
    Ping,
    Pong,
    Text,
    encode_close,
    encode_frame,
)

BINARY = encode_frame(Opcode.BINARY, b"before")


def violation(data: bytes, *, max_message_bytes: int = 65536) -> ProtocolError:
    """The violation that `data` is, told as such however the bytes are cut."""
    whole = FrameReader(max_message_bytes=max_message_bytes)
    messages, signals = whole.read(BINARY + data + BINARY)
    assert messages == [b"before"]
    [error] = signals
    assert isinstance(error, ProtocolError)
    cut = FrameReader(max_message_bytes=max_message_bytes)
    assert comparable(read_in_pieces(cut, [bytes([b]) for b in BINARY + data + BINARY])) == (
        messages,
        [str(error)],
    )
    return error


def read_in_pieces(
    reader: FrameReader, pieces: list[bytes]
) -> tuple[list[bytes], list[ControlFrame]]:
    messages: list[bytes] = []
    signals: list[ControlFrame] = []
    for piece in pieces:
        more_messages, more_signals = reader.read(piece)
        messages += more_messages
        signals += more_signals
    return messages, signals


def comparable(result: tuple[list[bytes], list[ControlFrame]]) -> tuple[list[bytes], list[object]]:
    messages, signals = result
    return messages, [str(s) if isinstance(s, ProtocolError) else s for s in signals]


# --- what a server may send ----------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 51, 125, 126, 127, 379, 443, 65535, 65536])
def test_a_binary_message_of_every_length_class_comes_back_as_bytes(size: int) -> None:
    message = bytes(i % 251 for i in range(size))
    messages, signals = FrameReader().read(encode_frame(Opcode.BINARY, message))
    assert (messages, signals) == ([message], [])
    assert type(messages[0]) is bytes


def test_text_ping_pong_and_close_come_in_order_among_the_messages() -> None:
    data = (
        encode_frame(Opcode.TEXT, b"pong")
        + encode_frame(Opcode.BINARY, b"1")
        + encode_frame(Opcode.PING, b"you?")
        + encode_frame(Opcode.BINARY, b"2")
        + encode_frame(Opcode.PONG, b"")
        + encode_close(1001, "märket closed")
    )
    assert FrameReader().read(data) == (
        [b"1", b"2"],
        [Text("pong"), Ping(b"you?"), Pong(b""), Close(1001, "märket closed")],
    )


def test_a_ping_is_neither_a_pong_nor_a_text() -> None:
    assert Ping(b"") != Pong(b"")


def test_fragments_become_one_message_with_control_frames_between_them() -> None:
    data = (
        encode_frame(Opcode.BINARY, b"one ", fin=False)
        + encode_frame(Opcode.PING, b"!")
        + encode_frame(Opcode.CONTINUATION, b"", fin=False)
        + encode_frame(Opcode.CONTINUATION, b"message")
        + encode_frame(Opcode.TEXT, b"gr", fin=False)
        + encode_frame(Opcode.CONTINUATION, "ün".encode()[:2], fin=False)
        + encode_frame(Opcode.CONTINUATION, "ün".encode()[2:])
        + encode_frame(Opcode.BINARY, b"another")
    )
    assert FrameReader().read(data) == (
        [b"one message", b"another"],
        [Ping(b"!"), Text("grün")],
    )


def test_text_may_be_cut_inside_a_character() -> None:
    first, second = "₹".encode()[:1], "₹".encode()[1:]
    data = encode_frame(Opcode.TEXT, first, fin=False) + encode_frame(Opcode.CONTINUATION, second)
    assert FrameReader().read(data) == ([], [Text("₹")])


def test_the_beginning_of_a_frame_is_unread_until_its_rest_comes() -> None:
    reader = FrameReader()
    frame = encode_frame(Opcode.BINARY, b"x" * 379)
    assert reader.read(BINARY + frame[:100]) == ([b"before"], [])
    assert reader.unread == frame[:100]
    assert reader.read(frame[100:]) == ([b"x" * 379], [])
    assert reader.unread == b""


def test_a_close_without_a_code_has_none() -> None:
    assert FrameReader().read(encode_frame(Opcode.CLOSE, b"")) == ([], [Close(None, "")])


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999]
)
def test_a_legal_close_code_is_reported(code: int) -> None:
    assert FrameReader().read(encode_close(code)) == ([], [Close(code, "")])


def test_nothing_counts_after_a_close() -> None:
    reader = FrameReader()
    assert reader.read(BINARY + encode_close(1000) + BINARY) == ([b"before"], [Close(1000, "")])
    assert reader.read(BINARY) == ([], [])
    assert reader.unread == b""


# --- what it must not ----------------------------------------------------------------------------


@pytest.mark.parametrize("bit", [0x10, 0x20, 0x40])
@pytest.mark.parametrize("opcode", list(Opcode))
def test_a_reserved_bit_is_refused(bit: int, opcode: Opcode) -> None:
    assert violation(bytes([0x80 | bit | opcode, 0])).close_code == 1002


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF])
@pytest.mark.parametrize("fin", [0, 0x80])
def test_a_reserved_opcode_is_refused(opcode: int, fin: int) -> None:
    assert violation(bytes([fin | opcode, 0])).close_code == 1002


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.CLOSE])
@pytest.mark.parametrize("size", [0, 5, 125])
def test_a_masked_frame_of_the_server_is_refused(opcode: Opcode, size: int) -> None:
    assert violation(encode_frame(opcode, b"x" * size, mask=b"mask")).close_code == 1002


@pytest.mark.parametrize("opcode", [Opcode.CLOSE, Opcode.PING, Opcode.PONG])
def test_a_fragmented_control_frame_is_refused(opcode: Opcode) -> None:
    assert violation(bytes([opcode, 0])).close_code == 1002


@pytest.mark.parametrize("opcode", [Opcode.CLOSE, Opcode.PING, Opcode.PONG])
@pytest.mark.parametrize("length", [struct.pack(">BH", 126, 126), struct.pack(">BQ", 127, 65536)])
def test_a_control_frame_over_125_bytes_is_refused(opcode: Opcode, length: bytes) -> None:
    assert violation(bytes([0x80 | opcode]) + length).close_code == 1002


def test_a_continuation_of_nothing_is_refused() -> None:
    assert violation(encode_frame(Opcode.CONTINUATION, b"x")).close_code == 1002
    ended = encode_frame(Opcode.TEXT, b"", fin=False) + encode_frame(Opcode.CONTINUATION, b"")
    reader = FrameReader()
    assert reader.read(ended) == ([], [Text("")])
    [error] = reader.read(encode_frame(Opcode.CONTINUATION, b""))[1]
    assert isinstance(error, ProtocolError)
    assert error.close_code == 1002


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
@pytest.mark.parametrize("fin", [True, False])
def test_a_new_message_inside_a_fragmented_one_is_refused(opcode: Opcode, fin: bool) -> None:
    started = encode_frame(Opcode.BINARY, b"a", fin=False)
    assert violation(started + encode_frame(opcode, b"b", fin=fin)).close_code == 1002


@pytest.mark.parametrize(
    "length",
    [
        *(struct.pack(">BH", 126, size) for size in (0, 125)),
        *(struct.pack(">BQ", 127, size) for size in (0, 125, 126, 65535)),
    ],
)
def test_a_length_in_more_bytes_than_it_needs_is_refused(length: bytes) -> None:
    error = violation(bytes([0x82]) + length)
    assert (error.close_code, "more bytes than it needs" in error.message) == (1002, True)


def test_a_length_with_its_highest_bit_set_is_refused() -> None:
    error = violation(bytes([0x82]) + struct.pack(">BQ", 127, 1 << 63))
    assert (error.close_code, "highest bit" in error.message) == (1002, True)


def test_half_a_close_code_is_refused() -> None:
    error = violation(encode_frame(Opcode.CLOSE, b"\x03"))
    assert (error.close_code, "half a code" in error.message) == (1002, True)


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
def test_a_close_code_that_must_not_be_sent_is_refused(code: int) -> None:
    assert violation(encode_close(code)).close_code == 1002


@pytest.mark.parametrize("payload", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", "₹".encode()[:2]])
def test_text_that_is_not_utf8_is_refused(payload: bytes) -> None:
    assert violation(encode_frame(Opcode.TEXT, payload)).close_code == 1007
    fragments = encode_frame(Opcode.TEXT, payload, fin=False)
    assert violation(fragments + encode_frame(Opcode.CONTINUATION, b"")).close_code == 1007
    reason = encode_frame(Opcode.CLOSE, b"\x03\xe8" + payload)
    assert violation(reason).close_code == 1007


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xf2\x00", "reserved bits are set in the header byte 0xf2"),
        (b"\x83\x00", "opcode 0x3 is reserved"),
        (b"\x82\x80mask", "the server masked a frame"),
        (b"\x09\x00", "a control frame is fragmented"),
        (b"\x89\x7e\x00\x7e", "a control frame is longer than 125 bytes"),
        (b"\x80\x00", "a continuation of no message"),
        (b"\x02\x00\x82\x00", "a new message inside a fragmented one"),
        (b"\x82\x7e\x00\x05", "the length 5 is written in more bytes than it needs"),
        (b"\x82\x7f" + b"\xff" * 8, "a length with its highest bit set"),
        (b"\x81\x01\xff", "a text message is not UTF-8"),
        (b"\x88\x01\x03", "a close frame with half a code"),
        (b"\x88\x02\x03\xed", "close code 1005 must not be sent"),
        (b"\x88\x03\x03\xe8\xff", "the reason of a close frame is not UTF-8"),
    ],
)
def test_a_violation_is_named(data: bytes, words: str) -> None:
    assert violation(data).message == words


def test_a_message_over_64_kib_is_refused_with_its_size_and_the_limit() -> None:
    _, [error] = FrameReader().read(
        bytes([2, 1]) + b"x" + encode_frame(Opcode.CONTINUATION, bytes(65_536))
    )
    assert isinstance(error, ProtocolError)
    assert error.message == "a message of 65537 bytes or more, over the limit of 65536"


@pytest.mark.parametrize("opcode", [Opcode.CLOSE, Opcode.PING, Opcode.PONG])
def test_a_control_frame_that_nobody_may_send_is_not_made(opcode: Opcode) -> None:
    assert len(encode_frame(opcode, bytes(125))) == 127
    for payload, fin in [(bytes(126), True), (b"", False)]:
        with pytest.raises(ValueError, match="a control frame of"):
            encode_frame(opcode, payload, fin=fin)


@pytest.mark.parametrize("limit", [10, 125, 126, 379, 65535, 65536])
def test_a_message_at_the_limit_passes_and_one_byte_more_is_refused(limit: int) -> None:
    frame = encode_frame(Opcode.BINARY, b"x" * limit)
    reader = FrameReader(max_message_bytes=limit)
    assert reader.read(frame + frame) == ([b"x" * limit] * 2, [])
    over = encode_frame(Opcode.BINARY, b"x" * (limit + 1))
    for data in (over, over[: -limit - 1]):  # whole, and only its header
        messages, [error] = FrameReader(max_message_bytes=limit).read(data)
        assert isinstance(error, ProtocolError)
        assert (messages, error.close_code) == ([], 1009)


def test_an_oversize_message_is_refused_before_a_byte_of_it_is_kept() -> None:
    reader = FrameReader()
    [error] = reader.read(bytes([0x82]) + struct.pack(">BQ", 127, (1 << 63) - 1))[1]
    assert isinstance(error, ProtocolError)
    assert (error.close_code, reader.unread) == (1009, b"")


def test_fragments_count_together_against_the_limit() -> None:
    start = encode_frame(Opcode.TEXT, b"x" * 60, fin=False)
    more = encode_frame(Opcode.CONTINUATION, b"x" * 40, fin=False)
    reader = FrameReader(max_message_bytes=100)
    assert reader.read(start + more + encode_frame(Opcode.PING, b"p" * 125)) == (
        [],
        [Ping(b"p" * 125)],
    )
    [error] = reader.read(bytes([Opcode.CONTINUATION, 1]))[1]
    assert isinstance(error, ProtocolError)
    assert error.close_code == 1009


def test_a_message_may_be_long_again_after_a_fragmented_one() -> None:
    reader = FrameReader(max_message_bytes=10)
    fragmented = encode_frame(Opcode.BINARY, b"x" * 6, fin=False) + encode_frame(
        Opcode.CONTINUATION, b"y" * 4
    )
    messages, signals = reader.read(fragmented * 3)
    assert (messages, signals) == ([b"xxxxxxyyyy"] * 3, [])


def test_a_reader_that_met_a_violation_stays_finished() -> None:
    reader = FrameReader()
    messages, signals = reader.read(BINARY + b"\xf2\x00" + BINARY)
    assert (messages, len(signals)) == ([b"before"], 1)
    assert reader.read(BINARY) == ([], [])
    assert reader.unread == b""


def test_a_violation_keeps_no_bytes_alive() -> None:
    [error] = FrameReader().read(b"\xf2\x00")[1]
    assert isinstance(error, ProtocolError)
    assert error.__traceback__ is None


# --- random streams ------------------------------------------------------------------------------

PAYLOAD_SIZES = st.one_of(
    st.sampled_from([0, 1, 51, 123, 125, 126, 127, 379, 65535, 65536]), st.integers(0, 600)
)
CONTROL = st.tuples(
    st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=125), st.just(True)
)
Frame = tuple[Opcode, bytes, bool]


@st.composite
def data_messages(draw: st.DrawFn) -> list[Frame]:
    """The frames of one text or binary message, whole or in fragments."""
    if draw(st.booleans()):
        return [(Opcode.BINARY, bytes([draw(st.integers(0, 255))]) * draw(PAYLOAD_SIZES), True)]
    opcode = draw(st.sampled_from([Opcode.TEXT, Opcode.BINARY]))
    text = draw(st.text(max_size=60)).encode()
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    frames: list[Frame] = []
    for i, part in enumerate(parts):
        frames.append((opcode if i == 0 else Opcode.CONTINUATION, part, i == len(parts) - 1))
        frames += draw(st.lists(CONTROL, max_size=1))
    return frames


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """What a server may send: messages, control frames inside them, perhaps a close."""
    messages = draw(st.lists(st.one_of(data_messages(), CONTROL.map(lambda f: [f])), max_size=8))
    data = b"".join(
        encode_frame(opcode, payload, fin=fin)
        for frames in messages
        for opcode, payload, fin in frames
    )
    close = st.one_of(
        st.just(b""),
        st.builds(encode_close, st.sampled_from([1000, 1008, 3000]), st.text(max_size=30)),
    )
    return data + draw(close)


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    """`data` in pieces; every cut lies somewhere in it, wherever the number points."""
    places = sorted(cut % (len(data) + 1) for cut in cuts)
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def read_by_websocket_client(data: bytes) -> tuple[list[bytes], list[ControlFrame]]:
    """What websocket-client's own parser makes of the same bytes."""
    source = memoryview(data)

    def recv(size: int) -> bytes:
        nonlocal source
        piece, source = bytes(source[:size]), source[size:]
        if not piece:
            raise EOFError
        return piece

    buffer, fragments = frame_buffer(recv, False), continuous_frame(False, False)
    messages: list[bytes] = []
    signals: list[ControlFrame] = []
    try:
        while True:
            frame = buffer.recv_frame()
            if frame.opcode == ABNF.OPCODE_PING:
                signals.append(Ping(frame.data))
            elif frame.opcode == ABNF.OPCODE_PONG:
                signals.append(Pong(frame.data))
            elif frame.opcode == ABNF.OPCODE_CLOSE:
                code = int.from_bytes(frame.data[:2], "big")
                signals.append(Close(code, frame.data[2:].decode()))
            else:
                fragments.validate(frame)
                fragments.add(frame)
                if not fragments.is_fire(frame):
                    continue
                opcode, whole = fragments.extract(frame)
                if opcode == ABNF.OPCODE_TEXT:
                    signals.append(Text(whole.data.decode()))
                else:
                    messages.append(whole.data)
    except EOFError:
        return messages, signals


@given(streams(), st.lists(st.integers(0, 10**6), max_size=12))
def test_a_stream_reads_the_same_wherever_it_is_cut_and_as_websocket_client_reads_it(
    data: bytes, cuts: list[int]
) -> None:
    whole = FrameReader().read(data)
    assert whole == read_by_websocket_client(data)
    assert read_in_pieces(FrameReader(), pieces_of(data, cuts)) == whole


@given(st.lists(st.integers(0, 10**6), max_size=8), st.binary(max_size=400), streams())
def test_any_bytes_read_the_same_wherever_they_are_cut_and_never_raise(
    cuts: list[int], noise: bytes, data: bytes
) -> None:
    for stream in (noise, data + noise):
        whole = FrameReader(max_message_bytes=1000)
        result = comparable(whole.read(stream))
        in_pieces = read_in_pieces(FrameReader(max_message_bytes=1000), pieces_of(stream, cuts))
        assert comparable(in_pieces) == result
        assert all(isinstance(s, (Text, Ping, Pong)) for s in result[1][:-1])
        assert len(whole.unread) < 1000 + 14


# --- writing -------------------------------------------------------------------------------------


@given(
    st.sampled_from(list(Opcode)),
    PAYLOAD_SIZES,
    st.binary(min_size=4, max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_a_frame_is_written_as_websocket_client_writes_it(
    opcode: Opcode, size: int, mask: bytes, is_masked: bool, fin: bool
) -> None:
    if opcode >= Opcode.CLOSE:
        size, fin = min(size, 125), True
    payload = bytes(i * 7 % 256 for i in range(size))
    theirs = ABNF(int(fin), 0, 0, 0, opcode, int(is_masked), payload)
    theirs.get_mask_key = lambda _size: mask
    ours = encode_frame(opcode, payload, mask=mask if is_masked else None, fin=fin)
    assert ours == theirs.format()


def test_a_close_carries_its_code_and_reason_masked_or_not() -> None:
    assert encode_close(1000, "bye") == b"\x88\x05\x03\xe8bye"
    assert encode_close(1000, mask=b"\x01\x01\x01\x01") == b"\x88\x82\x01\x01\x01\x01\x02\xe9"


@pytest.mark.parametrize(
    ("payload", "mask", "fin"),
    [(b"x" * 126, None, True), (b"", None, False), (b"x", b"abc", True)],
)
def test_what_no_frame_can_be_is_not_written(payload: bytes, mask: bytes | None, fin: bool) -> None:
    with pytest.raises(ValueError, match="bytes"):
        encode_frame(Opcode.PING, payload, mask=mask, fin=fin)
