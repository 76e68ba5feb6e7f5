"""The life of a connection: lifecycle, back-off, market hours, link, statistics."""
