"""When a segment trades, and how to know it."""
