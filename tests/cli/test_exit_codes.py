"""One place turns a fault into words and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest
import typer

from ticks.adapter import errors
from ticks.adapter.redaction import remember
from ticks.cli.exit_codes import ExitCode, exit_code_of, message_for, remedy_of, run_guarded


def raising(error: BaseException) -> object:
    def run(_arguments: Sequence[str]) -> object:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("x"), 2),
        (errors.CredentialsMissingError("x"), 3),
        (errors.TokenRefusedError("x"), 3),
        (errors.UnknownSymbolError("x"), 4),
        (errors.SubscriptionRefusedError("x"), 4),
        (errors.NetworkError("x"), 5),
        (errors.FeedLostError("x"), 5),
        (errors.CertificateError("x"), 5),
        (errors.ProxyError("x"), 5),
        (errors.LoginUnclearError("x"), 5),
        (errors.DiskError("x"), 6),
        (errors.OutputError("x"), 6),
        (errors.RecordingError("x"), 6),
        (errors.PacketError("x", reason="mode"), 1),
        (errors.ReaderLeftError("x"), 0),
    ],
)
def test_each_kind_of_fault_has_its_exit_code(error: errors.TicksError, code: int) -> None:
    assert exit_code_of(error) == code


def test_every_fault_that_can_reach_a_user_has_words_with_its_remedy() -> None:
    words = message_for(errors.OutputError("out.csv: the disk is full", remedy="free some space"))
    assert words == "ticks: out.csv: the disk is full\n  try: free some space"


def test_a_feed_lost_behind_a_proxy_has_the_remedy_of_the_proxy() -> None:
    values = {"proxy": "127.0.0.1:9", "variable": "HTTPS_PROXY"}
    lost = errors.FeedLostError("lost", kind="feed-lost")
    for kind, word in (("unreachable", "--keep-trying"), ("proxy-unreachable", "HTTPS_PROXY")):
        lost.__cause__ = errors.NetworkError("down", kind=kind, **values)
        assert word in remedy_of(lost)


def test_the_remedy_of_a_kind_names_its_values() -> None:
    error = errors.SessionFileError("x", kind="session-file-shared", quoted_path="x")
    assert remedy_of(error) == "run: chmod 600 x"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(24, "Too many open files"), "too many files are open"),
        (MemoryError(), "this machine is out of memory"),
    ],
)
def test_a_limit_of_this_machine_is_never_unexpected(
    error: Exception, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_guarded(raising(error), []) == ExitCode.BROKER
    said = capfd.readouterr().err
    assert said.startswith(f"ticks: {words}\n  try: ")


def test_a_fault_is_reported_on_stderr_without_a_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = run_guarded(raising(errors.NetworkError("nobody answers")), [])
    out, err = capfd.readouterr()
    assert (code, out, err) == (5, "", "ticks: nobody answers\n")


@pytest.mark.parametrize(
    ("arguments", "variable"), [(["stream", "-v"], ""), (["find"], "1"), (["x", "--verbose"], "")]
)
def test_a_traceback_of_the_unexpected_is_for_those_who_ask(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    variable: str,
) -> None:
    monkeypatch.setenv("TICKS_VERBOSE", variable)
    run_guarded(raising(ZeroDivisionError("division by zero")), arguments)
    assert "Traceback" in capfd.readouterr().err
    run_guarded(raising(errors.NetworkError("nobody answers")), arguments)
    assert capfd.readouterr().err == "ticks: nobody answers\n"


def test_v_of_a_command_that_is_run_is_not_ours(capfd: pytest.CaptureFixture[str]) -> None:
    run_guarded(raising(ZeroDivisionError("x")), ["simulate", "--", "cat", "-v"])
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "error",
    [
        errors.ClosedByServerError(1008, "\x1b]0;owned\x07 \x9b31m \u202egnp.exe"),
        errors.OutputError("x", remedy="\x1b[2J"),
        ValueError("\x1b[31m\x00"),
    ],
)
def test_no_escape_of_a_foreign_text_reaches_the_terminal(
    capfd: pytest.CaptureFixture[str], error: Exception
) -> None:
    run_guarded(raising(error), [])
    err = capfd.readouterr().err
    assert all(line.isprintable() for line in err.splitlines())


def test_a_secret_is_masked_in_a_traceback_and_in_an_unexpected_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    remember("feed-token-7")
    cause = ValueError("x-feed-token: feed-token-7")
    error = RuntimeError("handshake failed: x-feed-token: feed-token-7")
    error.__cause__ = cause
    run_guarded(raising(error), ["-v"])
    run_guarded(raising(cause), [])
    shown = capfd.readouterr().err
    assert "feed-token-7" not in shown
    assert shown.count("x-feed-token: ***") == 4


def test_the_unexpected_is_one_line_too(capfd: pytest.CaptureFixture[str]) -> None:
    code = run_guarded(raising(ZeroDivisionError("division by zero")), [])
    err = capfd.readouterr().err
    assert code == ExitCode.UNEXPECTED
    assert "unexpected: ZeroDivisionError: division by zero" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_an_interrupted_command_ends_with_130(error: BaseException) -> None:
    assert run_guarded(raising(error), []) == 130


@pytest.mark.parametrize("code", [0, 4])
def test_an_exit_keeps_its_code(code: int) -> None:
    assert run_guarded(raising(typer.Exit(code)), []) == code


def test_a_reader_that_leaves_a_help_is_a_good_end() -> None:
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(
        [sys.executable, "-m", "ticks.cli", "stream", "--help"],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(write)
    assert (ran.returncode, ran.stderr) == (ExitCode.OK, b"")


def test_a_good_end_is_0() -> None:
    assert run_guarded(lambda _arguments: None, []) == ExitCode.OK


def test_a_stdout_that_cannot_be_written_is_an_output_that_failed() -> None:
    ran = subprocess.run(
        ["sh", "-c", '"$1" -m ticks.cli --version >/dev/full', "sh", sys.executable],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == ExitCode.OUTPUT
    assert ran.stderr.splitlines()[0] == "ticks: stdout cannot be written: No space left on device"


def test_other_faults_of_the_system_stay_unexpected(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_guarded(raising(FileNotFoundError(2, "gone")), []) == ExitCode.UNEXPECTED
    assert "FileNotFoundError" in capfd.readouterr().err
