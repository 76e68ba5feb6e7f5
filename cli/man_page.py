"""The manual page, generated from the commands: `python -m ticks.cli.man_page > docs/ticks.1`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.metadata import version

import typer
from typer.core import TyperArgument, TyperCommand, TyperOption

from .app import DISTRIBUTION, app
from .exit_codes import ExitCode
from .registry import examples_of, load_all, options_of, usage_of

EXIT_CODES = {
    ExitCode.OK: "Done, Ctrl-C, SIGTERM, or the reader of the only output left;"
    " everything received is written.",
    ExitCode.UNEXPECTED: "Unexpected error, please report it; or inspect found a gap longer than"
    " --max-gap.",
    ExitCode.USAGE: "Invalid option, variable or value in config.toml.",
    ExitCode.SESSION: "No session, or the login was refused.",
    ExitCode.SYMBOL: "An unknown symbol, or a subscription that the broker refused.",
    ExitCode.BROKER: "The broker cannot be reached, or the feed is lost.",
    ExitCode.OUTPUT: "An output cannot be written, or a recording cannot be read.",
    ExitCode.INTERRUPTED: "A second Ctrl-C.",
}
VARIABLES = {
    "TICKS_API_KEY, TICKS_CLIENT_CODE, TICKS_PIN, TICKS_TOTP_SECRET": "Credentials.",
    "TICKS_HOME": "One folder instead of the platform's configuration, cache and state folders.",
    "TICKS_REST_URL, TICKS_FEED_URL, TICKS_INSTRUMENTS_URL": "Other addresses of the broker;"
    " plain http:// and ws:// for this machine only.",
    "SSL_CERT_FILE": "Certificates to trust instead of the system's.",
    "NO_COLOR": "No colour, unless --color always.",
}
FILES = {
    "config.toml": "Your defaults, in the configuration folder; ticks config --init writes one.",
    "session.json": "The session, in the state folder, readable by its owner only.",
    "instruments.sqlite": "The instruments, in the cache folder; safe to delete.",
    "run/PID.sock": "Socket on which a running stream can be changed and ended.",
    "run/PID.json": "Status of a running stream, in the state folder.",
}


def man_page() -> str:
    """The page as roff."""
    parts = [
        f'.TH TICKS 1 "" "ticks {version(DISTRIBUTION)}" "User Commands"',
        ".SH NAME",
        r"ticks \- Angel One SmartAPI's live feed as ticks you can trust",
        ".SH SYNOPSIS",
        r".B ticks",
        r"[\-\-version] [\-\-help] COMMAND ...",
        ".SH DESCRIPTION",
        *_help_text(typer.main.get_command(app).help or ""),
        ".PP",
        "Precedence: option, environment variable, config.toml, default.",
        ".SH COMMANDS",
    ]
    for command in load_all():
        parts += _command(command)
    for title, terms in (
        ("EXIT STATUS", {str(int(code)): text for code, text in EXIT_CODES.items()}),
        ("ENVIRONMENT", VARIABLES),
        ("FILES", FILES),
    ):
        parts += [f".SH {title}", *_terms(terms.items())]
    return "\n".join(parts) + "\n"


def _command(command: TyperCommand) -> Iterator[str]:
    yield f".SS {_roff(_usage(command))}"
    yield from _help_text(command.help or "")
    arguments = _arguments(command)
    yield from _terms((param.metavar or param.name, _described(param)) for param in arguments)
    panels: dict[str, list[TyperOption]] = defaultdict(list)
    for option in options_of(command):
        panels[option.rich_help_panel or "Options"].append(option)
    for panel, options in panels.items():
        yield ".PP"
        yield rf"\fI{panel}\fR"
        yield from _terms((_spelled(option), _described(option)) for option in options)


def _usage(command: TyperCommand) -> str:
    words = ["ticks", str(command.name)]
    if any(options_of(command)):
        words.append("[OPTIONS]")
    return " ".join([*words, *map(usage_of, _arguments(command))])


def _arguments(command: TyperCommand) -> list[TyperArgument]:
    return [param for param in command.params if isinstance(param, TyperArgument)]


def _spelled(option: TyperOption) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    return names if option.is_flag else f"{names} {option.metavar or ''}".rstrip()


def _described(param: TyperOption | TyperArgument) -> str:
    """The help, the variable, and the default where there is one."""
    notes = [f"variable {param.envvar}"] if param.envvar else []
    if isinstance(param.show_default, str):
        notes.append(f"default: {param.show_default}")
    elif param.default is not None and not isinstance(param.default, bool):
        notes.append(f"default: {param.default}")
    return f"{param.help} [{'; '.join(notes)}]" if notes else str(param.help)


def _help_text(text: str) -> Iterator[str]:
    """Paragraphs, and examples as they are typed."""
    for paragraph in text.split("\n\n"):
        yield ".PP"
        examples = [rf"    \fB{_roff(line)}\fR" for line in examples_of(paragraph)]
        yield from [".nf", *examples, ".fi"] if examples else [_roff(paragraph)]


def _terms(items: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, text in items:
        yield from (".TP", rf"\fB{_roff(term)}\fR", _roff(text))


def _roff(text: str) -> str:
    """Text as roff takes it: no character of it a command, each dash one to copy."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    return rf"\&{escaped}" if escaped.startswith(".") else escaped


if __name__ == "__main__":
    print(man_page(), end="")
