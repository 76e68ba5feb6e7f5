"""The user's own names for instruments."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticks.adapter.aliases_table import aliases_of
from ticks.adapter.errors import UsageError
from ticks.adapter.instruments.naming import Aliases
from ticks.adapter.paths import Paths
from ticks.adapter.settings_file import SettingsFile


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"TICKS_HOME": str(tmp_path)}


def aliases(environ: dict[str, str]) -> Aliases:
    return aliases_of(SettingsFile.read(Paths.from_env(environ).config_file))


def _write(environ: dict[str, str], text: str) -> None:
    (Path(environ["TICKS_HOME"]) / "config.toml").write_text(text)


def test_a_name_stands_for_a_spelling(environ: dict[str, str]) -> None:
    _write(environ, '[aliases]\nbn = "BANKNIFTY"\n"my hedge" = "NIFTY monthly 24000 PE"\n')
    assert aliases(environ).spelling_of("BN") == "BANKNIFTY"
    assert aliases(environ).spelling_of("My Hedge") == "NIFTY monthly 24000 PE"


def test_without_a_file_nothing_is_an_alias(environ: dict[str, str]) -> None:
    assert aliases(environ).spelling_of("BN") == "BN"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[aliases]\nbn = 5\n", r"line 2: aliases\.bn = 5: write a symbol in quotes"),
        ('[aliases]\na = "b"\nb = "A"\n', r"line 2: the alias 'a' refers back to itself"),
        ('[aliases]\nx = "y"\na = ""\n', r"line 3: the alias 'a' = '' is empty"),
    ],
)
def test_what_cannot_be_an_alias_is_named_with_its_line(
    environ: dict[str, str], text: str, reason: str
) -> None:
    _write(environ, text)
    with pytest.raises(UsageError, match=reason):
        aliases(environ)
