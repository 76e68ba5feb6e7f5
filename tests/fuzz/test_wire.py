"""Whatever a server sends: it is a value or a named error, and it does not depend on the cuts."""

from __future__ import annotations

import csv
import json
import struct
from datetime import date
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from ticks.adapter.auth.replies import Asked, Call, data_of
from ticks.adapter.auth.tokens import jwt_expires_ns
from ticks.adapter.errors import InstrumentMasterError, PacketError, TicksError
from ticks.adapter.http import Reply
from ticks.adapter.instruments.master import Master
from ticks.adapter.redaction import redacted, shown
from ticks.adapter.rows.format import Csv, Jsonl
from ticks.adapter.simulator.requests import RequestRefusedError, parse_request
from ticks.adapter.tick import Mode
from ticks.adapter.wire.frames import FrameReader, Opcode, ProtocolError, encode_frame
from ticks.adapter.wire.packet import decode_packet, malformed_reason
from ticks.adapter.wire.subscription import parse_error

from .strangers import json_texts, mutated

FRAMES = b"".join(
    (
        encode_frame(Opcode.BINARY, b"x" * 51),
        encode_frame(Opcode.TEXT, b"pong"),
        encode_frame(Opcode.BINARY, b"first", fin=False),
        encode_frame(Opcode.PING, b"in between"),
        encode_frame(Opcode.CONTINUATION, b"last"),
        encode_frame(Opcode.BINARY, b"y" * 300),
        encode_frame(Opcode.CLOSE, b"\x03\xe8bye"),
    )
)


def read_in(pieces: list[bytes]) -> tuple[list[bytes], list[object]]:
    reader, messages, signals = FrameReader(), [], []
    for piece in pieces:
        of_piece = reader.read(piece)
        messages += of_piece[0]
        signals += of_piece[1]
    return messages, [
        (type(each), each.close_code) if isinstance(each, ProtocolError) else each
        for each in signals
    ]


@given(st.one_of(st.binary(), mutated(FRAMES)), st.lists(st.integers(0, 600), max_size=8))
def test_frames_mean_the_same_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[a:b] for a, b in pairwise(places)]
    whole, by_pieces = read_in([data]), read_in(pieces)
    assert whole == by_pieces == read_in([data[at : at + 1] for at in range(len(data))])
    assert not any(isinstance(each, ProtocolError) for each in whole[1][:-1]), "the last there is"


QUOTE = struct.pack("<BB25sqqq", 2, 1, b"2885", 7, 1_763_609_400_000, 140_210) + struct.pack(
    "<qqqddqqqq", 1, 140_000, 5, 1.0, 2.0, 1, 2, 3, 4
)
PACKETS = st.one_of(st.binary(max_size=450), mutated(QUOTE), mutated(QUOTE + bytes(256)))


@given(PACKETS)
def test_a_packet_is_a_tick_or_malformed_and_a_tick_has_its_rows(packet: bytes) -> None:
    reason = malformed_reason(packet)
    try:
        tick = decode_packet(packet)
    except PacketError as error:
        assert error.reason
        return
    assert reason is None
    assert str(tick.to_row())
    for row_format in (Csv(Mode(packet[0])), Jsonl()):
        encoder = row_format.encoder({})
        line = encoder.encode(1_763_609_400_123_456_789, [packet])
        assert line.endswith(b"\n")
        text = line.decode()
        assert (
            len([*csv.reader([text])] if isinstance(row_format, Csv) else [json.loads(text)]) == 1
        )


@given(json_texts(["correlationID", "errorCode", "errorMessage"]))
def test_a_text_frame_is_an_error_of_texts_or_none(text: str) -> None:
    error = parse_error(text)
    assert error is None or all(isinstance(part, str) for part in error)
    if error is not None:
        assert len(shown(error.error_message)) <= 200


@given(
    st.sampled_from(Call),
    st.integers(100, 599),
    json_texts(["status", "message", "errorcode", "data", "jwtToken", "feedToken", "refreshToken"]),
)
def test_a_reply_is_data_or_a_named_error(call: Call, status: int, text: str) -> None:
    reply = Reply(status=status, body=text.encode("utf-8", "surrogatepass"), reason="?")
    try:
        data = data_of(reply, Asked(call, "https://rest.example", 1e300))
    except TicksError as error:
        assert error.message
        assert all(letter.isprintable() for letter in error.message)
    else:
        assert all(isinstance(data[name], str) for name in call.wanted)


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_a_token_has_an_end_or_none(token: str) -> None:
    ends_ns = jwt_expires_ns(token)
    assert ends_ns is None or isinstance(ends_ns, int)


RECORD = (
    b'[{"token":"2885","symbol":"RELIANCE-EQ","name":"RELIANCE","expiry":"28OCT2025",'
    b'"strike":"-1.000000","lotsize":"1","instrumenttype":"","exch_seg":"NSE",'
    b'"tick_size":"5.000000"}]'
)


@given(
    st.one_of(
        mutated(RECORD),
        json_texts(["token", "symbol", "exch_seg", "expiry", "strike"]).map(
            lambda text: text.encode("utf-8", "surrogatepass")
        ),
    )
)
def test_a_master_gives_rows_that_fit_or_is_refused(body: bytes) -> None:
    try:
        rows = list(Master(body).rows())
    except InstrumentMasterError as error:
        assert error.message
        return
    for row in rows:
        assert all(abs(value) < 1 << 63 for value in row if isinstance(value, int))
        if row[5]:
            date.fromisoformat(row[5])
        for text in row:
            assert not isinstance(text, str) or isinstance(text.encode(), bytes)  # SQLite's need


@given(json_texts(["correlationID", "action", "params", "mode", "tokenList", "tokens"]))
def test_a_request_to_the_simulator_is_read_or_refused(text: str) -> None:
    try:
        parse_request(text)
    except RequestRefusedError as refused:
        assert refused.text


@given(st.text())
@example("Bearer " + "x" * 10_000)
def test_redaction_takes_any_text(text: str) -> None:
    assert isinstance(redacted(text), str)
    assert all(letter.isprintable() for letter in shown(text))
