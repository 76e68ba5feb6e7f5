"""The user's own names for instruments, as commands take them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticks.adapter.errors import UsageError
from ticks.cli.options.aliases_table import aliases


def test_the_aliases_of_commands_are_those_of_a_file_that_is_checked(tmp_path: Path) -> None:
    environ = {"TICKS_HOME": str(tmp_path)}
    (tmp_path / "config.toml").write_text('[aliases]\nbn = "BANKNIFTY"\n')
    assert aliases(environ).spelling_of("BN") == "BANKNIFTY"
    (tmp_path / "config.toml").write_text('[alias]\nbn = "BANKNIFTY"\n')
    with pytest.raises(UsageError, match="there is no table 'alias'; did you mean 'aliases'"):
        aliases(environ)
