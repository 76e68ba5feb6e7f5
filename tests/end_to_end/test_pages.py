"""What the pages tell users to type is typed; `tests/pages.py` has the rules."""

from __future__ import annotations

import doctest
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from nats_server import NatsServer
from pages import PAGES, ROOT, Block, blocks, commands, name_of, transcripts

from ticks.adapter.auth.authenticator import Authenticator
from ticks.adapter.auth.replies import Asked, Call, data_of
from ticks.adapter.auth.tokens import Tokens
from ticks.adapter.clock import IST, SystemClock
from ticks.adapter.config import Config
from ticks.adapter.errors import TicksError
from ticks.adapter.events import Dropped, Quiet
from ticks.adapter.feed.link import Handshake
from ticks.adapter.http import Reply
from ticks.adapter.simulator.simulator import Simulator
from ticks.adapter.urls import FEED_URL
from ticks.cli.exit_codes import message_for
from ticks.cli.options.parsers import until_ns
from ticks.cli.view.event_text import event_text

TOOLS = ("awk", "jq", "flock", "duckdb")
"""A line that uses one that is not installed here is left out."""
TRANSCRIPTS = transcripts()
TYPED_PAGES = [page for page in PAGES if commands(page)]


class Ran(NamedTuple):
    """What a command line came to; stdout and stderr are one."""

    line: str
    code: int
    said: str


def run(line: str, folder: Path, environ: dict[str, str]) -> Ran:
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        env=environ,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=50,
        check=False,
    )
    return Ran(line, ended.returncode, ended.stdout)


def has_its_tools(line: str) -> bool:
    return all(shutil.which(tool) for tool in TOOLS if re.search(rf"\b{tool} ", line))


def run_page(page: Path, folder: Path, environ: dict[str, str], nats_url: str) -> list[Ran]:
    return [
        run(soon_over(line, nats_url), folder, environ)
        for line in commands(page)
        if has_its_tools(line)
    ]


def soon_over(line: str, nats_url: str) -> str:
    """`line` with the substitutions that make it end."""
    line = line.replace("nats://127.0.0.1", nats_url)
    an_hour_on = f"{datetime.now(IST) + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    line = line.replace("--until close", f"--until {an_hour_on}")
    return re.sub(r"--count \d+", "--count 3", line) if "--demo" in line else line


@pytest.fixture(scope="module")
def everything_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Ran]]]:
    """All commands of all pages, by page, and all transcripts, by command; a few at a time."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("TICKS_")}
    bare["PATH"] = f"{Path(sys.executable).parent}:{bare['PATH']}"

    def place(more: dict[str, str]) -> tuple[Path, dict[str, str]]:
        folder = tmp_path_factory.mktemp("user")
        (folder / "watch.txt").write_text("NIFTY\nRELIANCE  # a share\n", encoding="utf-8")
        home = {"HOME": str(folder), "TICKS_HOME": str(folder / "ticks")}
        return folder, bare | home | more

    with (
        Simulator(rate=200, seed=3, accepts_code_once=False) as simulator,
        NatsServer(tmp_path_factory.mktemp("nats")) as nats_server,
    ):
        ended_early = simulator.environment() | {"TICKS_COUNT": "3"}
        with ThreadPoolExecutor(4) as pool:
            jobs = {
                name_of(page): pool.submit(run_page, page, *place(ended_early), nats_server.url)
                for page in TYPED_PAGES
            }
            singles = {
                line: pool.submit(run, line, *place({}))
                for _, line, _ in TRANSCRIPTS
                if has_its_tools(line)
            }
            ran = {name: job.result() for name, job in jobs.items()}
            yield ran | {line: [job.result()] for line, job in singles.items()}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", TYPED_PAGES, ids=name_of)
def test_every_command_of_a_page_runs(page: Path, everything_run: dict[str, list[Ran]]) -> None:
    assert everything_run[name_of(page)]
    for ran in everything_run[name_of(page)]:
        assert ran.code == 0, ran
        assert not re.search(r"(?m)^(ticks: |Traceback)", ran.said), ran


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("block", "line", "wanted"), TRANSCRIPTS, ids=[line for _, line, _ in TRANSCRIPTS]
)
def test_a_transcript_is_what_the_program_prints(
    block: Block, line: str, wanted: str, everything_run: dict[str, list[Ran]]
) -> None:
    if line not in everything_run:
        pytest.skip("it uses a tool that is not installed here")
    (ran,) = everything_run[line]
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.OutputChecker().check_output(wanted, ran.said, options), ran.said
    heading = re.search(r"\(exit (\d+)\)", block.heading)
    assert ran.code == (int(heading[1]) if heading else 0)


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What the program says where provoking it would take a minute, or the right hour."""
    said: list[str] = []
    home = str(tmp_path_factory.mktemp("messages"))
    with Simulator(faults=["login:A:AB1050x2", "connect:refuse:401"]) as simulator:
        config = Config.from_env({**simulator.environment(), "TICKS_HOME": home})
        authenticator = Authenticator(
            config.paths,
            simulator.rest_url,
            config.credentials,
            clock=SystemClock(),
            pause=lambda _seconds: None,
            note=said.append,
        )
        with pytest.raises(TicksError) as refused:
            authenticator.login(config.credentials)
        said.append(message_for(refused.value))
        with pytest.raises(TicksError) as refused:
            Handshake(simulator.feed_url, {}).run()
        said.append(message_for(refused.value).replace(simulator.feed_url, FEED_URL))
        asked = Asked(Call.PROFILE, simulator.rest_url, None)
        said.append(message_for(unclear_login(config)))
    body = {"success": False, "message": "Invalid Token", "errorCode": "AG8001", "data": ""}
    with pytest.raises(TicksError) as refused:
        data_of(Reply(200, json.dumps(body).encode()), asked)
    said.append(message_for(refused.value))
    said.append(event_text(Quiet(30.0)) or "")
    said.append(event_text(Dropped(50_000)) or "")
    with pytest.raises(ValueError, match="has passed") as passed:
        until_ns("00:00", datetime(2026, 11, 23, 14, 28, 42, tzinfo=IST))
    said.append(str(passed.value))
    return {without_wait(line) for each in said for line in each.splitlines()}


class Stranger:
    """Something that answers a login with JSON of its own."""

    def login(self, *_call: str) -> Tokens:
        data_of(Reply(200, b"{}"), Asked(Call.LOGIN, "http://127.0.0.1:8080", None))
        raise AssertionError("a stranger's answer was taken for a login")

    refresh = logout = login


def unclear_login(config: Config) -> TicksError:
    """The error of a login that was not understood twice."""
    authenticator = Authenticator(
        config.paths,
        config.endpoints.rest_url,
        config.credentials,
        clock=SystemClock(),
        pause=lambda _seconds: None,
        api=Stranger(),
    )
    for _ in range(2):
        with pytest.raises(TicksError) as refused:
            authenticator.login(config.credentials)
    return refused.value


def without_wait(line: str) -> str:
    return re.sub(r"waiting \d+ s", "waiting N s", line)


def test_a_message_that_is_quoted_is_what_the_program_says(messages: set[str]) -> None:
    quoted = [line for block in blocks("text") for line in block.lines]
    before = r"^(\d\d:\d\d:\d\d |ticks: --until: )"
    bare = [without_wait(re.sub(before, "", line)) for line in quoted]
    assert bare
    assert [line for line in bare if line not in messages] == []


def test_the_pictures_of_the_dashboard_are_made_from_a_stream(tmp_path: Path) -> None:
    tool = ROOT / "tools" / "dashboard_picture.py"
    subprocess.run([sys.executable, tool, "--seconds", "1", "--into", tmp_path], check=True)
    for folder in (tmp_path, ROOT / "docs"):
        well, waiting = (
            (folder / name).read_text(encoding="utf-8").replace("&#160;", " ")
            for name in ("dashboard.svg", "dashboard-waiting.svg")
        )
        for words in ("live", "silence", "blind", "RELIANCE-EQ", "day.csv"):
            assert words.lower() in well.lower()
        assert "attempt 2 of 3, next try in" in waiting
        chain = (folder / "dashboard-chain.svg").read_text(encoding="utf-8")
        for words in ("STRIKE", "NIFTY", "at", "money", "◄"):
            assert words in chain
