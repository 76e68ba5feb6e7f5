"""The command line: a command is settings, one adapter call, a view."""
