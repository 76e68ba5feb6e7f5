"""Recordings played again: chosen, merged, at a pace, into rows or candles."""
