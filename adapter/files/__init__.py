"""What is on disk: outputs that are appended to, and recordings that are read back."""
