"""The streams of the terminal: who may write to them, when, and what."""
