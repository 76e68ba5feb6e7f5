"""What can be streamed: the broker's instrument master, and how users name what is in it."""

from .catalog import InstrumentCatalog, open_catalog, open_copy

__all__ = ["InstrumentCatalog", "open_catalog", "open_copy"]
