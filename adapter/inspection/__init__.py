"""Whether a recording can be trusted: what is in it, what is missing, and why."""
