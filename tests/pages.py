"""The pages of this project as tests read them. The rules for whoever writes one:

- **sh** blocks that call `ticks` are run, all of a page in their order, line by line, in one folder
  that holds a `watch.txt`, against a simulated broker; a line must end with 0 and tell no error.
  Substitutions make them end: `TICKS_COUNT=3` for all that have no count of their own, and 3 for
  those of a `--demo`; `--until` an hour from now; the README's installation before it is left out;
  `nats://127.0.0.1` is a server of the test's own.
- **console** blocks are transcripts: a user's line after `$ `, then what it prints on stdout and
  stderr, `...` for whatever differs. `(exit N)` in the heading above is the exit code, else 0.
- **text** blocks hold messages that would take too long to provoke; a test makes them in process.
- **ini** and **cron** blocks: the options of the command in them are parsed.
- Options, commands, exit codes, variables and files that a page names exist; a page that lists all
  of something lists all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")])
NOT_OURS = (
    *("python", "PYTHONPATH=", "pytest", "bash ", "pip", "uv ", "for ", "sudo ", "man ", "nats "),
)
"""How a code span or a line begins that is not for `ticks`."""
_INSTALLATION = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/"
_CALLS_TICKS = re.compile(r"(?:^|[|&;(]\s*|\s--\s+)ticks\s")


class Block(NamedTuple):
    """A fenced block: its kind, its lines, and the heading above it."""

    page: str
    kind: str
    lines: tuple[str, ...]
    heading: str


def name_of(page: Path) -> str:
    """`docs/health.md`."""
    return page.relative_to(ROOT).as_posix()


def text_of(name: str) -> str:
    """The text of a file of the clone."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks_of(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page."""
    heading, kind = "", None
    lines: list[str] = []
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            if kind is None:
                kind, lines = line[3:], []
            else:
                yield Block(name_of(page), kind, tuple(lines), heading)
                kind = None
        elif kind is not None:
            lines.append(line)
        elif line.startswith("#"):
            heading = line


def blocks(kind: str) -> list[Block]:
    """All blocks of a kind."""
    return [block for page in PAGES for block in blocks_of(page) if block.kind == kind]


def prose(page: Path) -> str:
    """A page without its blocks."""
    return re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))


def spans(page: Path) -> list[str]:
    """What a page sets as code within its lines."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def commands(page: Path) -> list[str]:
    """The command lines of a page that are run."""
    ours = [
        [line.removeprefix(_INSTALLATION) for line in block.lines]
        for block in blocks_of(page)
        if block.kind == "sh"
    ]
    return [
        line
        for lines in ours
        if any(map(_CALLS_TICKS.search, lines))
        for line in lines
        if line and not line.startswith(("#", *NOT_OURS))
    ]


def transcripts() -> list[tuple[Block, str, str]]:
    """Each transcript: its block, the command line, and what that is to print."""
    return [(block, block.lines[0][2:], "\n".join(block.lines[1:])) for block in blocks("console")]
