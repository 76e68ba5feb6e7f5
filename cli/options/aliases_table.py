"""[aliases] of config.toml, as commands take them."""

from __future__ import annotations

from collections.abc import Mapping

from ...adapter.aliases_table import aliases_of
from ...adapter.instruments.naming import Aliases
from .config_file import ConfigFile


def aliases(environ: Mapping[str, str]) -> Aliases:
    """The aliases of the user's config.toml. Raises UsageError."""
    return aliases_of(ConfigFile.of(environ))
