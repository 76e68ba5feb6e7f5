"""The house rules that no linter knows: what is shipped, tested, pure, and owned by whom.

import-linter holds the layers (`[tool.importlinter]` in pyproject.toml); here is the rest. The
tests read the clone's files and import nothing of them.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections import defaultdict
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MODULES = sorted(path for room in ("adapter", "cli") for path in (ROOT / room).rglob("*.py"))

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base"}

OWNERS = {
    "pyotp": "adapter/auth/totp.py",
    "websocket": "adapter/feed/link.py",
    "platformdirs": "adapter/paths.py",
    "pyarrow": "adapter/files/parquet.py",
    "websockets": "adapter/simulator/feed_server.py",
    "nats": "adapter/jetstream/link.py",
    "nkeys": "adapter/jetstream/link.py",
    "prometheus_client": "adapter/metrics.py",
}
"""The one file of the adapter that may import a foreign library that does I/O."""

VALUE_LIBRARIES = {"msgspec"}
"""These turn values into values, and may be used wherever they save code."""

EXTRAS = ("parquet", "nats", "metrics")
"""What users install only if they want it: never imported before it is asked for."""

NEVER_IMPORTED = {
    "smartapi-python": "adapter/auth/smartapi.py runs one module of it, without an import",
}
"""Dependencies that no import names, each with the reason."""

PURE = [
    "adapter/wire/*.py",
    "adapter/feed/backoff.py",
    "adapter/feed/lifecycle.py",
    "adapter/market/*.py",
    "adapter/feed/stats.py",
    "adapter/rows/candle_text.py",
    "adapter/rows/candles.py",
    "adapter/rows/encode.py",
    "adapter/control_messages.py",
    "adapter/rows/texts.py",
    "adapter/rows/view.py",
    "adapter/history.py",
    "adapter/jetstream/delivery.py",
    "adapter/inspection/delays.py",
    "adapter/inspection/duplicates.py",
    "adapter/inspection/report.py",
    "adapter/inspection/tally.py",
    "adapter/intervals.py",
    "cli/terminal/key_decoder.py",
    "cli/view/dashboard.py",
    "cli/view/figures.py",
    "cli/view/frame.py",
    "cli/view/health_view.py",
    "cli/view/inspection.py",
    "cli/view/event_text.py",
    "adapter/selection.py",
    "adapter/similarity.py",
    "adapter/quotes.py",
    "cli/view/chain_view.py",
    "cli/view/foot.py",
    "cli/view/help_view.py",
    "cli/view/key_bindings.py",
    "cli/view/layout.py",
    "cli/view/replay_view.py",
    "cli/view/screen_frame.py",
    "cli/view/recent_events.py",
    "cli/view/table.py",
    "cli/view/table_columns.py",
    "cli/view/tiles.py",
    "cli/view/verdict.py",
    "cli/view/summary_text.py",
]
"""Files that read no clock, draw no randomness, open no socket and no file."""
IMPURE_MODULES = {
    *("asyncio", "http", "io", "os", "pathlib", "queue", "random", "secrets", "select"),
    *("selectors", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys"),
    *("tempfile", "threading", "time", "urllib", "uuid"),
}
IMPURE_CALLS = {"open", "print", "input", "now", "today", "utcnow", "SystemClock"}


def shown(path: Path) -> str:
    """A file as the tables above name it."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def absolute_imports(path: Path) -> set[str]:
    """The top-level names that a file imports absolutely, at any depth of its code."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found


def foreign_imports(path: Path) -> set[str]:
    return absolute_imports(path) - sys.stdlib_module_names


def requirements(*extras: str) -> list[Requirement]:
    """What the project declares: its dependencies and those of `extras`, extras in them too."""
    lines = [*PROJECT["project"]["dependencies"]]
    for extra in extras:
        lines += PROJECT["project"]["optional-dependencies"][extra]
    named = [Requirement(line) for line in lines]
    inner = [
        extra for each in named if each.name == PROJECT["project"]["name"] for extra in each.extras
    ]
    ours = [each for each in named if each.name != PROJECT["project"]["name"]]
    return [*ours, *requirements(*inner)] if inner else ours


def test_every_folder_of_modules_is_shipped_and_no_other() -> None:
    folders = {"ticks." + shown(path.parent).replace("/", ".") for path in MODULES}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == folders
    assert all((path.parent / "__init__.py").exists() for path in MODULES)


def test_the_manual_page_and_the_completions_are_installed_where_man_and_shells_look() -> None:
    installed = {
        f"{folder}/{Path(file).name}": file
        for folder, files in PROJECT["tool"]["setuptools"]["data-files"].items()
        for file in files
    }
    assert installed == {
        "share/man/man1/ticks.1": "docs/ticks.1",
        "share/bash-completion/completions/ticks": "completions/ticks",
        "share/zsh/site-functions/_ticks": "completions/_ticks",
        "share/fish/vendor_completions.d/ticks.fish": "completions/ticks.fish",
    }
    assert all((ROOT / file).is_file() for file in installed.values())
    completions = {shown(path) for path in (ROOT / "completions").iterdir()}
    assert completions <= set(installed.values())


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.name != "__init__.py"], ids=shown
)
def test_a_module_has_its_test_file(path: Path) -> None:
    test_file = ROOT / "tests" / path.relative_to(ROOT).with_name(f"test_{path.name}")
    assert test_file.exists(), test_file


def test_every_test_file_of_a_room_belongs_to_a_module() -> None:
    strays = [
        shown(path)
        for room in ("adapter", "cli")
        for path in (ROOT / "tests" / room).rglob("test_*.py")
        if not (ROOT / room / path.relative_to(ROOT / "tests" / room))
        .with_name(path.name.removeprefix("test_"))
        .exists()
    ]
    assert strays == []


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_a_file_is_named_after_what_it_does(path: Path) -> None:
    assert path.stem not in VAGUE_NAMES


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_inside_the_packages_imports_are_relative(path: Path) -> None:
    assert absolute_imports(path).isdisjoint({"ticks", "adapter", "cli", "tests"})


def test_each_foreign_library_is_imported_by_its_one_owner() -> None:
    importers: dict[str, set[str]] = defaultdict(set)
    for path in MODULES:
        if not shown(path).startswith("adapter/"):
            continue
        for library in foreign_imports(path) - VALUE_LIBRARIES:
            importers[library].add(shown(path))
    assert importers == {
        library: {owner} for library, owner in OWNERS.items() if library in importers
    }


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    distributions = packages_distributions()
    imported = {
        canonicalize_name(distributions[library][0])
        for path in MODULES
        for library in foreign_imports(path)
    }
    declared = {canonicalize_name(requirement.name) for requirement in requirements(*EXTRAS)}
    assert imported | NEVER_IMPORTED.keys() == declared


def test_what_an_extra_brings_is_imported_inside_a_function() -> None:
    """`import ticks.adapter...` works without it, and costs nobody who does not ask for it."""
    mandatory = {canonicalize_name(requirement.name) for requirement in requirements()}
    distributions = packages_distributions()
    for path in MODULES:
        at_import = {
            alias.name if isinstance(node, ast.Import) else node.module or ""
            for node in tree(path).body
            if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level)
            for alias in node.names
        }
        foreign = {name.partition(".")[0] for name in at_import} - sys.stdlib_module_names
        bringers = {canonicalize_name(distributions[name][0]) for name in foreign}
        assert bringers <= mandatory, path


@pytest.mark.parametrize(
    "path", sorted(path for pattern in PURE for path in ROOT.glob(pattern)), ids=shown
)
def test_a_pure_file_gets_the_world_as_arguments(path: Path) -> None:
    calls = {
        node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
    }
    assert absolute_imports(path).isdisjoint(IMPURE_MODULES)
    assert calls.isdisjoint(IMPURE_CALLS)


def test_the_lock_file_satisfies_the_declared_requirements() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, flags=re.MULTILINE))
    assert "://" not in text, "an address would tie the lock file to one index"
    for requirement in requirements("test", "dev", *EXTRAS):
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement} is not locked"
        assert requirement.specifier.contains(version), f"{requirement}, locked at {version}"


def test_ci_runs_the_stream_command_that_the_readme_shows() -> None:
    command = "ticks stream NIFTY --demo --csv out.csv --duration 10s"
    for file in ("README.md", ".ci/run"):
        assert command in (ROOT / file).read_text(encoding="utf-8"), file


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]), ids=lambda page: page.name
)
def test_a_link_in_the_docs_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


COMMAND_LINE = re.compile(
    r"(^|[\s`(])--[a-z]|\bticks (add|config|drop|find|health|inspect|log(in|out)|replay|simulate"
    r"|status|stop|stream)\b"
)
"""What belongs to the command line and to no sentence of the adapter."""
WITHOUT_REMEDY = {"reader-left"}
"""Kinds of errors that need no remedy: a reader that leaves is a good end."""


def sentences(path: Path) -> set[str]:
    """The strings of a file's code, docstrings apart."""
    nodes = list(ast.walk(tree(path)))
    documentation = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documentation
    }


def error_arguments(name: str) -> dict[str, Path]:
    """The texts given as this argument to the errors that the adapter raises, and where."""
    return {
        keyword.value.value: path
        for path in MODULES
        if shown(path).startswith("adapter/") and path.name != "errors.py"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("Error")
        for keyword in node.keywords
        if keyword.arg == name and isinstance(keyword.value, ast.Constant)
    }


@pytest.mark.parametrize(
    "path", [path for path in MODULES if shown(path).startswith("adapter/")], ids=shown
)
def test_the_adapter_names_no_flag_and_no_command(path: Path) -> None:
    assert [text for text in sentences(path) if COMMAND_LINE.search(text)] == []


TABLE = ROOT / "cli" / "exit_codes.py"


def remedies() -> set[str]:
    """The kinds that the command line has a remedy for."""
    tables = (each for each in ast.walk(tree(TABLE)) if isinstance(each, ast.AnnAssign))
    table = next(each.value for each in tables if getattr(each.target, "id", "") == "REMEDIES")
    return set(ast.literal_eval(ast.List(table.keys))) if isinstance(table, ast.Dict) else set()


def kinds_of_errors() -> set[str]:
    """Every kind that the adapter names: given to an error, to a function that makes one, as a
    function's default, and where a branch chooses one."""
    found = set(error_arguments("kind"))
    for path in MODULES:
        if not shown(path).startswith("adapter/") or shown(path).startswith("adapter/simulator/"):
            continue
        for node in ast.walk(tree(path)):
            values: list[ast.expr | None] = []
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name == "LinkError":
                    values = [*node.args[:1]]
                elif name.islower():  # a function, and no class of something else that has kinds
                    values = [each.value for each in node.keywords if each.arg == "kind"]
            elif isinstance(node, ast.arguments):
                named = zip(node.kwonlyargs, node.kw_defaults, strict=True)
                values = [default for each, default in named if each.arg == "kind"]
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
                names = [getattr(each, "id", "") for each in node.targets[0].elts]
                if "kind" in names and isinstance(node.value, ast.Tuple):
                    values = [node.value.elts[names.index("kind")]]
            found |= {
                each.value
                for each in values
                if isinstance(each, ast.Constant) and "-" in str(each.value)
            }
    return found


def test_every_kind_of_error_has_its_remedy_in_the_command_line() -> None:
    kinds = kinds_of_errors()
    assert len(kinds) > 100
    assert kinds - WITHOUT_REMEDY <= remedies()
    assert error_arguments("remedy") == {}


def test_every_remedy_is_of_a_kind_that_something_raises() -> None:
    named = {text for path in MODULES if path != TABLE for text in sentences(path)}
    assert remedies() - named == set()
