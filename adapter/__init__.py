"""The core: from the broker's wire to ticks in a file. It knows nothing of the command line."""
