"""Login and session: credentials, tokens, and how long they are valid."""
