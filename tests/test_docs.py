"""What the pages name is there, and what they list is all there is; `pages.py` has the rules."""

from __future__ import annotations

import configparser
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pages import NOT_OURS, PAGES, ROOT, blocks, blocks_of, commands, name_of, prose, spans, text_of

from ticks.adapter.clock import IST
from ticks.adapter.events import FeedEvent
from ticks.adapter.feed.lifecycle import Phase
from ticks.adapter.jetstream.message import MessageEncoder
from ticks.adapter.metrics import MOST_INSTRUMENTS
from ticks.adapter.rows.columns import columns
from ticks.adapter.simulator.faults import What, parse_fault
from ticks.adapter.tick import Mode
from ticks.adapter.wire.packet import LAYOUTS, PACKET_SIZES, decode_packet
from ticks.cli.exit_codes import ExitCode
from ticks.cli.registry import SUMMARIES, load, load_all, options_of
from ticks.cli.view.key_bindings import BINDINGS
from ticks.cli.view.table_columns import COLUMNS

SOURCES = [path for room in ("adapter", "cli") for path in (ROOT / room).rglob("*.py")]
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
VARIABLE = r"\bTICKS_[A-Z]+(?:_[A-Z]+)*\b"

# --- keys ----------------------------------------------------------------------------------------


def test_every_key_is_in_the_table_of_its_page_as_the_screen_explains_it() -> None:
    page = (ROOT / "docs" / "screen.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \|$", page.partition("## Keys")[2], re.MULTILINE)
    assert rows == [(binding.shown, binding.help) for binding in BINDINGS]


def test_every_column_of_the_table_is_explained() -> None:
    page = (ROOT / "docs" / "screen.md").read_text(encoding="utf-8")
    assert [column.name for column in COLUMNS if f"`{column.name}`" not in page] == []


# --- names ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known_options() -> set[str]:
    """Every option of every command."""
    own = {"--help", "--version"}
    for command in load_all():
        for option in options_of(command):
            own.update(option.opts)
            own.update(option.secondary_opts)
    return own


@pytest.fixture(scope="module")
def option_variables() -> set[str]:
    """The variables that are options by another name."""
    found: set[str] = set()
    for command in load_all():
        for option in options_of(command):
            if isinstance(option.envvar, str):
                found.add(option.envvar)
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_an_option_that_is_named_exists(page: Path, known_options: set[str]) -> None:
    ours = [span for span in spans(page) if not span.startswith(NOT_OURS)]
    ours += [line[2:] for block in blocks_of(page) for line in block.lines if line[:2] == "$ "]
    named = {
        option
        for text in [*ours, *commands(page)]
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)
    }
    assert named <= known_options


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_command_that_is_named_exists(page: Path) -> None:
    named = {
        name
        for text in [*spans(page), *commands(page)]
        for name in re.findall(r"(?:^|\| |-- )ticks ([a-z]+)", text)
    }
    assert named <= set(SUMMARIES)


def test_the_readme_lists_every_exit_code_and_no_page_another() -> None:
    listed = re.findall(r"(?m)^\| (\d+) \|", text_of("README.md"))
    assert sorted(map(int, listed)) == sorted(ExitCode)
    for page in PAGES:
        named = re.findall(r"exit (?:code )?(\d+)", page.read_text(encoding="utf-8"))
        assert set(map(int, named)) <= set(ExitCode), name_of(page)


def test_a_variable_that_is_named_exists_and_those_that_are_not_options_are_all_named(
    option_variables: set[str],
) -> None:
    known = set(re.findall(VARIABLE, SOURCE)) | option_variables
    for page in PAGES:
        named = set(re.findall(VARIABLE, page.read_text(encoding="utf-8")))
        assert named - {"TICKS_UPDATE_SNAPSHOTS"} <= known, name_of(page)
    surroundings = (known - option_variables) | {"TICKS_CLIENT_CODE"}
    for name in ("README.md", "docs/configuration.md"):
        assert surroundings <= set(re.findall(VARIABLE, text_of(name))), name


def test_the_page_of_the_rows_names_every_column_and_no_other() -> None:
    known = columns(Mode.SNAP)
    rows = re.findall(r"(?m)^\| `(?:ltp|quote|snap)` \| (.+) \|$", text_of("docs/row-format.md"))
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert tuple(named) == tuple(name for name in known if not re.match(r"(bid|ask)\d_", name))
    best_five = re.findall(r"`((?:bid|ask)\d_\w+)`", text_of("docs/row-format.md"))
    assert set(best_five) <= set(known)
    assert {"bid1_price", "bid5_orders", "ask1_price", "ask5_orders"} <= set(best_five)


def test_the_page_of_health_names_every_event_and_no_other() -> None:
    events = {kind.name for kind in FeedEvent.__subclasses__()}
    rows = re.findall(r"(?m)^\| (`\w+`(?:, `\w+`)*) \|", text_of("docs/health.md"))
    assert {name for row in rows for name in re.findall(r"\w+", row)} == events


def test_the_page_of_the_simulator_shows_every_fault_as_it_is_written() -> None:
    rows = re.findall(r"(?m)^\| `([^`]+)` \| .+ \| (.+) \|$", text_of("docs/simulator.md"))
    whens = {"feed": "20s", "calls": "login"}
    whens |= {f"`{call}`": call for call in ("connect", "login", "refresh")}
    shown = [f"{whens[at]}:{what}" for what, ats in rows for at in ats.split(", ")]
    assert {parse_fault(text).what for text in shown} == set(What)


# --- files, headings, figures ---------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_source_file_that_is_named_exists(page: Path) -> None:
    named = {
        name
        for text in [*spans(page), *(line for b in blocks_of(page) for line in b.lines)]
        for name in re.findall(r"(?<![\w/.<%-])[\w/]+\.py\b", text)
    }
    gone = [
        name for name in named if not any((ROOT / at / name).exists() for at in ("", "adapter"))
    ]
    assert gone == []


def test_the_architecture_lists_each_room_once_from_top_to_bottom() -> None:
    page = text_of("docs/architecture.md").partition("## How data flows")[0]
    listed = [
        re.findall(r"`([a-z_]+)(?:/|\.py)`", cells)
        for cells in re.findall(r"(?m)^\| (`.+?) \|", page)
    ]
    rows = [name for names in listed for name in names]
    settings = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]
    [layers] = [each["layers"] for each in settings["contracts"] if each["id"] == "rooms"]
    height = {name: at for at, layer in enumerate(layers) for name in layer.split(" | ")}
    assert sorted(rows) == sorted(height)
    assert [height[name] for name in rows] == sorted(height.values())


def test_what_the_code_cites_of_the_protocol_is_a_heading_of_its_page() -> None:
    headings = re.findall(r"(?m)^#+ (?:\d\. )?(.+)$", text_of("docs/protocol.md"))
    sections = re.findall(r"(?m)^## (\d)\.", text_of("docs/protocol.md"))
    for path in [*SOURCES, ROOT / "tests" / "conftest.py"]:
        words = " ".join(path.read_text(encoding="utf-8").split())
        for cited in re.findall(r'protocol\.md, ((?:(?:, | and )?"[^"]+")+)', words):
            assert set(re.findall('"([^"]+)"', cited)) <= set(headings), path
        assert set(re.findall(r"protocol\.md, section (\d)", words)) <= set(sections), path


def test_the_page_of_the_protocol_gives_the_sizes_that_are_decoded() -> None:
    page = text_of("docs/protocol.md")
    sizes = [int(size) for size in re.findall(r"packet ends at (\d+)", page)]
    assert sizes == [PACKET_SIZES[mode] for mode in (Mode.LTP, Mode.QUOTE, Mode.SNAP)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_figure_has_the_command_that_makes_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if re.search(r"!\[|```mermaid", text):
        assert "`python tools/" in text
    if re.search(r"\d (?:µs|ns|(?:ticks|packets)(?:/s| a second))", prose(page)):
        assert "python benchmarks/" in text


SCRIPTS = {
    command
    for page in PAGES
    for command in re.findall(
        r"(?:PYTHONPATH=tests )?python (?:tests|tools|benchmarks)/[\w/]+\.py",
        page.read_text(encoding="utf-8"),
    )
}


@pytest.mark.parametrize("command", sorted(SCRIPTS))
def test_a_script_can_be_started_as_a_page_writes_it(command: str) -> None:
    setting, script = command.split("python ")
    folder = str((ROOT / script).parent)
    load = f"import runpy, sys; sys.path[0] = {folder!r}; runpy.run_path({script!r})"
    ran = subprocess.run(
        [sys.executable, "-c", load],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": setting.strip().removeprefix("PYTHONPATH=")},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_page_of_the_lifecycle_is_the_one_that_the_table_draws() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "lifecycle_page.py"))
    assert text_of("docs/lifecycle.md") == tool["page"]()


def test_the_page_of_the_lifecycle_shows_every_entry_of_the_table() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "lifecycle_page.py"))
    shown = {(state.phase, type(event)) for _, state, event in tool["situations"]()}
    assert set(tool["TABLE"]) <= shown


# --- units and crontabs ---------------------------------------------------------------------------


def sections_with(key: str, page: str) -> list[configparser.SectionProxy]:
    """The section that has `key`, of each unit of a page that has it."""
    found = []
    for block in blocks("ini"):
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read_string("\n".join(block.lines))
        found += [
            unit[each] for each in unit.sections() if block.page == page and key in unit[each]
        ]
    return found


def unit_with(key: str) -> configparser.SectionProxy:
    """The section that has `key`, of the one unit that has it."""
    (section,) = sections_with(key, "docs/unattended.md")
    return section


def parse_stream(words: list[str]) -> dict[str, object]:
    """The values that `ticks stream` would get. Fails where it would refuse them."""
    assert words[:1] == ["stream"]
    hour_on = f"{datetime.now(IST) + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    given = [hour_on if word == "15:30" else word for word in words[1:]]
    with load("stream").make_context("stream", given) as context:
        return dict(context.params)


def test_the_unit_starts_a_stream_that_the_program_takes() -> None:
    service = unit_with("ExecStart")
    program, *words = shlex.split(service["ExecStart"].replace("%%", "%"))
    assert Path(program).name == "ticks"
    values = parse_stream(words)
    assert values["csv"] == "ticks-%Y-%m-%d.csv.gz"
    assert values["keep_trying"]
    assert Path(service["EnvironmentFile"]).is_absolute()


def test_the_unit_is_started_again_where_that_can_help_and_only_there() -> None:
    service = unit_with("ExecStart")
    prevented = {int(code) for code in service["RestartPreventExitStatus"].split()}
    assert service["Restart"] == "on-failure"
    failures = {code for code in ExitCode if code not in (ExitCode.OK, ExitCode.INTERRUPTED)}
    assert failures - prevented == {ExitCode.UNEXPECTED, ExitCode.BROKER}
    assert service["KillSignal"] == "SIGTERM"


def test_the_units_of_several_recorders_start_streams_that_the_program_takes() -> None:
    services = sections_with("ExecStart", "docs/scaling.md")
    parsed = []
    for service, instance in zip(services, ("2", "a"), strict=True):
        command = service["ExecStart"].replace("%i", instance).replace("%%", "%")
        program, *words = shlex.split(command)
        assert Path(program).name == "ticks"
        parsed.append(parse_stream(words))
        assert instance in service["EnvironmentFile"].replace("%i", instance)
        assert "%i" in service["Environment"], "two recorders must not share a home"
    shard, pair = parsed
    assert (shard["shard"], str(shard["nats"])) == ((2, 3), "tls://nats.example.org:4222/TICKS")
    assert shard["metrics"] == ("0.0.0.0", 9102)
    assert pair["csv"] == "a-%Y-%m-%d.csv.gz"
    assert all(values["keep_trying"] for values in parsed)


def test_the_page_of_scaling_reads_a_message_as_it_says() -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", text_of("docs/scaling.md"), flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet, names)  # noqa: S102  (it is what the page shows)
    packet = LAYOUTS[Mode.LTP].pack(Mode.LTP, 1, b"2885", 7, 5, 9)
    encoder = MessageEncoder("ticks", {(1, "2885"): "RELIANCE-EQ"}, window_s=120.0)
    body = encoder.encode(1_795_146_300_000_000_000, packet).body
    tick = names["tick_of"](body)
    assert tick == decode_packet(packet, received_ns=tick.received_ns, symbol="RELIANCE-EQ")
    assert tick.received_ns == 1_795_146_300_000_000_000


def test_the_page_of_metrics_lists_all_of_them_and_alerts_on_no_other() -> None:
    page = text_of("docs/metrics.md")
    source = text_of("adapter/metrics.py")
    counters = re.findall(r'Counter(?:MetricFamily)?\(\s*"(ticks_\w+)"', source)
    gauges = re.findall(r'Gauge(?:MetricFamily)?\(\s*"(ticks_\w+)"', source)
    served = {f"{name}_total" for name in counters} | set(gauges)
    assert set(re.findall(r"(?m)^\| `(ticks_\w+)", page)) == served
    (rules,) = re.findall(r"```yaml\n(groups:.*?)```", page, flags=re.DOTALL)
    assert set(re.findall(r"\bticks_\w+", rules)) <= served
    assert str(MOST_INSTRUMENTS) in page.replace(",", "")
    phases = re.search(r"`ticks_phase\{phase\}` \| .*", page)
    assert phases is not None
    assert set(re.findall(r"`(\w+)`", phases[0])) == {phase.value for phase in Phase}


def test_the_crontab_starts_a_stream_that_the_program_takes() -> None:
    (block,) = blocks("cron")
    (line,) = block.lines
    assert not re.search(r"(?<!\\)%", line), "cron ends a command at a bare %"
    _, _, command = line.replace("\\%", "%").partition('/bin/ticks" ')
    words = shlex.split(command)
    assert parse_stream([word for word in words if "ticks.log" not in word])["keep_trying"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_the_timer_fires_at_nine_in_india() -> None:
    calendar = unit_with("OnCalendar")["OnCalendar"]
    ran = subprocess.run(
        ["systemd-analyze", "calendar", calendar], capture_output=True, text=True, check=True
    )
    assert "Mon..Fri *-*-* 09:00:00 Asia/Kolkata" in ran.stdout


def test_every_library_that_ticks_may_import_has_its_line_in_the_page_on_security() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(extras["parquet"] + extras["nats"] + extras["metrics"])]
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    for each in wanted:
        name = re.match(r"[\w-]+", each)
        assert name is not None
        assert any(f"`{name[0]}`" in line for line in lines), each
