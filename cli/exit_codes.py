"""The one place that turns an error into an exit code, words and a remedy.

What a user reads: what happened, which value was involved, what to do next. A traceback is shown
with `-v` only, and never for an error that explains itself. Everything shown passes `printable`: a
message may quote a server, a file or a folder.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from enum import IntEnum
from itertools import takewhile

import typer

from ..adapter.errors import (
    BrokerError,
    DiskError,
    LocalFaultError,
    OutputError,
    PortTakenError,
    ReaderLeftError,
    RecordingError,
    SessionError,
    SymbolError,
    TicksError,
    UsageError,
)
from ..adapter.limits import limit_of
from ..adapter.redaction import redacted
from .printable import printable


class ExitCode(IntEnum):
    """How a command ended, for supervisors and scripts."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    SESSION = 3
    SYMBOL = 4
    BROKER = 5
    OUTPUT = 6
    INTERRUPTED = 130


_CODES: tuple[tuple[type[TicksError], ExitCode], ...] = (
    (ReaderLeftError, ExitCode.OK),
    (UsageError, ExitCode.USAGE),
    (SessionError, ExitCode.SESSION),
    (SymbolError, ExitCode.SYMBOL),
    (BrokerError, ExitCode.BROKER),
    (DiskError, ExitCode.OUTPUT),
    (PortTakenError, ExitCode.OUTPUT),
    (LocalFaultError, ExitCode.BROKER),
    (OutputError, ExitCode.OUTPUT),
    (RecordingError, ExitCode.OUTPUT),
)

_CHECK_ADDRESS = (
    "check the TICKS_..._URL variables, and that no proxy or captive portal answers instead"
)

REMEDIES: dict[str, str] = {
    # --- config, paths, urls, http, proxy
    "config-unreadable": "make it a file that you may read",
    "config-encoding": "save the file as UTF-8",
    "config-invalid": "fix it; `ticks config` checks the whole file",
    "config-not-a-file": "write the settings into a file",
    "config-too-large": "keep settings there, and symbols in a watch list: from = [FILE]",
    "config-secret": "delete it there, and set TICKS_API_KEY, TICKS_PIN, TICKS_TOTP_SECRET",
    "no-symbol": "name one, such as NIFTY",
    "bad-mode": "use ltp, quote or snap; the broker withdrew mode 4 (depth) on 2025-04-25",
    "buffer-limit": "give it at least 1",
    "home-user": "write the full path",
    "home-folder": "name a folder, or unset it",
    "url": "write it as {scheme}://host[:port]/path",
    "url-secret": "leave that part out: secrets never belong in an address",
    "url-plain": "use {scheme}://; {plain}:// is for this machine only",
    "unreachable": "check the network, and the TICKS_..._URL variables if set",
    "certificate": "if your network inspects TLS, add its certificate to the system's trust store"
    " or name it in SSL_CERT_FILE; check the address and this machine's clock too",
    "not-http": _CHECK_ADDRESS,
    "reply-gzip": _CHECK_ADDRESS,
    "reply-too-large": _CHECK_ADDRESS,
    "proxy-value": "write the proxy as http://user:password@host:port, with special characters"
    " percent-encoded (# is %23), or unset it",
    "proxy-scheme": "name an HTTP proxy (http://host:port) or unset it; NO_PROXY lists hosts that"
    " are reached without a proxy",
    "proxy-unreachable": "check {variable} and that the proxy is running; NO_PROXY lists hosts that"
    " are reached without a proxy",
    "proxy-foreign": "check the host and port in {variable}: it must be an HTTP proxy",
    "proxy-password": "write user name and password into {variable}:"
    " http://user:password@{proxy}, special characters percent-encoded",
    "proxy-authentication": "have the proxy accept Basic, or name a local one in {variable} that"
    " logs in there for you; NO_PROXY lists hosts that are reached without a proxy",
    "proxy-refused": "have the proxy allow the broker's hosts, or list them in NO_PROXY",
    "proxy-target": "the proxy answers; check the network behind it, or try again in a minute",
    # --- auth: session, login, REST
    "not-smartapi": _CHECK_ADDRESS,
    "credentials-missing": "set what is missing, or run on a terminal: ticks login",
    "broker-busy": "try again in a minute",
    "call-refused": "try again in a minute; if that fails too, run: ticks login",
    "rate-limit": "wait at least a minute before the next try",
    "login-paused": "wait {wait_s} s before the next try",
    "firewall": "try again in a minute; if that fails too, try from another network",
    "api-key-refused": "check TICKS_API_KEY against the app's key at smartapi.angelone.in",
    "login-refused": "check TICKS_CLIENT_CODE and TICKS_PIN: the PIN is the four-digit one of the"
    " Angel One app, not the web password",
    "login-unclear": "check TICKS_REST_URL and that no proxy or captive portal answers instead,"
    " then run: ticks login",
    "totp-refused": "check TICKS_TOTP_SECRET and this machine's clock",
    "totp-clock": "set this machine's clock (turn time synchronisation on), then log in again",
    "totp-secret": "set TICKS_TOTP_SECRET to the text shown next to the QR code at"
    " smartapi.angelone.in/enable-totp, not to a six-digit code",
    "no-session": "run: ticks login",
    "session-over": "run: ticks login",
    "session-of-another": "run: ticks login --client-code {client_code}",
    "session-file-shared": "run: chmod 600 {quoted_path}",
    "session-file-unreadable": "move it away or fix its permissions, then run: ticks login",
    "session-file-type": "move it away, then run: ticks login",
    "session-file-undeletable": "delete it by hand: it holds tokens",
    "session-not-saved": "make the folder writable, or set TICKS_HOME to one that is",
    "sdk-missing": "run: pip install smartapi-python==1.5.5",
    "no-session-no-credentials": "set them, or run: ticks login",
    "session-only-saved": "set them, or log in again each morning: ticks login",
    # --- instruments: names, master, index
    "symbol-empty": "type a name, such as NIFTY or NSE:SBIN",
    "symbol-too-long": "shorten it",
    "symbol-unknown": "look for it with `ticks find TEXT`",
    "symbol-isin": "look for the symbol with `ticks find TEXT`",
    "symbol-merged": "name the new company",
    "symbol-ambiguous": "name one of them; `ticks find TEXT` lists all",
    "symbol-split": "name one of them",
    "symbol-expired": "name a contract that has not expired; `ticks find TEXT` lists them",
    "contracts-unlisted": "look for it with `ticks find TEXT`",
    "right-unlisted": "name one of them; `ticks find TEXT` lists all",
    "expiry-unlisted": "name one of them; `ticks find TEXT` lists all",
    "strike-unlisted": "name one of them; `ticks find TEXT` lists all",
    "names-unresolved": "look for each with `ticks find TEXT`",
    "names-skipped": "fix the watch list, or leave --strict out",
    "names-all-skipped": "fix the watch list: each name was reported with its reason",
    "exchange-unknown": "leave the exchange out, or name one of these",
    "exchange-value": "use one of {exchanges}",
    "watch-list-too-large": "give a text file with one symbol per line",
    "alias-empty": 'write it as name = "SYMBOL"',
    "alias-twice": "delete one of them: case does not count",
    "alias-loop": "have one of them stand for a symbol",
    "chain-number": "write it as 'NIFTY chain 10', or 'NIFTY chain 10 monthly'",
    "chain-unlisted": "name one of them, or none: then the nearest is meant",
    "chain-without-options": "name what has options, such as 'NIFTY chain 10'",
    "chain-without-spot": "name the strikes one by one",
    "index-damaged": "delete {path}; the next command builds it again",
    "index-unwritable": "free some space there, or set TICKS_HOME to another folder",
    "no-master": "run it again in a minute; check TICKS_INSTRUMENTS_URL if it is set",
    "master-refused": "run it again in a minute; check TICKS_INSTRUMENTS_URL if it is set",
    # --- feed: handshake, subscription, a feed that is lost
    "streams-not-live": "fix what else fails; the stream retries while it has attempts left",
    "feed-lost": "run: ticks health, or use --keep-trying to retry forever",
    "subscription-refused": (
        "ask for fewer symbols (1000 a connection, 3000 in all), or use --shard I/N"
    ),
    "no-such-part": "count parts from 1",
    "subscriptions-over-limit": (
        "take a part of the watch list with --shard I/N,"
        " and the other parts with other client codes"
    ),
    "handshake-tokens": "log in again: ticks login",
    "connection-limit": "a client code may hold 3 connections over all apps; close one and wait",
    "feed-busy": "try again in a minute",
    "handshake-refused": "check TICKS_FEED_URL",
    "not-websocket": "check TICKS_FEED_URL, and that no proxy or captive portal answers instead",
    # --- control of a running stream
    "no-control-socket": "set TICKS_HOME to a folder of yours with a shorter path",
    "no-stream": "start one: ticks stream NIFTY",
    "several-streams": "name one: ticks stop PID, or --pid PID with ticks add and ticks drop",
    "no-such-stream": "look for it with: ticks status",
    "stream-uncontrolled": "to end it: kill {pid}",
    "stream-gone": "see what runs with: ticks status",
    "stream-mute": "it may still do what was asked; see whether it runs with: ticks status",
    "not-a-request": "use the version of ticks that the stream runs",
    "request-too-long": "name fewer symbols at a time",
    "not-subscribed": "name it as the stream's events do, such as NSE:SBIN-EQ",
    "chain-not-followed": "name the chain as the stream was given it, or name its instruments",
    "last-instrument": "to end the stream: ticks stop",
    "spot-of-chain": "drop the chain first: ticks drop '{chain}'",
    # --- files, rows, sinks, replay: outputs and recordings
    "buffer-full": "read faster, raise --buffer, or accept counted drops: --on-full drop",
    "output-in-use": "stop the other one, or choose another path",
    "output-is-input": "write to another file",
    "output-other-header": "choose another path, --mode as it was recorded, or --overwrite",
    "output-other-content": "choose another path, or --overwrite",
    "output-not-gzip": "choose another path, or --overwrite",
    "output-torn-gzip": "choose another path, or --overwrite",
    "output-torn-text": "repair it by hand (gzip -dc {path}), or choose another path",
    "output-disk-full": "free some space; the file can be appended to",
    "output-no-folder": "create it: mkdir -p {folder}",
    "output-is-folder": "name a file in it",
    "output-not-file": "move it away, or choose another path",
    "output-no-rights": "change its permissions, or choose another path",
    "output-unwritable": "choose another path",
    "output-closed": "leave it open, or name a file: --csv day.csv",
    "output-exists": "choose another path, or --overwrite",
    "output-not-a-file": "choose another path",
    "conversion-interrupted": "run it again and let it finish",
    "output-too-few-columns": "give the output more columns with --mode {mode}",
    "recording-unreadable": "check its path and its permissions",
    "recording-without-rows": "check that it is the right file, and that ticks came while it was"
    " recorded",
    "too-many-instruments": "take some of it: ticks replay FILE --symbol ... --csv part.csv",
    "too-many-days": "take some of it: ticks replay FILE --start ... --end ... --csv part.csv",
    "not-a-recording": "a CSV recording begins with received_at,exchange_time,exchange,symbol,..."
    ' and a JSON one with {{"received_at":',
    "column-unknown": "the columns are {columns}",
    "damaged-row": "fix that line, or make a copy without it:"
    " ticks replay FILE --speed max --csv repaired.csv",
    # --- simulator
    "rate-invalid": "give a rate of 0 or more and a speed over 0",
    "accounts-invalid": "give a number of accounts of 1 or more",
    "fault-invalid": "{grammar}",
    "fault-of-recording": "leave out that fault or the recording",
    "disconnects-at-full-speed": "give a number as --speed, or leave out --events",
    "not-an-event": "give the file that `ticks stream --events` wrote together with the recording",
    "events-unreadable": "check the path and its permissions",
    "port-taken": "choose another port, or 0 for a free one",
    "no-temporary-folder": "set TMPDIR to a folder that can be written",
    "openssl-missing": "install openssl, or leave out --tls: plain http and ws are allowed on "
    "loopback",
    "openssl-failed": "leave out --tls, or fix the openssl command",
    # --- NATS, metrics
    "extra-missing": "pip install 'angel-ticks[{extra}]'; from a clone: pip install '.[{extra}]'",
    "nats-address": "write it as nats://host[:port][/STREAM]",
    "nats-address-secret": "leave that part out: credentials belong in NATS_CREDS, NATS_NKEY,"
    " NATS_USER and NATS_PASSWORD, or NATS_TOKEN",
    "nats-file": "check {variable}: its path, permissions and contents",
    "nats-unreachable": "check the address and that nats-server is running",
    "nats-refused": "check NATS_CREDS, NATS_NKEY, NATS_USER and NATS_PASSWORD, or NATS_TOKEN",
    "nats-certificate": "name the certificate authority's file in NATS_CA",
    "nats-no-jetstream": "start the server with JetStream: nats-server -js",
    "nats-no-stream": "check the name of the stream; `ticks stream --nats` makes one",
    "nats-stream": "look at the stream with the server's own tool: nats stream info",
    "nats-not-acknowledged": "check the server; what other outputs hold is complete",
    "metrics-port": "choose another port, or 0 for a free one",
    # --- this machine: disk, clock, port
    "clock-skew": "set the clock by NTP: timedatectl set-ntp true",
    "folder-unwritable": "set TICKS_HOME to a folder of yours",
    "disk-full": "free some space before you record",
    "threads-limit": "end other programs of this user, or raise the limit: ulimit -u",
    "files-limit": "raise the limit: ulimit -n 1024",
    "memory-limit": "end other programs, or raise the limit: ulimit -v",
    "status-unwritable": "check that the folder is yours and that its disk has room",
}
"""What to do about each kind of error or finding of the adapter; `{name}` is one of its values."""

_PROXY_KINDS = {kind for kind in REMEDIES if kind.startswith("proxy-")}
"""What ticks cannot do anything about, however often it tries."""

_NOT_WRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EBADF, errno.EIO}
"""What a write to standard output fails with; our own files report their errors themselves."""


def exit_code_of(error: TicksError) -> ExitCode:
    """The exit code of an error's class."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.UNEXPECTED)


def message_for(error: TicksError) -> str:
    """What a user reads of an error: what happened, and what to do."""
    remedy = remedy_of(error)
    words = f"ticks: {error.message}" + (f"\n  try: {remedy}" if remedy else "")
    return "\n".join(map(printable, words.split("\n")))


def remedy_of(error: TicksError) -> str:
    """What to do about an error, one sentence, or "" where nothing helps."""
    last = error.__cause__
    if error.kind == "feed-lost" and isinstance(last, TicksError) and last.kind in _PROXY_KINDS:
        return remedy_of(last)
    return error.remedy or REMEDIES.get(error.kind, "").format_map(error.values)


def run_guarded(run: Callable[[Sequence[str]], object], arguments: Sequence[str]) -> int:
    """Run the program with `arguments`; its exit code. Every way out of it ends here."""
    try:
        _run_and_flush(run, arguments)
        return ExitCode.OK
    except typer.Exit as ended:
        return ended.exit_code
    except TicksError as error:
        if isinstance(error, ReaderLeftError):
            return _without_reader()
        print(message_for(error), file=sys.stderr)
        return exit_code_of(error)
    except (KeyboardInterrupt, typer.Abort) as error:
        # A terminal shows `^C`, and its line goes on; a prompt ends its line by itself.
        is_open = isinstance(error, KeyboardInterrupt) and sys.stderr.isatty()
        end = "\n" if is_open else ""
        print(f"{end}ticks: interrupted", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001  (this is the boundary)
        if (limit := limit_of(error)) is not None:
            print(message_for(limit), file=sys.stderr)
            return exit_code_of(limit)
        if _is_verbose(arguments):
            # Exceptions of libraries quote headers, bodies and addresses.
            print(redacted(traceback.format_exc()), end="", file=sys.stderr)
        reason = printable(redacted(f"{type(error).__name__}: {error}"))
        print(f"ticks: unexpected: {reason}", file=sys.stderr)
        print(
            "  try: run it again with TICKS_VERBOSE=1, and report what it prints", file=sys.stderr
        )
        return ExitCode.UNEXPECTED


def _is_verbose(arguments: Sequence[str]) -> bool:
    own = takewhile(lambda argument: argument != "--", arguments)
    return "TICKS_VERBOSE" in os.environ or not {"-v", "--verbose"}.isdisjoint(own)


def _run_and_flush(run: Callable[[Sequence[str]], object], arguments: Sequence[str]) -> None:
    """Run, and raise OutputError where standard output cannot be written."""
    try:
        try:
            run(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError as error:
        raise ReaderLeftError("the reader of stdout has left") from error
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # Rich, printing a help
            raise ReaderLeftError("the reader of stdout has left") from ended
        raise
    except OSError as error:
        if error.errno not in _NOT_WRITABLE:
            raise
        _without_reader()
        raise OutputError(
            f"stdout cannot be written: {error.strerror}",
            remedy="check that it is open and that its disk has space",
        ) from error


def _without_reader() -> int:
    """The reader of standard output has left: send the interpreter's own last flush nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return ExitCode.OK
