"""NATS JetStream, a log of ticks beyond one machine: its address, a message, one connection."""
