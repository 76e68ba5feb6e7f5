"""One file a command: settings, one call into the adapter, a view."""
