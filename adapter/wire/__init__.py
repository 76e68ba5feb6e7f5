"""What is on the wire: frames, packets, subscriptions. Pure."""
