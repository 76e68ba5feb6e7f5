"""Where ticks go."""
