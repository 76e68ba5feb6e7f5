"""The options that commands share, and the parsers of their values."""
