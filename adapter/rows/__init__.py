"""A tick as text and back: rows of CSV and JSON, and candles. Pure."""
