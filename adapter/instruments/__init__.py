"""What can be streamed: the broker's instrument master, and how users name what is in it."""

from .book import InstrumentBook, open_book, open_copy
from .watch_list import read_watch_list

__all__ = ["InstrumentBook", "open_book", "open_copy", "read_watch_list"]
