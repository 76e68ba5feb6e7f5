"""What can be streamed: the broker's instrument master, and how users name what is in it."""

from .catalog import InstrumentCatalog, open_catalog, open_copy
from .watch_list import read_watch_list

__all__ = ["InstrumentCatalog", "open_catalog", "open_copy", "read_watch_list"]
