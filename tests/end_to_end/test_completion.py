"""Completion as a user meets it: the scripts of `completions/`, a real shell, a key pressed."""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ticks.adapter.instrument import INDEX_KIND
from ticks.adapter.instruments.index import Row, new_index

from .conftest import TICKS

COMPLETIONS = Path(__file__).parents[2] / "completions"
SCRIPTS = {
    "bash": COMPLETIONS / "ticks",
    "zsh": COMPLETIONS / "_ticks",
    "fish": COMPLETIONS / "ticks.fish",
}
"""Under the names that their shells load them by."""
DEADLINE_S = 20.0

Complete = Callable[[str], list[str]]
"""All candidates for the last word of a line, as the shell puts them there."""

MASTER: list[Row] = [
    (1, "99926000", "Nifty 50", "NIFTY", INDEX_KIND, "", None, 1, 5, False),
    (1, "99926009", "Nifty Bank", "BANKNIFTY", INDEX_KIND, "", None, 1, 5, False),
    (1, "99926017", "India VIX", "INDIA VIX", INDEX_KIND, "", None, 1, 5, False),
    (1, "2885", "RELIANCE-EQ", "RELIANCE", "", "", None, 1, 5, False),
    (3, "500325", "RELIANCE", "RELIANCE", "", "", None, 1, 5, False),
    (1, "3787", "WIPRO-EQ", "WIPRO", "", "", None, 1, 5, False),
    (2, "1", "BANKNIFTY25NOV25FUT", "BANKNIFTY", "FUTIDX", "2025-11-25", None, 35, 5, False),
    (2, "2", "BANKNIFTY25NOV2558000CE", "BANKNIFTY", "OPTIDX", "2025-11-25", 5800000, 35, 5, False),
]

INSERT_ALL, REPORT = "\x1b*", "\x18p"
BASH_RC = f"""
PS1='$ '
PATH={shlex.quote(str(Path(TICKS).parent))}:$PATH
bind 'set enable-bracketed-paste off'
report() {{ printf '%s' "$READLINE_LINE" >.line; mv .line line; READLINE_LINE= READLINE_POINT=0; }}
bind -x '"\\C-xp": report'
source {shlex.quote(str(SCRIPTS["bash"]))}
"""
ZSH_RC = f"""
PATH={shlex.quote(str(Path(TICKS).parent))}:$PATH
unset zle_bracketed_paste
autoload -Uz compinit; compinit -D -u
source {shlex.quote(str(SCRIPTS["zsh"]))}
report() {{ print -rn -- "$BUFFER" >.line; mv .line line; BUFFER= }}
zle -N report; bindkey '^Xp' report
insert-all() {{ _main_complete; compstate[insert]=all }}
zle -C insert-all complete-word insert-all; bindkey '\\e*' insert-all
"""


class Terminal:
    """An interactive shell with a keyboard."""

    def __init__(self, command: list[str], environ: dict[str, str], folder: Path) -> None:
        self._line = folder / "line"
        self._keyboard, terminal = pty.openpty()
        self._shell = subprocess.Popen(
            command,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=environ,
            cwd=folder,
            start_new_session=True,
        )
        os.close(terminal)

    def complete(self, line: str) -> list[str]:
        """The words from the last word of `line` on, after the shell inserted every candidate."""
        self._line.unlink(missing_ok=True)
        os.write(self._keyboard, f"{line}{INSERT_ALL}{REPORT}".encode())
        deadline = time.monotonic() + DEADLINE_S
        said = b""
        while not self._line.exists():
            assert time.monotonic() < deadline, said.decode(errors="replace")
            if select.select([self._keyboard], [], [], 0.02)[0]:
                said += os.read(self._keyboard, 65536)
        before = len(shlex.split(line)) - (not line.endswith(" "))
        return shlex.split(self._line.read_text(encoding="utf-8"))[before:]

    def close(self) -> None:
        self._shell.kill()
        self._shell.wait()
        os.close(self._keyboard)


@pytest.fixture
def user(tmp_path: Path) -> dict[str, str]:
    """A user with a cached instrument master, and a file in the current folder."""
    with new_index(tmp_path / "instruments.sqlite") as draft:
        draft.fill(MASTER, url="https://example.org/master.json", fetched_ns=1)
    (tmp_path / "watch list.txt").write_text("NIFTY\n")
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TICKS_")}
    return {**bare, "TICKS_HOME": str(tmp_path), "HOME": str(tmp_path), "TERM": "dumb"}


@pytest.fixture(params=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed here")
    return name


@pytest.fixture
def complete(shell: str, user: dict[str, str], tmp_path: Path) -> Iterator[Complete]:
    if shell == "fish":
        yield lambda line: fish_candidates(line, user, tmp_path)
        return
    rc = {"bash": BASH_RC, "zsh": ZSH_RC}[shell]
    (tmp_path / ".zshrc").write_text(rc)
    (tmp_path / ".bashrc").write_text(rc)
    command = {"bash": ["bash", "--rcfile", ".bashrc", "-i"], "zsh": ["zsh", "-i"]}[shell]
    with closing(Terminal(command, user | {"ZDOTDIR": str(tmp_path)}, tmp_path)) as terminal:
        yield terminal.complete


def fish_candidates(line: str, environ: dict[str, str], folder: Path) -> list[str]:
    program = f"source {shlex.quote(str(SCRIPTS['fish']))}; complete -C {shlex.quote(line)}"
    ran = subprocess.run(
        ["fish", "--no-config", "-c", program],
        env=environ | {"PATH": f"{Path(TICKS).parent}:{environ['PATH']}"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert ran.stderr == ""
    return [each.partition("\t")[0] for each in ran.stdout.splitlines()]


def test_commands_are_completed(complete: Complete) -> None:
    assert complete("ticks st") == ["status", "stop", "stream"]
    assert {"login", "logout", "stream", "health", "find", "config"} <= set(complete("ticks "))


def test_options_of_the_command_are_completed(complete: Complete) -> None:
    assert complete("ticks stream --sil") in (["--silence-after"], ["--silence-after="])
    assert complete("ticks find --l") in (["--limit"], ["--limit="])


def test_values_are_completed(complete: Complete) -> None:
    assert sorted(complete("ticks stream NIFTY --mode ")) == ["ltp", "quote", "snap"]
    assert complete("ticks stream --on-full st") == ["stop"]
    assert complete("ticks find --exchange NF") == ["NFO"]
    assert complete("ticks completion z") == ["zsh"]


def test_files_are_completed_where_a_path_belongs(complete: Complete) -> None:
    assert complete("ticks stream --from wat") == ["watch list.txt"]
    assert complete("ticks simulate --recording wat") == ["watch list.txt"]


def test_symbols_are_completed_in_any_case(complete: Complete) -> None:
    assert complete("ticks stream WIPRO-") == ["WIPRO-EQ"]
    assert complete("ticks stream wipro-") == ["WIPRO-EQ"]
    several = [each.upper() for each in complete("ticks health NIFTY relian")]
    assert sorted(several) == ["RELIANCE", "RELIANCE-EQ"]


def test_an_index_comes_with_its_contracts(complete: Complete) -> None:
    assert sorted(complete("ticks stream --mode ltp BANKN")) == [
        "BANKNIFTY",
        "BANKNIFTY25NOV2558000CE",
        "BANKNIFTY25NOV25FUT",
    ]


def test_an_exchange_narrows_the_symbols(complete: Complete) -> None:
    assert complete("ticks stream BSE:RELI") == ["BSE:RELIANCE"]
    assert complete("ticks stream nse:banknif") == ["nse:BANKNIFTY"]


def test_a_symbol_with_spaces_is_one_word(complete: Complete) -> None:
    assert complete("ticks stream INDIA") == ["INDIA VIX"]


def test_nothing_is_offered_where_nothing_fits(complete: Complete) -> None:
    assert complete("ticks stream ZZZZ") in ([], ["ZZZZ"])
    assert complete("ticks stream --count ") == []


def test_the_copy_that_a_command_left_is_what_is_offered(ticks: Any) -> None:
    before = ticks("__symbols", "BSE:RELI")
    assert (before.returncode, before.stdout, before.stderr) == (0, "", "")
    ticks("find", "NIFTY")
    assert ticks("__symbols", "BSE:RELI").stdout == "BSE:RELIANCE\n"


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_scripts_of_the_tree_are_what_the_command_prints(ticks: Any, name: str) -> None:
    written = SCRIPTS[name].read_text(encoding="utf-8")
    assert ticks("completion", name).stdout == written, f"ticks completion {name}"
