"""A SmartAPI on this machine: REST, instrument master and feed. The client never imports it."""
