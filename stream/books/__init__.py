"""The books that are kept of a run: where each frame is, how fast and how late."""
