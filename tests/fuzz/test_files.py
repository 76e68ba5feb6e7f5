"""Whatever lies on the disk: it is read, or refused by name, and nothing waits."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticks.adapter.aliases_table import aliases_of
from ticks.adapter.auth.session_store import SessionStore
from ticks.adapter.auth.tokens import Session
from ticks.adapter.control_messages import read_reply, read_request
from ticks.adapter.errors import RecordingError, TicksError, UsageError
from ticks.adapter.events import read_event
from ticks.adapter.files.append import repair
from ticks.adapter.files.gzipped import repair_gzip
from ticks.adapter.files.recording import read_recording
from ticks.adapter.history import event_facts
from ticks.adapter.instruments.watch_list import read_watch_list
from ticks.adapter.market_table import calendar_of
from ticks.adapter.rows.candle_text import CandleFormat, CsvCandles, JsonCandles
from ticks.adapter.rows.candles import Candle
from ticks.adapter.rows.format import Csv, Jsonl, JsonLines, RowFormat
from ticks.adapter.status_file import running_streams
from ticks.adapter.tick import Mode
from ticks.cli.options.config_file import ConfigFile, defaults_of
from ticks.cli.registry import load

from .strangers import json_texts, mutated

DATA = Path(__file__).parents[1] / "data" / "demo-minute"
RECORDINGS = [(DATA / name).read_bytes()[:3_000] for name in ("quote.csv", "snap.jsonl", "ltp.csv")]
EVENTS = (DATA / "events.jsonl").read_bytes()
FIXTURE_IS_A_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@FIXTURE_IS_A_FOLDER
@given(st.sampled_from(RECORDINGS).flatmap(mutated), st.booleans())
def test_a_recording_gives_good_rows_and_names_its_damage(
    tmp_path: Path, content: bytes, is_packed: bool
) -> None:
    path = tmp_path / "recording"
    path.write_bytes(gzip.compress(content) if is_packed else content)
    damage: list[str] = []
    try:
        for row in read_recording(path, on_damage=lambda *told: damage.append(told[2])):
            assert isinstance(row.packet, bytes)
            assert isinstance(row.received_ns, int)
    except RecordingError as error:
        assert error.message
    assert all(damage)


@FIXTURE_IS_A_FOLDER
@given(st.sampled_from(RECORDINGS).flatmap(lambda good: mutated(gzip.compress(good))))
def test_a_packed_recording_is_read_as_far_as_it_goes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "recording.gz"
    path.write_bytes(content)
    try:
        list(read_recording(path, on_damage=lambda *_told: None))
    except RecordingError as error:
        assert error.message


CANDLES = (CsvCandles(), JsonCandles())
FORMATS: tuple[RowFormat, ...] = (Csv(Mode.QUOTE), Jsonl(), JsonLines(b'{"at":'), *CANDLES)


@FIXTURE_IS_A_FOLDER
@given(
    st.sampled_from([*RECORDINGS, EVENTS, b""]).flatmap(mutated),
    st.sampled_from(FORMATS),
    st.booleans(),
)
def test_a_file_to_append_to_is_repaired_or_refused_unharmed(
    tmp_path: Path, content: bytes, row_format: RowFormat, is_packed: bool
) -> None:
    path = tmp_path / "output"
    if is_packed:
        content = gzip.compress(content)[: len(content)]
    path.write_bytes(content)
    fd = os.open(path, os.O_RDWR | os.O_APPEND)
    notes: list[str] = []
    mend: Callable[..., bool] = repair_gzip if is_packed else repair
    try:
        mend(fd, str(path), row_format, notes.append)
    except (TicksError, OSError):
        assert path.read_bytes() == content, "what is refused stays as it is"
    else:
        assert is_packed or path.read_bytes() == content[: path.stat().st_size]
    finally:
        os.close(fd)


A_CANDLE = Candle(1_763_609_400_000, 1, "2885", "RELIANCE-EQ", 1, 3, 1, 2, 100, 5, 0)


@given(
    st.sampled_from(CANDLES).flatmap(
        lambda form: st.tuples(st.just(form), mutated(form.text([A_CANDLE])))
    )
)
def test_a_row_of_candles_is_one_or_is_refused(given: tuple[CandleFormat, bytes]) -> None:
    candles, line = given
    for read in (candles.candle, candles.place):
        try:
            read(line)
        except RecordingError as error:
            assert error.message


@FIXTURE_IS_A_FOLDER
@given(
    st.one_of(
        mutated(
            json.dumps(
                {
                    "rest_url": "https://rest.example",
                    "client_code": "A1",
                    "api_key": "key",
                    "jwt_token": "jwt",
                    "feed_token": "feed",
                    "refresh_token": "",
                    "issued_ns": 1,
                }
            ).encode()
        ),
        json_texts(["rest_url", "client_code", "api_key", "jwt_token", "issued_ns"]).map(
            lambda text: text.encode("utf-8", "surrogatepass")
        ),
    )
)
def test_a_session_file_is_a_session_or_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session.json"
    path.write_bytes(content)
    path.chmod(0o600)
    session = SessionStore(path, "https://rest.example").read()
    assert session is None or isinstance(session, Session)
    if session is not None:
        assert session.expires_ns
        session.is_valid(1 << 62)


@FIXTURE_IS_A_FOLDER
@given(json_texts(["at", "phase", "connections", "ticks", "events", "event", "outputs"]))
def test_a_status_file_is_a_stream_with_or_without_figures(tmp_path: Path, text: str) -> None:
    (tmp_path / f"{os.getpid()}.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    [stream] = running_streams(tmp_path, 0.0)
    assert stream.pid == os.getpid()


@given(
    st.one_of(
        st.sampled_from(EVENTS.splitlines()).flatmap(mutated),
        json_texts(["at", "connection", "event", "blind_s", "attempt"]).map(
            lambda text: text.encode("utf-8", "surrogatepass")
        ),
    )
)
def test_a_line_of_events_is_an_event_or_refused(line: bytes) -> None:
    text = line.decode("utf-8", "replace")
    for read, given_line in ((read_event, text), (event_facts, line)):
        try:
            read(given_line)  # type: ignore[operator]
        except ValueError as error:
            assert str(error)


TOML = b"""\
[stream]
silence-after = "45s"
max-attempts = 5
keep-trying = true
mode = "snap"
from = ["watch.txt"]
[market]
holidays = ["2026-11-09"]
NSE = "09:15-15:30"
[aliases]
bn = "BANKNIFTY"
"""
COMMANDS = ("stream", "health", "replay", "simulate", "find", "login", "inspect", "status")


@FIXTURE_IS_A_FOLDER
@given(st.one_of(mutated(TOML), st.binary(max_size=60)), st.sampled_from(COMMANDS))
def test_a_config_file_is_read_or_refused_with_a_reason(
    tmp_path: Path, content: bytes, name: str
) -> None:
    (tmp_path / "config.toml").write_bytes(content)
    environ = {"TICKS_HOME": str(tmp_path)}
    try:
        file = ConfigFile.of(environ)
        calendar_of(file)
        aliases_of(file)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TICKS_HOME", str(tmp_path))
            command = load(name)
            defaults_of(
                command, command.make_context(name, ["--help-is-not-asked"], resilient_parsing=True)
            )
    except UsageError as error:
        assert error.message


@given(st.one_of(st.binary(), st.text().map(lambda text: text.encode("utf-16", "surrogatepass"))))
def test_a_watch_list_is_read_or_refused(content: bytes) -> None:
    try:
        entries = read_watch_list(content)
    except TicksError as error:
        assert error.message
    else:
        assert all(entry for entry in entries)


@given(json_texts(["stop", "add", "drop", "symbols", "error", "kind", "type"]))
def test_a_message_between_streams_is_read_or_refused(text: str) -> None:
    line = text.encode("utf-8", "surrogatepass")
    for read in (read_request, read_reply):
        try:
            read(line)
        except (ValueError, TicksError) as error:
            assert str(error)
