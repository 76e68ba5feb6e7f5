"""Login and session: who the user is to the broker, and until when."""
