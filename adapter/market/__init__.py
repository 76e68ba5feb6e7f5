"""Whether a segment of the market may tick now: the calendar's guess, and the packets' evidence."""
