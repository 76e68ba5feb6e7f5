"""Which instruments a stream is asked for, before anybody is asked for anything."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ticks.adapter.config import Config
from ticks.adapter.errors import SymbolError, UnknownSymbolError, UsageError
from ticks.adapter.instrument import Instrument
from ticks.adapter.instruments.index import new_index
from ticks.adapter.instruments.master import Master
from ticks.adapter.instruments.naming import NO_ALIASES, Aliases
from ticks.cli.stream_names import StreamNames, resolved
from ticks.cli.terminal.console import Console

URL = "http://127.0.0.1:9/master.json"
MASTER = [
    {"token": "99926000", "symbol": "Nifty 50", "name": "NIFTY", "exch_seg": "NSE",
     "instrumenttype": "AMXIDX"},
    {"token": "3045", "symbol": "SBIN-EQ", "name": "SBIN", "exch_seg": "NSE"},
    {"token": "5097", "symbol": "ETERNAL-EQ", "name": "ETERNAL", "exch_seg": "NSE"},
]  # fmt: skip
Resolve = Callable[..., tuple[list[str], int]]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def resolve(tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Resolves names with a copy of the instrument master of this minute."""
    config = Config.from_env({"TICKS_HOME": str(tmp_path), "TICKS_INSTRUMENTS_URL": URL})
    with new_index(config.paths.instruments_file) as draft:
        rows = Master(json.dumps(MASTER).encode()).rows()
        draft.fill(rows, url=URL, fetched_ns=time.time_ns())
    console = Console()
    monkeypatch.setattr(console, "print_line", said.append)

    def run(
        *symbols: str,
        lists: tuple[str, ...] = (),
        aliases: Aliases = NO_ALIASES,
        is_strict: bool = False,
        shard: tuple[int, int] | None = None,
    ) -> tuple[list[str], int]:
        named = StreamNames(symbols, lists, is_strict=is_strict, shard=shard)
        wanted = resolved(named, replace(config, aliases=aliases), console)
        return list(map(str, wanted.instruments)), wanted.names_skipped

    return run


def test_names_come_from_the_line_and_from_watch_lists(tmp_path: Path, resolve: Resolve) -> None:
    path = tmp_path / "list.txt"
    path.write_text("SBIN # a bank\n# TCS\n\nNIFTY\n")
    assert resolve("NIFTY", " ", lists=(str(path),)) == (["NSE:Nifty 50", "NSE:SBIN-EQ"], 0)


def test_a_watch_list_can_be_standard_input(
    monkeypatch: pytest.MonkeyPatch, resolve: Resolve
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"NIFTY\n")))
    assert resolve(lists=("-",)) == (["NSE:Nifty 50"], 0)


def test_no_name_at_all_is_a_usage_error(tmp_path: Path, resolve: Resolve) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("# nothing yet\n")
    with pytest.raises(UsageError, match="no symbol given"):
        resolve()
    with pytest.raises(UsageError, match=r"empty\.txt contains no symbols"):
        resolve(lists=(str(empty),))


def test_a_name_of_a_list_that_means_nothing_is_reported_and_skipped(
    tmp_path: Path, resolve: Resolve, said: list[str]
) -> None:
    path = tmp_path / "list.txt"
    path.write_text("SBIM\nSBIN\nNIFTI\n")
    assert resolve(lists=(str(path),)) == (["NSE:SBIN-EQ"], 2)
    assert said[0].startswith(f"skipped: {path}, line 1: no instrument is called 'SBIM'")
    assert said[1].startswith(f"skipped: {path}, line 3: no instrument is called 'NIFTI'")


def test_of_many_skipped_names_the_first_are_reported_and_the_rest_counted(
    tmp_path: Path, resolve: Resolve, said: list[str]
) -> None:
    path = tmp_path / "list.txt"
    path.write_text("SBIN\n" + "".join(f"QXZ{n}\n" for n in range(50)))
    assert resolve(lists=(str(path),))[1] == 50
    assert (len(said), said[-1]) == (21, "skipped: 30 more names")


def test_strict_refuses_a_list_with_a_name_that_means_nothing(
    tmp_path: Path, resolve: Resolve, said: list[str]
) -> None:
    path = tmp_path / "list.txt"
    path.write_text("SBIM\nSBIN\n")
    with pytest.raises(UnknownSymbolError) as caught:
        resolve(lists=(str(path),), is_strict=True)
    assert caught.value.kind == "names-skipped"
    assert "line 1" in said[0]
    assert resolve("SBIN", is_strict=True) == (["NSE:SBIN-EQ"], 0)


def test_a_list_of_which_nothing_is_left_is_refused(
    tmp_path: Path, resolve: Resolve, said: list[str]
) -> None:
    path = tmp_path / "list.txt"
    path.write_text("SBIM\n")
    with pytest.raises(UnknownSymbolError) as caught:
        resolve(lists=(str(path),))
    assert caught.value.kind == "names-all-skipped"
    assert len(said) == 1


def test_a_typed_name_that_means_nothing_refuses_them_all(tmp_path: Path, resolve: Resolve) -> None:
    path = tmp_path / "list.txt"
    path.write_text("SBIN\n")
    with pytest.raises(SymbolError) as caught:
        resolve("SBIM", "NIFTY", lists=(str(path),))
    assert caught.value.kind == "symbol-unknown"


def test_what_was_renamed_is_reported_and_an_alias_stands_for_its_spelling(
    resolve: Resolve, said: list[str]
) -> None:
    assert resolve("mine", aliases=Aliases({"mine": "ZOMATO"})) == (["NSE:ETERNAL-EQ"], 0)
    assert said == ["ZOMATO is ETERNAL now"]


def test_shards_share_out_what_is_named(resolve: Resolve) -> None:
    named = StreamNames((), (), is_strict=False, shard=(1, 2))
    other = replace(named, shard=(2, 2))
    nifty = Instrument(1, "99926000", "Nifty 50", "NIFTY")
    assert named.is_mine(nifty) is not other.is_mine(nifty)
    assert replace(named, shard=None).is_mine(nifty)
    (empty,) = [part for part in (1, 2) if not replace(named, shard=(part, 2)).is_mine(nifty)]
    with pytest.raises(UsageError, match="has no symbol: 1 symbol in all"):
        resolve("NIFTY", shard=(empty, 2))
