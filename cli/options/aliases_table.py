"""[aliases] of config.toml: the user's own names for instruments.

[aliases]
bn = "BANKNIFTY"
hedge = "NIFTY monthly 24000 PE"
"""

from __future__ import annotations

from collections.abc import Mapping

from ...adapter.errors import UsageError
from ...adapter.instruments.naming import Aliases
from .config_file import ALIASES, ConfigFile


def aliases(environ: Mapping[str, str]) -> Aliases:
    """The aliases of the user's config.toml. Raises UsageError."""
    return aliases_of(ConfigFile.of(environ))


def aliases_of(file: ConfigFile) -> Aliases:
    """As `aliases`, from a file that was read."""
    spellings: dict[str, str] = {}
    for name, spelling in file.table(ALIASES).items():
        if not isinstance(spelling, str):
            file.refuse_value("write a symbol in quotes", ALIASES, name)
        spellings[name] = spelling
    try:
        return Aliases(spellings)
    except UsageError as error:
        file.refuse(error.message, ALIASES, str(error.values["alias"]))
