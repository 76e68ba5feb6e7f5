"""The outputs of ticks."""
