"""What a person sees: snapshots become frames and lines. Pure, but for the screen."""
