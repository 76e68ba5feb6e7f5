"""Where ticks go, and how they come back: rows, sinks, recordings."""
