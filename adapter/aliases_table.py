"""[aliases] of config.toml: the user's own names for instruments.

[aliases]
bn = "BANKNIFTY"
hedge = "NIFTY monthly 24000 PE"
"""

from __future__ import annotations

from .errors import UsageError
from .instruments.naming import Aliases
from .settings_file import SettingsFile

ALIASES = "aliases"


def aliases_of(file: SettingsFile) -> Aliases:
    """The aliases of a file. Raises UsageError."""
    spellings: dict[str, str] = {}
    for name, spelling in file.table(ALIASES).items():
        if not isinstance(spelling, str):
            file.refuse_value("write a symbol in quotes", ALIASES, name)
        spellings[name] = spelling
    try:
        return Aliases(spellings)
    except UsageError as error:
        file.refuse(error.message, ALIASES, str(error.values["alias"]))
